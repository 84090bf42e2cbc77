import passport from 'passport';
import { describe, expect, it, vi } from 'vitest';
import { TEST_RESOURCE, TestIssuer, type TestTokenOptions } from '../../../test/support/oauth/test-issuer.js';
import { ANONYMOUS } from '../protocol/principal.js';
import { OAuthAuthenticator } from './oauth.authenticator.js';
import type { IssuerOptions, OAuthOptions } from './oauth-options.js';

const METADATA = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"';
const SECRET = 'a secret of at least 32 bytes, for development';
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const seconds = () => Math.floor(Date.now() / 1_000);

/** An issuer, and an authenticator that trusts it. */
async function start(options: Partial<OAuthOptions> = {}, issuerOptions: Partial<IssuerOptions> = {}) {
  const issuer = await TestIssuer.start({ algs: ['ES256'] });
  /** How far the clocks are ahead, of them all and of the one that may be set alone. */
  const state = { ahead: 0, set: 0 };
  const logger = { log: vi.fn(), warn: vi.fn() };
  const authenticator = new OAuthAuthenticator(
    { resource: TEST_RESOURCE, issuers: [{ issuer: issuer.issuer, ...issuerOptions }], ...options },
    {
      logger,
      now: () => Date.now() + state.ahead + state.set,
      monotonic: () => performance.now() + state.ahead,
    },
  );
  const accept = async (claims: object = {}, token: TestTokenOptions = {}) =>
    authenticator.authenticate(bearer(await issuer.token(claims as Record<string, unknown>, token)));
  return {
    issuer,
    authenticator,
    state,
    logger,
    accept,
    async [Symbol.asyncDispose]() {
      authenticator.close();
      await issuer[Symbol.asyncDispose]();
    },
  };
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('It has not thrown.');
}

/** The refusal of a token, with what the client is told. */
function refusal(description: string) {
  return {
    reason: 'UNAUTHORIZED',
    message: 'The access token was not accepted. Get a new one as the WWW-Authenticate header says.',
    headers: { 'www-authenticate': `Bearer ${METADATA}, error="invalid_token", error_description="${description}"` },
  };
}

const SIGNATURE = 'The signature of the token is not valid';
const ALGORITHM = 'The token is signed in a way that is not accepted';
const EXPIRED = 'The token has expired, or does not say when it will';
const EARLY = 'The token is not valid yet';
const ISSUER = 'The token is from an issuer that is not accepted';
const AUDIENCE = 'The token is for another audience';
const KIND = 'The token is no access token';
const BINDING = 'The token is bound to a key, and possession cannot be proved here';
const MALFORMED = 'The Authorization header holds no well-formed bearer token';

