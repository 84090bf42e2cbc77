import { describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { TEST_CLIENT, TEST_RESOURCE, TestIssuer } from '../../../test/support/oauth/test-issuer.js';
import { OAuthAuthenticator } from './oauth.authenticator.js';
import type { IntrospectionOptions, OAuthOptions } from './oauth-options.js';

const INACTIVE = 'The token is not active';
const refusal = (description: string) => ({
  status: 401,
  headers: { 'www-authenticate': expect.stringContaining(`error="invalid_token", error_description="${description}"`) },
});

/** An issuer of opaque tokens, and an authenticator that asks it. */
async function start(options: Partial<OAuthOptions> = {}, introspection: Partial<IntrospectionOptions> = {}) {
  const issuer = await TestIssuer.start({ algs: ['ES256'] });
  /** How far the clocks are ahead, of them all and of the one that may be set alone. */
  const state = { ahead: 0, set: 0 };
  const logger = { log: vi.fn(), warn: vi.fn() };
  const issuers = [{ issuer: issuer.issuer, introspection: { ...TEST_CLIENT, ...introspection } }];
  const authenticator = new OAuthAuthenticator(
    { resource: TEST_RESOURCE, issuers, ...options },
    {
      logger,
      now: () => Date.now() + state.ahead + state.set,
      monotonic: () => performance.now() + state.ahead,
    },
  );
  return {
    issuer,
    state,
    logger,
    ask: async (token: string) => authenticator.authenticate({ headers: { authorization: `Bearer ${token}` } }),
    authenticator,
    async [Symbol.asyncDispose]() {
      authenticator.close();
      await issuer[Symbol.asyncDispose]();
    },
  };
}

describe('introspection', () => {
  it('takes a caller for whom the issuer says', async () => {
    await using server = await start({ scopeImplies: { 'mcp:write': ['mcp:list'] } });
    await expect(server.ask(server.issuer.opaqueToken({ username: 'Alice' }))).resolves.toMatchObject({
      issuer: server.issuer.issuer,
      subject: 'alice',
      client: 'cli',
      scopes: new Set(['mcp:read', 'mcp:write', 'mcp:list']),
      claims: { username: 'Alice' },
    });
  });

  it('asks at the configured endpoint, and needs no metadata then', async () => {
    await using other = await TestIssuer.start({ algs: ['ES256'] });
    await using server = await start({}, { endpoint: other.introspectionEndpoint });
    await expect(server.ask(other.opaqueToken({ iss: undefined }))).resolves.toMatchObject({ subject: 'alice' });
    expect(server.issuer.requests).toMatchObject({ 'oauth-metadata': 0, introspect: 0 });
  });

  it.each([
    ['another issuer', { iss: 'https://evil.example.com' }, 'The token is from an issuer that is not accepted'],
    ['an expiry of long ago', { exp: 1 }, 'The token has expired, or does not say when it will'],
    ['a start to come', { nbf: 99_999_999_999 }, 'The token is not valid yet'],
    ['no audience', { aud: undefined }, 'The token is for another audience'],
    ['another audience', { aud: ['other'] }, 'The token is for another audience'],
    ['a key', { cnf: { jkt: 'a' } }, 'The token is bound to a key, and possession cannot be proved here'],
    ['the type DPoP', { token_type: 'DPoP' }, 'The token is bound to a key, and possession cannot be proved here'],
    ['the type of a refresh token', { token_type: 'refresh_token' }, 'The token is no access token'],
    ['active that is a text', { active: 'true' }, undefined],
  ])('does not take a token with %s', async (_name, claims, description) => {
    await using server = await start();
    await expect(server.ask(server.issuer.opaqueToken(claims))).rejects.toMatchObject(
      description === undefined ? { status: 503 } : refusal(description),
    );
  });

  it('answers 403 when the token lacks a required scope', async () => {
    await using server = await start({ requiredScopes: ['mcp:admin'] });
    await expect(server.ask(server.issuer.opaqueToken())).rejects.toMatchObject({ reason: 'FORBIDDEN', status: 403 });
  });

  it('remembers for 30 seconds at most that a token is active', async () => {
    await using server = await start();
    const token = server.issuer.opaqueToken();
    await Promise.all([server.ask(token), server.ask(token)]);
    server.issuer.revoke(token);
    server.state.ahead = 29_000;
    await expect(server.ask(token)).resolves.toMatchObject({ subject: 'alice' });
    expect(server.issuer.requests.introspect).toBe(1);
    server.state.ahead = 30_001;
    await expect(server.ask(token)).rejects.toMatchObject(refusal(INACTIVE));
  });

  it('does not remember it beyond its end', async () => {
    await using server = await start({ clockSkewMs: 0 });
    const token = server.issuer.opaqueToken({ exp: Math.floor(Date.now() / 1_000) + 10 });
    await server.ask(token);
    server.state.ahead = 11_000;
    await expect(server.ask(token)).rejects.toMatchObject(
      refusal('The token has expired, or does not say when it will'),
    );
  });

  it('remembers for 5 seconds that a token is not', async () => {
    await using server = await start();
    await expect(server.ask('unknown')).rejects.toMatchObject(refusal(INACTIVE));
    server.state.ahead = 4_000;
    await expect(server.ask('unknown')).rejects.toMatchObject(refusal(INACTIVE));
    expect(server.issuer.requests.introspect).toBe(1);
    server.state.ahead = 10_000;
    await expect(server.ask('unknown')).rejects.toMatchObject(refusal(INACTIVE));
    expect(server.issuer.requests.introspect).toBe(2);
  });

  it('has at most 32 requests under way for tokens it does not know, and lets 64 more wait', async () => {
    await using server = await start();
    await server.authenticator.start();
    server.issuer.fault('introspect', 'hang');
    const answers = Array.from({ length: 100 }, (_, index) => server.ask(`token-${index}`));
    const refused = await Promise.allSettled(answers.slice(96));
    for (const answer of refused) expect(answer).toMatchObject({ reason: { status: 503 } });
    await eventually(() => expect(server.issuer.requests.introspect).toBe(32));
    server.authenticator.close();
    for (const answer of await Promise.allSettled(answers)) expect(answer).toMatchObject({ reason: { status: 503 } });
    expect(server.issuer.requests.introspect).toBe(32);
  });

  it('does not let made-up tokens keep those waiting that were active before', async () => {
    await using server = await start();
    const real = server.issuer.opaqueToken();
    await server.ask(real);
    server.state.ahead = 60_000;
    server.issuer.fault('introspect', 'hang');
    const madeUp = Array.from({ length: 200 }, (_, index) => server.ask(`token-${index}`).catch(() => undefined));
    await eventually(() => expect(server.issuer.requests.introspect).toBe(33));
    server.issuer.heal();
    await expect(server.ask(real)).resolves.toMatchObject({ subject: 'alice' });
    server.authenticator.close();
    await Promise.all(madeUp);
  });

  it('lets a token that does not say when it ends do so 5 minutes after it was checked', async () => {
    await using server = await start();
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
    const { expiresAt } = await server
      .ask(server.issuer.opaqueToken({ exp: undefined }))
      .finally(() => vi.useRealTimers());
    expect(expiresAt).toBe(1_800_000_300_000);
  });

  it.each([500, 401, 'garbage', 'huge'] as const)('answers 503 to an endpoint that answers with %s', async (fault) => {
    await using server = await start();
    server.issuer.fault('introspect', fault);
    await expect(server.ask('one')).rejects.toMatchObject({ reason: 'UNAVAILABLE', status: 503 });
    await expect(server.ask('two')).rejects.toMatchObject({ status: 503 });
    expect(server.logger.warn).toHaveBeenCalledTimes(1);
    expect(JSON.stringify(server.logger.warn.mock.calls)).not.toContain(TEST_CLIENT.clientSecret);
  });

  it('asks the next issuer about what is not active at the one before', async () => {
    await using one = await TestIssuer.start({ algs: ['ES256'] });
    await using two = await TestIssuer.start({ algs: ['ES256'] });
    const issuers = [one, two].map(({ issuer }) => ({ issuer, introspection: TEST_CLIENT }));
    await using server = await start({ issuers });
    await expect(server.ask(two.opaqueToken())).resolves.toMatchObject({ issuer: two.issuer });
    await expect(server.ask(one.opaqueToken())).resolves.toMatchObject({ issuer: one.issuer });
    await expect(server.ask('unknown')).rejects.toMatchObject(refusal(INACTIVE));
    expect([one.requests.introspect, two.requests.introspect]).toEqual([3, 2]);
    await expect(server.ask(one.opaqueToken({ aud: 'other' }))).rejects.toMatchObject({ status: 401 });
    expect(two.requests.introspect).toBe(2);
  });

  it('shows no token to the next issuer while the one before cannot be asked', async () => {
    await using one = await TestIssuer.start({ algs: ['ES256'] });
    await using two = await TestIssuer.start({ algs: ['ES256'] });
    const issuers = [one, two].map(({ issuer }) => ({ issuer, introspection: TEST_CLIENT }));
    await using server = await start({ issuers });
    const known = two.opaqueToken();
    await server.ask(known);
    one.fault('introspect', 500);
    await expect(server.ask('unknown')).rejects.toMatchObject({ reason: 'UNAVAILABLE', status: 503 });
    await expect(server.ask(two.opaqueToken())).rejects.toMatchObject({ status: 503 });
    server.state.ahead = 10_000;
    await expect(server.ask(known)).resolves.toMatchObject({ issuer: two.issuer });
    expect(two.requests.introspect).toBe(1);
  });
});
