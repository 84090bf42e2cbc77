import { describe, expect, it } from 'vitest';
import { TestIssuer, type TestIssuerOptions } from '../../../test/support/oauth/test-issuer.js';
import { IssuerHttp } from './issuer-http.js';
import { IssuerMetadata } from './issuer-metadata.js';

async function startIssuer(options: TestIssuerOptions = {}) {
  const issuer = await TestIssuer.start({ algs: ['ES256'], ...options });
  const state = { now: 0 };
  const metadata = new IssuerMetadata(issuer.issuer, new IssuerHttp(300), () => state.now);
  return { issuer, metadata, state, [Symbol.asyncDispose]: () => issuer[Symbol.asyncDispose]() };
}

describe('IssuerMetadata', () => {
  it.each(['', '/realms/acme'])('reads the metadata of RFC 8414, of an issuer with the path "%s"', async (path) => {
    await using server = await startIssuer({ path });
    await expect(server.metadata.endpoint('jwks_uri')).resolves.toBe(server.issuer.jwksUri);
    await server.metadata.endpoint('introspection_endpoint');
    expect(server.issuer.requests).toMatchObject({ 'oauth-metadata': 1, 'oidc-metadata': 0 });
  });

  it('falls back to OpenID Connect Discovery', async () => {
    await using server = await startIssuer({ path: '/realms/acme' });
    server.issuer.fault('oauth-metadata', 404);
    await expect(server.metadata.endpoint('jwks_uri')).resolves.toBe(server.issuer.jwksUri);
    expect(server.issuer.requests['oidc-metadata']).toBe(1);
  });

  it('compares the issuer letter by letter', async () => {
    await using server = await startIssuer();
    // The same URL, but another text.
    server.issuer.metadata['issuer'] = `${server.issuer.issuer}/`;
    await expect(server.metadata.endpoint('jwks_uri')).rejects.toThrow(
      'the issuer that it names is not exactly the configured one',
    );
    server.issuer.metadata['issuer'] = 'https://evil.example.com';
    await expect(server.metadata.endpoint('jwks_uri')).rejects.toThrow('its metadata cannot be read: ');
  });

  it.each([
    ['http://evil.example.com/jwks', 'jwks_uri must begin with https://'],
    ['file:///etc/passwd', 'jwks_uri must begin with https://'],
    [undefined, 'its metadata has no jwks_uri: give the URL in the options'],
  ])('does not take %s for an endpoint', async (uri, message) => {
    await using server = await startIssuer();
    server.issuer.metadata['jwks_uri'] = uri;
    await expect(server.metadata.endpoint('jwks_uri')).rejects.toThrow(message);
  });

  it.each([500, 'garbage', 'huge', 'hang'] as const)('says so when the issuer answers with %s', async (fault) => {
    await using server = await startIssuer();
    server.issuer.fault('oauth-metadata', fault);
    server.issuer.fault('oidc-metadata', fault);
    await expect(server.metadata.endpoint('jwks_uri')).rejects.toThrow('its metadata cannot be read: ');
  });

  it('follows no redirect', async () => {
    await using server = await startIssuer();
    const redirect = `${server.issuer.issuer}/.well-known/openid-configuration`;
    server.issuer.fault('oauth-metadata', { redirect });
    server.issuer.fault('oidc-metadata', { redirect: server.issuer.jwksUri });
    await expect(server.metadata.endpoint('jwks_uri')).rejects.toThrow('it answered with status 302');
    expect(server.issuer.requests.jwks).toBe(0);
  });

  it('reads again after an hour, and keeps what it knows while the issuer is away', async () => {
    await using server = await startIssuer();
    await server.metadata.endpoint('jwks_uri');
    server.state.now = 60 * 60 * 1_000;
    server.issuer.metadata['jwks_uri'] = 'https://elsewhere.example.com/jwks';
    await expect(server.metadata.endpoint('jwks_uri')).resolves.toBe('https://elsewhere.example.com/jwks');
    await server.issuer.pause();
    server.state.now *= 2;
    await expect(server.metadata.endpoint('jwks_uri')).resolves.toBe('https://elsewhere.example.com/jwks');
  });
});
