import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { IssuerOptions, OAuthOptions } from './oauth-options.js';
import { oauthSettings } from './oauth-settings.js';

const ISSUER = { issuer: 'https://login.example.com' };
const OPTIONS: OAuthOptions = { resource: 'https://mcp.example.com/mcp', issuers: [ISSUER] };
const SECRET = 'a secret of at least 32 bytes, for development';

function pem(type: 'rsa' | 'ec' | 'ed25519', size: number | string = ''): string {
  const encoding = { publicKeyEncoding: { type: 'spki', format: 'pem' } } as const;
  const pair =
    type === 'rsa'
      ? generateKeyPairSync(type, { modulusLength: Number(size), ...encoding })
      : type === 'ec'
        ? generateKeyPairSync(type, { namedCurve: String(size), ...encoding })
        : generateKeyPairSync(type, encoding as never);
  return pair.publicKey as unknown as string;
}

describe('oauthSettings', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('fills in the defaults', () => {
    expect(oauthSettings(OPTIONS)).toEqual({
      resource: 'https://mcp.example.com/mcp',
      issuers: [
        {
          issuer: 'https://login.example.com',
          keys: { kind: 'jwks', uri: undefined },
          introspection: undefined,
          audience: 'https://mcp.example.com/mcp',
          audienceIsResource: true,
          algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'],
          requireAccessTokenType: false,
          tenantClaim: undefined,
          rolesClaim: 'roles',
        },
      ],
      requiredScopes: [],
      scopesSupported: [],
      scopeImplies: {},
      clockSkewMs: 30_000,
      resourceName: undefined,
      resourceDocumentation: undefined,
      anonymous: true,
      verifiedTokens: { max: 10_000, ttlMs: 30_000 },
      jwks: { maxAgeMs: 600_000, staleIfErrorMs: 3_600_000, requestTimeoutMs: 5_000 },
    });
  });

  it.each(['https://mcp.example.com', 'https://mcp.example.com/', 'http://127.0.0.1:3000/mcp', 'http://[::1]/mcp'])(
    'takes the resource %s',
    (resource) => expect(oauthSettings({ ...OPTIONS, resource }).resource).toBe(resource),
  );

  const HTTPS = 'must begin with https://; http:// is for loopback alone (127.0.0.1, [::1], localhost).';
  it.each<[Partial<OAuthOptions>, string]>([
    [{ resource: 'mcp' }, 'resource must be an absolute URL, such as https://example.com/path.'],
    [{ resource: 'http://mcp.example.com/mcp' }, `resource ${HTTPS}`],
    [{ resource: 'http://localhost.example.com/' }, `resource ${HTTPS}`],
    [{ resource: 'http://127.0.0.1.example.com/' }, `resource ${HTTPS}`],
    [{ resource: 'https://h/mcp#a' }, 'resource must have no fragment: leave out "#" and what follows.'],
    [{ resource: 'https://h/mcp?a' }, 'resource must have no query: leave out "?" and what follows.'],
    [{ resource: 'https://u:p@h/mcp' }, 'resource must have no user or password in it.'],
    [{ resource: 'https://H:443/a/../b' }, 'resource is not in canonical form: write https://h/b instead.'],
    [{ issuers: [] }, 'issuers must name at least one authorization server: give { issuer: "https://..." }.'],
    [{ issuers: [ISSUER, ISSUER] }, 'issuers names https://login.example.com twice: keep one of them.'],
    [{ clockSkewMs: 60_001 }, 'clockSkewMs must be a whole number from 0 to 60000.'],
    [{ clockSkewMs: -1 }, 'clockSkewMs must be a whole number from 0 to 60000.'],
    [{ clockSkewMs: NaN }, 'clockSkewMs must be a whole number from 0 to 60000.'],
    [{ verifiedTokens: { max: -1 } }, 'verifiedTokens.max must be a whole number from 0 to 1000000.'],
    [{ jwks: { requestTimeoutMs: 0 } }, 'jwks.requestTimeoutMs must be a whole number from 1 to 60000.'],
    [{ resourceName: '' }, 'resourceName must not be empty: leave it out for none.'],
    [
      { resourceDocumentation: 'docs' },
      'resourceDocumentation must be an absolute URL, such as https://example.com/docs.',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => oauthSettings({ ...OPTIONS, ...options })).toThrow(new Error(message));
  });

  it('refuses to require offline_access, which is for clients to ask for', () => {
    expect(() => oauthSettings({ ...OPTIONS, requiredScopes: ['offline_access'] })).toThrow(/^requiredScopes must not/);
  });

  it.each(['requiredScopes', 'scopesSupported'])('refuses %s that are no scope tokens', (name) => {
    const message = `${name} must list scopes: each one or more visible ASCII characters but " and \\ (RFC 6749 section 3.3).`;
    for (const scope of ['', 'a b', 'a"', 'ä']) {
      expect(() => oauthSettings({ ...OPTIONS, [name]: [scope] })).toThrow(new Error(message));
    }
    expect(() => oauthSettings({ ...OPTIONS, scopeImplies: { a: ['b c'] } })).toThrow(/^scopeImplies\["a"\] must list/);
  });

  it.each<[Partial<IssuerOptions>, string]>([
    [{ issuer: 'http://login.example.com' }, `issuers[0].issuer ${HTTPS}`],
    [{ issuer: 'https://h/?a' }, 'issuers[0].issuer must have no query: leave out "?" and what follows.'],
    [{ jwksUri: 'http://h/jwks' }, `issuers[0].jwksUri ${HTTPS}`],
    [
      { introspection: { clientId: 'a', clientSecret: 'b', endpoint: 'http://h' } },
      `issuers[0].introspection.endpoint ${HTTPS}`,
    ],
    [
      { introspection: { clientId: 'a', clientSecret: '' } },
      'issuers[0].introspection.clientSecret is missing: register this server as a client.',
    ],
    [
      { jwksUri: 'https://h/jwks', sharedSecret: SECRET },
      'issuers[0] has more than one of jwksUri, publicKey and sharedSecret: keep one.',
    ],
    [{ publicKey: 'x' }, 'issuers[0].publicKey must be PEM text that begins with -----BEGIN PUBLIC KEY-----.'],
    [{ publicKey: pem('rsa', 1024) }, 'issuers[0].publicKey must have at least 2048 bits: use a longer key.'],
    [{ publicKey: pem('ed25519') }, 'issuers[0].publicKey must be an RSA key, or an EC key on P-256, P-384 or P-521.'],
    [{ publicKey: '-----BEGIN PRIVATE KEY-----' }, 'issuers[0].publicKey holds a private key: give the public one.'],
    [
      { publicKey: pem('ec', 'P-256'), algorithms: ['RS256'] },
      'issuers[0].algorithms has none that its publicKey can be used with: ES256.',
    ],
    [{ audience: '' }, 'issuers[0].audience must not be empty: leave it out for the default.'],
    [
      { sharedSecret: 'short' },
      'issuers[0].sharedSecret has 5 bytes and needs 32. Make one with: openssl rand -base64 32',
    ],
    [
      { sharedSecret: SECRET, algorithms: ['RS256'] },
      'issuers[0].algorithms must be left out beside sharedSecret: that is always HS256.',
    ],
    [
      { algorithms: ['HS256' as never] },
      'issuers[0].algorithms must list one or more of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512.',
    ],
  ])('refuses an issuer with %j', (issuer, message) => {
    expect(() => oauthSettings({ ...OPTIONS, issuers: [{ ...ISSUER, ...issuer }] })).toThrow(new Error(message));
  });

  it('takes a shared secret, for HS256, except in production', () => {
    const options = { ...OPTIONS, issuers: [{ ...ISSUER, sharedSecret: SECRET }] };
    expect(oauthSettings(options).issuers[0]!.algorithms).toEqual(['HS256']);
    vi.stubEnv('NODE_ENV', 'production');
    expect(() => oauthSettings(options)).toThrow(
      new Error(
        'issuers[0].sharedSecret is for development alone: use jwksUri or publicKey when NODE_ENV is production.',
      ),
    );
  });

  it('narrows the algorithms to those of a public key', () => {
    const algorithmsOf = (publicKey: string) =>
      oauthSettings({ ...OPTIONS, issuers: [{ ...ISSUER, publicKey }] }).issuers[0]!.algorithms;
    expect(algorithmsOf(pem('ec', 'P-384'))).toEqual(['ES384']);
    expect(algorithmsOf(pem('rsa', 2048))).toEqual(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']);
  });
});