describe('OAuthAuthenticator', () => {
  it('takes a caller for whom the token says', async () => {
    await using server = await start({ scopeImplies: { 'mcp:write': ['mcp:list'] } }, { tenantClaim: 'org.id' });
    const exp = seconds() + 60;
    const principal = await server.accept({ exp, org: { id: 'acme' }, roles: ['clerk'], jti: 'j' });
    expect(principal).toEqual({
      issuer: server.issuer.issuer,
      subject: 'alice',
      client: 'cli',
      tenant: 'acme',
      scopes: new Set(['mcp:read', 'mcp:write', 'mcp:list']),
      roles: new Set(['clerk']),
      expiresAt: exp * 1_000,
      claims: { org: { id: 'acme' }, jti: 'j' },
    });
  });

  it('lets callers without a token in as anonymous, or not at all', async () => {
    await using open = await start({ requiredScopes: ['mcp:read'] });
    await using closed = await start({ anonymous: false });
    expect(open.authenticator.authenticate({ headers: {} })).toBe(ANONYMOUS);
    expect(open.authenticator.anonymousMayUse).toBe('public');
    expect(thrownBy(() => closed.authenticator.authenticate({ headers: {} }))).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': `Bearer ${METADATA}` },
    });
  });

  it('answers other credentials than a bearer token by 401', async () => {
    await using server = await start();
    const answerTo = async (authorization: string | string[]) =>
      server.authenticator.authenticate({ headers: { authorization } });
    await expect(answerTo('Basic YTpi')).rejects.toMatchObject({
      status: 401,
      headers: { 'www-authenticate': `Bearer ${METADATA}` },
    });
    for (const header of ['', 'Bearer', 'Bearer a b', 'Bearer a\u0000', `Bearer ${'a'.repeat(16_385)}`, ['Bearer a']]) {
      await expect(answerTo(header)).rejects.toMatchObject(refusal(MALFORMED));
    }
  });

  it('refuses opaque tokens when no issuer can be asked about them', async () => {
    await using server = await start();
    for (const token of ['opaque', 'a.b.c', 'e30.e30.e30', 'a.b.c.d.e']) {
      await expect(server.authenticator.authenticate(bearer(token))).rejects.toMatchObject(
        refusal('The token is of a form that is not accepted'),
      );
    }
  });

  it.each<[string, string, object, TestTokenOptions?]>([
    ['another issuer', ISSUER, { iss: 'https://evil.example.com' }],
    ['no issuer', ISSUER, { iss: undefined }],
    ['several issuers', ISSUER, { iss: ['https://login.example.com'] }],
    ['no expiry', EXPIRED, { exp: undefined }],
    ['an expiry of long ago', EXPIRED, { exp: 1 }],
    ['an expiry that is no number', EXPIRED, { exp: '99999999999' }],
    ['a start to come', EARLY, { nbf: 99_999_999_999 }],
    ['a start that is no number', EARLY, { nbf: '1' }],
    ['an issue to come', EARLY, { iat: 99_999_999_999 }],
    ['no audience', AUDIENCE, { aud: undefined }],
    ['another audience', AUDIENCE, { aud: 'https://other.example.com/mcp' }],
    ['an audience that begins alike', AUDIENCE, { aud: `${TEST_RESOURCE}/` }],
    ['an audience in another case', AUDIENCE, { aud: TEST_RESOURCE.toUpperCase() }],
    ['only other audiences', AUDIENCE, { aud: ['a', 'b'] }],
    ['an audience as the name of a member', AUDIENCE, { aud: { [TEST_RESOURCE]: true } }],
    ['an assertion of identity', KIND, {}, { typ: 'oauth-id-jag+jwt' }],
    ['a logout token', KIND, {}, { typ: 'logout+jwt' }],
    ['a DPoP proof', KIND, {}, { typ: 'dpop+jwt' }],
    ['any other type', KIND, {}, { typ: 'application/secevent+jwt' }],
    ['token_use id', KIND, { token_use: 'id' }],
    ['the typ of an ID token', KIND, { typ: 'ID' }],
    ['the typ of a refresh token', KIND, { typ: 'Refresh' }],
    ['the typ of an offline token', KIND, { typ: 'Offline' }],
    ['the typ of a logout token', KIND, { typ: 'Logout' }],
    ['a nonce', KIND, { nonce: 'n' }],
    ['a hash of an access token', KIND, { at_hash: 'h' }],
    ['a hash of a code', KIND, { c_hash: 'h' }],
    ['events', KIND, { events: {} }],
    ['a thumbprint (DPoP)', BINDING, { cnf: { jkt: 'a' } }],
    ['a certificate (mTLS)', BINDING, { cnf: { 'x5t#S256': 'a' } }],
    ['no subject', 'The token names neither a subject nor a client', { sub: undefined, client_id: undefined }],
    ['no algorithm', ALGORITHM, {}, { alg: 'none' }],
    ['something critical', ALGORITHM, {}, { header: { crit: ['exp2'], exp2: 1 } }],
    ['a made-up key id', SIGNATURE, {}, { kid: 'made-up' }],
  ])('refuses a token with %s', async (_name, description, claims, options) => {
    await using server = await start();
    await expect(server.accept(claims, options)).rejects.toMatchObject(refusal(description));
  });

  it('refuses a token whose issuer is its subject', async () => {
    await using server = await start();
    await expect(server.accept({ sub: server.issuer.issuer })).rejects.toMatchObject(refusal(KIND));
  });

  it.each(['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'AT+JWT', null])('takes the type %s', async (typ) => {
    await using server = await start();
    await expect(server.accept({}, { typ })).resolves.toMatchObject({ subject: 'alice' });
  });

  it('takes at+jwt alone when told so', async () => {
    await using server = await start({}, { requireAccessTokenType: true });
    await expect(server.accept()).resolves.toMatchObject({ subject: 'alice' });
    await expect(server.accept({}, { typ: 'JWT' })).rejects.toMatchObject(refusal(KIND));
    await expect(server.accept({}, { typ: null })).rejects.toMatchObject(refusal(KIND));
  });

  it('takes one audience of several, and the one that the issuer has', async () => {
    await using server = await start();
    await expect(server.accept({ aud: ['other', TEST_RESOURCE] })).resolves.toMatchObject({ subject: 'alice' });
    await using named = await start({}, { audience: 'api://mcp' });
    await expect(named.accept({ aud: 'api://mcp' })).resolves.toMatchObject({ subject: 'alice' });
    await expect(named.accept()).rejects.toMatchObject(refusal(AUDIENCE));
  });

  it.each<[object, boolean]>([
    [{}, false],
    [{ azp: 'app' }, false],
    [{ roles: ['clerk'] }, false],
    [{ roles: [], azp: 'app' }, false],
    [{ scope: '' }, false],
    [{ scp: {} }, false],
    [{ token_use: 'access' }, true],
    [{ scope: 'read' }, true],
    [{ scp: ['read'] }, true],
    [{ roles: ['clerk'], azp: 'app' }, true],
    [{ roles: ['clerk'], appid: 'app' }, true],
    [{ roles: ['clerk'], client_id: 'app' }, true],
  ])('takes a token for an audience of its own that says %j for an access token: %s', async (claims, taken) => {
    await using server = await start({}, { audience: 'client-id' });
    // Of Entra ID, whose ID tokens need have no nonce.
    const idToken = { aud: 'client-id', scope: undefined, client_id: undefined, name: 'Alice', tid: 'acme' };
    const answer = expect(server.accept({ ...idToken, ...claims }, { typ: 'JWT' }));
    if (taken) await answer.resolves.toMatchObject({ subject: 'alice' });
    else await answer.rejects.toMatchObject(refusal(KIND));
  });

  it('needs no mark beside at+jwt, or the resource for audience', async () => {
    const unmarked = { scope: undefined, client_id: undefined };
    await using named = await start({}, { audience: 'client-id' });
    await expect(named.accept({ ...unmarked, aud: 'client-id' })).resolves.toMatchObject({ subject: 'alice' });
    await using server = await start({}, { audience: TEST_RESOURCE });
    await expect(server.accept(unmarked, { typ: 'JWT' })).resolves.toMatchObject({ subject: 'alice' });
  });

  it('checks signature, issuer, times, audience and kind in this order, and scopes last', async () => {
    await using server = await start({ requiredScopes: ['other'] });
    await using stranger = await TestIssuer.start({ algs: ['ES256'] });
    const iss = server.issuer.issuer;
    const wrong = { exp: 1, aud: 'other', nonce: 'n', scope: '' };
    const foreign = await stranger.token({ ...wrong, iss }, { kid: null });
    await expect(server.authenticator.authenticate(bearer(foreign))).rejects.toMatchObject({
      headers: { 'www-authenticate': expect.stringContaining(SIGNATURE) },
    });
    const steps = [
      [EXPIRED, 'exp'],
      [AUDIENCE, 'aud'],
      [KIND, 'nonce'],
      ['lacks a scope', 'scope'],
    ] as const;
    const claims: Record<string, unknown> = { ...wrong };
    for (const [description, name] of steps) {
      await expect(server.accept(claims)).rejects.toMatchObject({
        headers: { 'www-authenticate': expect.stringContaining(description) },
      });
      delete claims[name];
    }
  });

  it('allows for clocks that differ', async () => {
    await using server = await start({ clockSkewMs: 60_000 });
    const now = seconds();
    await expect(server.accept({ exp: now - 55 })).resolves.toMatchObject({ subject: 'alice' });
    await expect(server.accept({ nbf: now + 55, iat: now + 55 })).resolves.toMatchObject({ subject: 'alice' });
    await expect(server.accept({ exp: now - 61 })).rejects.toMatchObject(refusal(EXPIRED));
    await expect(server.accept({ nbf: now + 90 })).rejects.toMatchObject(refusal(EARLY));
  });

  it('answers 403 with all required scopes when one is lacking', async () => {
    await using server = await start({ requiredScopes: ['mcp:read', 'mcp:admin'] });
    await expect(server.accept()).rejects.toMatchObject({
      reason: 'FORBIDDEN',
      headers: {
        'www-authenticate': `Bearer ${METADATA}, error="insufficient_scope", error_description="The access token lacks a scope that this request needs", scope="mcp:read mcp:admin"`,
      },
    });
    await using hierarchical = await start({
      requiredScopes: ['mcp:list'],
      scopeImplies: { 'mcp:read': ['mcp:list'] },
    });
    await expect(hierarchical.accept()).resolves.toMatchObject({ subject: 'alice' });
  });

  it('does not take a public key for a secret', async () => {
    await using server = await start();
    const publicKey = await server.issuer.publicKeyPem();
    await using fixed = await start({ issuers: [{ issuer: server.issuer.issuer, publicKey }] });
    const confused = await server.issuer.token({}, { alg: 'HS256', key: Buffer.from(publicKey) });
    for (const { authenticator } of [server, fixed]) {
      await expect(authenticator.authenticate(bearer(confused))).rejects.toMatchObject(refusal(ALGORITHM));
    }
    await expect(fixed.authenticator.authenticate(bearer(await server.issuer.token()))).resolves.toMatchObject({
      subject: 'alice',
    });
  });

  it('takes HS256 with a shared secret, and nothing else', async () => {
    await using server = await start({}, { sharedSecret: SECRET });
    const key = Buffer.from(SECRET);
    await expect(server.accept({}, { alg: 'HS256', key })).resolves.toMatchObject({ subject: 'alice' });
    await expect(server.accept({}, { alg: 'HS512', key: Buffer.alloc(64) })).rejects.toMatchObject(refusal(ALGORITHM));
    await expect(server.accept()).rejects.toMatchObject(refusal(ALGORITHM));
    await server.authenticator.start();
    expect(server.logger.warn).toHaveBeenCalledWith(
      `Issuer ${server.issuer.issuer} has a shared secret, which is for development alone.`,
    );
  });

  it('takes the algorithms of the issuer alone', async () => {
    await using server = await start({}, { algorithms: ['RS256'] });
    await expect(server.accept()).rejects.toMatchObject(refusal(ALGORITHM));
    expect(server.issuer.jwksFetches).toBe(0);
  });

  it('refuses a token of which a bit was changed', async () => {
    await using server = await start();
    const [header, , signature] = (await server.issuer.token()).split('.');
    const [, payload] = (await server.issuer.token({ sub: 'bob' })).split('.');
    await expect(server.authenticator.authenticate(bearer(`${header}.${payload}.${signature}`))).rejects.toMatchObject(
      refusal(SIGNATURE),
    );
  });

  it('keeps issuers apart', async () => {
    await using one = await TestIssuer.start({ algs: ['ES256'] });
    await using server = await start({ issuers: [{ issuer: one.issuer }] });
    await using two = await start({ issuers: [{ issuer: one.issuer }, { issuer: server.issuer.issuer }] });
    const ofOne = await one.token();
    const ofServer = await server.issuer.token();
    await expect(two.authenticator.authenticate(bearer(ofOne))).resolves.toMatchObject({ issuer: one.issuer });
    await expect(two.authenticator.authenticate(bearer(ofServer))).resolves.toMatchObject({
      issuer: server.issuer.issuer,
    });
    const pretended = await server.issuer.token({ iss: one.issuer }, { kid: null });
    await expect(two.authenticator.authenticate(bearer(pretended))).rejects.toMatchObject(refusal(SIGNATURE));
  });

  it('knows no false 401 when the issuer rotates its keys', async () => {
    await using server = await start();
    await server.accept();
    await server.issuer.rotate({ keepOld: false });
    await expect(Promise.all(Array.from({ length: 20 }, () => server.accept()))).resolves.toHaveLength(20);
    expect(server.issuer.jwksFetches).toBe(2);
  });

  it.each(['no key ids', 'the same key id again'])(
    'knows no false 401 when its issuer rotates with %s',
    async (how) => {
      await using server = await start();
      const { kid } = server.issuer['keys'][0]!;
      const named = how === 'no key ids' ? null : kid;
      await server.accept({}, { kid: named });
      await server.issuer.rotate({ keepOld: false });
      Object.assign(server.issuer['keys'][0]!, { kid });
      await expect(
        Promise.all(Array.from({ length: 20 }, () => server.accept({}, { kid: named }))),
      ).resolves.toHaveLength(20);
      expect(server.issuer.jwksFetches).toBe(2);
    },
  );

  it('asks the issuer once about signatures that are wrong, however many', async () => {
    await using server = await start();
    await using stranger = await TestIssuer.start({ algs: ['ES256'] });
    const { kid } = server.issuer['keys'][0]!;
    for (let turn = 0; turn < 5; turn++) {
      const forged = bearer(await stranger.token({ iss: server.issuer.issuer }, { kid }));
      await expect(server.authenticator.authenticate(forged)).rejects.toMatchObject(refusal(SIGNATURE));
    }
    expect(server.issuer.jwksFetches).toBe(2);
  });

  it('goes on fetching keys when the wall clock is set back', async () => {
    await using server = await start({ verifiedTokens: { max: 0 } });
    const lasting = { iat: undefined };
    await server.accept(lasting);
    await server.issuer.rotate();
    await server.accept(lasting);
    Object.assign(server.state, { ahead: 31_000, set: -3_600_000 });
    await server.issuer.rotate();
    await expect(server.accept(lasting)).resolves.toMatchObject({ subject: 'alice' });
    expect(server.issuer.jwksFetches).toBe(3);
  });

  it('forgets a token in its time when the wall clock is set back', async () => {
    await using server = await start();
    const token = await server.issuer.token({ iat: undefined });
    const first = await server.authenticator.authenticate(bearer(token));
    Object.assign(server.state, { ahead: 30_000, set: -3_600_000 });
    expect(await server.authenticator.authenticate(bearer(token))).not.toBe(first);
  });

  it('finds the right one of several keys for a token without a key id', async () => {
    await using server = await start();
    const old = await server.issuer.token({}, { kid: null });
    await server.issuer.rotate();
    await expect(server.authenticator.authenticate(bearer(old))).resolves.toMatchObject({ subject: 'alice' });
    await expect(server.accept({}, { kid: null })).resolves.toMatchObject({ subject: 'alice' });
  });

  it('remembers what a token said, but not beyond its end', async () => {
    await using server = await start({ clockSkewMs: 0, verifiedTokens: { ttlMs: 3_600_000 } });
    const token = await server.issuer.token({ exp: seconds() + 60 });
    const first = await server.authenticator.authenticate(bearer(token));
    expect(server.authenticator.authenticate(bearer(token))).toBe(first);
    expect(server.authenticator.authenticate({ headers: { authorization: `bearer  ${token}` } })).toBe(first);
    // Its end is a time of day.
    server.state.set = 61_000;
    await expect(server.authenticator.authenticate(bearer(token))).rejects.toMatchObject(refusal(EXPIRED));
  });

  it('looks for the required scopes in what it remembers as well', async () => {
    await using server = await start({ requiredScopes: ['mcp:admin'] });
    const token = await server.issuer.token();
    const forbidden = { reason: 'FORBIDDEN', status: 403 };
    await expect(server.authenticator.authenticate(bearer(token))).rejects.toMatchObject(forbidden);
    expect(thrownBy(() => server.authenticator.authenticate(bearer(token)))).toMatchObject(forbidden);
  });

  it('verifies again when its memory has run out, or when it has none', async () => {
    await using server = await start();
    const token = await server.issuer.token();
    const first = await server.authenticator.authenticate(bearer(token));
    server.state.ahead = 30_000;
    expect(await server.authenticator.authenticate(bearer(token))).not.toBe(first);
    await using forgetful = await start({ verifiedTokens: { max: 0 } });
    const other = bearer(await forgetful.issuer.token());
    expect(await forgetful.authenticator.authenticate(other)).not.toBe(
      await forgetful.authenticator.authenticate(other),
    );
  });

  it('starts without its issuer, warns once, answers 503, and recovers', async () => {
    await using server = await start();
    const token = bearer(await server.issuer.token());
    await server.issuer.pause();
    await server.authenticator.start();
    const unavailable = {
      reason: 'UNAVAILABLE',
      message: 'The access token cannot be checked at the moment. Try again later.',
    };
    await expect(server.authenticator.authenticate(token)).rejects.toMatchObject(unavailable);
    server.state.ahead = 2_000;
    await expect(server.authenticator.authenticate(token)).rejects.toMatchObject(unavailable);
    expect(server.logger.warn.mock.calls).toEqual([
      [expect.stringMatching(/^Keys of issuer http:\/\/127\.0\.0\.1:\d+: not available, .*ECONNREFUSED.*503\.$/)],
    ]);
    await server.issuer.resume();
    server.state.ahead = 4_000;
    await expect(server.authenticator.authenticate(token)).resolves.toMatchObject({ subject: 'alice' });
    expect(server.logger.log).toHaveBeenCalledWith(`Keys of issuer ${server.issuer.issuer}: available again.`);
  });

  it.each([500, 'hang', 'garbage', 'huge'] as const)('answers 503 when the keys come as %s', async (fault) => {
    await using server = await start({ jwks: { requestTimeoutMs: 300 } });
    server.issuer.fault('jwks', fault);
    await expect(server.accept()).rejects.toMatchObject({ reason: 'UNAVAILABLE', status: 503 });
  });

  it('leaves the registry of Passport alone, so that applications of a process do not disturb each other', async () => {
    await using one = await start();
    await using other = await start();
    await expect(one.accept()).resolves.toMatchObject({ issuer: one.issuer.issuer });
    await expect(other.accept()).resolves.toMatchObject({ issuer: other.issuer.issuer });
    expect((passport as unknown as { _strategies: object })._strategies).not.toHaveProperty('mcp-access-token');
  });

  it('refuses a payload that is no object', async () => {
    await using server = await start();
    const [header] = (await server.issuer.token()).split('.');
    for (const payload of ['null', '[]', '"text"', '7', '{']) {
      const token = `${header}.${Buffer.from(payload).toString('base64url')}.c2ln`;
      await expect(server.authenticator.authenticate(bearer(token))).rejects.toMatchObject(refusal(ISSUER));
    }
  });

  it('says nothing of a token in errors and logs', async () => {
    await using server = await start();
    const token = await server.issuer.token({ aud: 'other', secret: 'hush' });
    const error: unknown = await Promise.resolve(server.authenticator.authenticate(bearer(token))).catch(
      (reason: unknown) => reason,
    );
    await server.issuer.pause();
    server.state.ahead = 700_000;
    await server.accept().catch(() => undefined);
    const said = JSON.stringify([error, (error as Error).stack, server.logger.warn.mock.calls]);
    for (const part of [...token.split('.'), 'hush']) expect(said).not.toContain(part);
  });
});
