import { describe, expect, it } from 'vitest';
import { BearerChallenge } from './bearer-challenge.js';

const resource = 'https://mcp.example.com/mcp';
const METADATA = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"';

describe('BearerChallenge', () => {
  it('says where the metadata is, and no error when there was no token', () => {
    const error = new BearerChallenge({ resource }).unauthorized();
    expect(error).toMatchObject({ reason: 'UNAUTHORIZED', status: 401, code: 401 });
    expect(error.headers).toEqual({ 'www-authenticate': `Bearer ${METADATA}` });
  });

  it('names the required scopes', () => {
    const challenge = new BearerChallenge({ resource, requiredScopes: ['mcp:read', 'mcp:list'] });
    expect(challenge.header()).toBe(`Bearer ${METADATA}, scope="mcp:read mcp:list"`);
  });

  it('says what is wrong with a token', () => {
    const header = new BearerChallenge({ resource }).header({
      error: 'invalid_token',
      description: 'It has expired',
      scopes: ['a', 'b'],
    });
    expect(header).toBe(`Bearer ${METADATA}, error="invalid_token", error_description="It has expired", scope="a b"`);
  });

  it('names all scopes that a request needs', () => {
    const error = new BearerChallenge({ resource, requiredScopes: ['x'] }).insufficientScope(['a', 'b']);
    expect(error).toMatchObject({ reason: 'FORBIDDEN', status: 403, code: 403 });
    expect(error.headers).toEqual({
      'www-authenticate': `Bearer ${METADATA}, error="insufficient_scope", error_description="The access token lacks a scope that this request needs", scope="x a b"`,
    });
  });

  it.each(['a "quoted" word', 'back\\slash', 'new\r\nline', 'ä'])('does not let %j into the header', (description) => {
    const challenge = new BearerChallenge({ resource });
    expect(() => challenge.header({ description })).toThrow(
      new TypeError('error_description of the challenge must be printable ASCII without " and \\.'),
    );
    expect(() => challenge.header({ scopes: [description] })).toThrow(
      new TypeError('A scope of the challenge is no scope token (RFC 6749 section 3.3).'),
    );
  });
});
