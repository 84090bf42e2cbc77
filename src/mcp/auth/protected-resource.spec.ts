import { describe, expect, it } from 'vitest';
import { protectedResourceMetadata, protectedResourceMetadataUrl } from './protected-resource.js';

const ISSUERS = [{ issuer: 'https://a.example.com' }, { issuer: 'https://b.example.com/realm' }];

describe('protectedResourceMetadata', () => {
  it('describes the resource, without offline_access', () => {
    const metadata = protectedResourceMetadata({
      resource: 'https://mcp.example.com/mcp',
      issuers: ISSUERS,
      scopesSupported: ['mcp:read', 'offline_access', 'mcp:write'],
      resourceName: 'Shop',
      resourceDocumentation: 'https://example.com/docs',
    });
    expect(metadata).toEqual({
      path: '/.well-known/oauth-protected-resource/mcp',
      rootPath: '/.well-known/oauth-protected-resource',
      body: {
        resource: 'https://mcp.example.com/mcp',
        authorization_servers: ['https://a.example.com', 'https://b.example.com/realm'],
        scopes_supported: ['mcp:read', 'mcp:write'],
        bearer_methods_supported: ['header'],
        resource_name: 'Shop',
        resource_documentation: 'https://example.com/docs',
      },
    });
  });

  it('leaves out what there is not, and takes the required scopes for those supported', () => {
    const resource = 'https://mcp.example.com';
    expect(protectedResourceMetadata({ resource, issuers: ISSUERS }).body).toEqual({
      resource,
      authorization_servers: ['https://a.example.com', 'https://b.example.com/realm'],
      bearer_methods_supported: ['header'],
    });
    const body = protectedResourceMetadata({ resource, issuers: ISSUERS, requiredScopes: ['a'] }).body;
    expect(body['scopes_supported']).toEqual(['a']);
  });

  it.each([
    ['https://h.example', 'https://h.example/.well-known/oauth-protected-resource'],
    ['https://h.example/', 'https://h.example/.well-known/oauth-protected-resource'],
    ['https://h.example:8443/a/mcp', 'https://h.example:8443/.well-known/oauth-protected-resource/a/mcp'],
  ])('of %s is at %s', (resource, url) => {
    expect(protectedResourceMetadataUrl(resource)).toBe(url);
  });
});
