import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable } from '@nestjs/common';
import { exportJWK, generateKeyPair } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { McpTool } from '../../../src/index.js';
import { eventually } from '../../support/eventually.js';
import { TEST_CLIENT, TestIssuer, type TestFault } from '../../support/oauth/test-issuer.js';
import { type Json, type WireSession, statelessRequest } from '../../support/wire.js';
import { GuardedApp, KNOCKS, METADATA, as, bearer, sessionFor } from './guarded-app.js';

const MINUTE = 60_000;
const UNCHECKED = 'The access token cannot be checked at the moment. Try again later.';
const SIGNATURE = 'The signature of the token is not valid';

@Injectable()
class Tools {
  @McpTool()
  hello(): string {
    return 'hello';
  }
}

/** Verifies every token on every call, so that what is seen is due to keys. */
const EVERY_TIME = { verifiedTokens: { max: 0 } };

// The clocks stand still unless a test moves them.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance', 'hrtime'] }));
afterEach(() => void vi.useRealTimers());
const pass = (ms: number): void => void vi.advanceTimersByTime(ms);

/** A token that outlives every test. */
function lasting(issuer: TestIssuer, claims: Json = {}): Promise<string> {
  return issuer.token({ exp: Math.floor(Date.now() / 1_000) + 6 * 3_600, ...claims });
}

/** A token of the issuer, as far as it says, with a key that nobody has. */
async function unknownKey(issuer: TestIssuer, header: Json = {}): Promise<string> {
  return issuer.token({}, { kid: randomUUID(), header });
}

function challenge(description: string): string {
  return `Bearer ${METADATA}, error="invalid_token", error_description="${description}"`;
}

async function expectUnavailable(response: Response): Promise<void> {
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
  // A client that were told 401 would throw its token away, and its refresh token with it.
  expect(response.headers.get('www-authenticate')).toBeNull();
  expect(await response.json()).toEqual({ jsonrpc: '2.0', error: { code: 503, message: UNCHECKED } });
}

/** Several clients that call without a pause, each time with another of the tokens there are. */
class Traffic {
  readonly statuses = new Set<number>();
  private calls = 0;
  private stopped = false;
  private readonly workers: Promise<void>[];

  constructor(
    private readonly send: (token: string) => Promise<Response>,
    readonly tokens: string[],
    clients = 6,
  ) {
    this.workers = Array.from({ length: clients }, () => this.work());
  }

  /** Resolves when so many more calls have been answered. */
  async goOn(calls: number): Promise<void> {
    const until = this.calls + calls;
    await eventually(() => expect(this.calls).toBeGreaterThanOrEqual(until));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.workers);
  }

  private async work(): Promise<void> {
    for (let turn = 0; !this.stopped; turn++) {
      // The newest one often, the others in turn.
      const token = (turn % 2 === 0 ? this.tokens.at(-1) : this.tokens[turn % this.tokens.length]) ?? '';
      const response = await this.send(token);
      await response.text();
      this.statuses.add(response.status);
      this.calls += 1;
    }
  }
}

/** Publishes a key set, whatever it looks like. */
class KeyPage implements AsyncDisposable {
  private constructor(private readonly server: Server) {}

  static async start(body: string): Promise<KeyPage> {
    const server = createServer((_request, response) => response.end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new KeyPage(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/jwks`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const ERAS = [
  { era: 'stateless', sender: async (app: GuardedApp) => (token: string) => listTools(app, token) },
  {
    era: 'session',
    sender: async (app: GuardedApp, token: string) => {
      const session = await sessionFor(app.url, bearer(token));
      return (other: string) => ping(as(session, bearer(other)));
    },
  },
] as const;

const listTools = ({ url }: GuardedApp, token: string): Promise<Response> =>
  statelessRequest(url, 'tools/list', {}, { headers: bearer(token) });
const ping = (session: WireSession): Promise<Response> => session.request('ping', {}, randomUUID());

describe.each(ERAS)('keys that rotate under load in the $era era', ({ sender }) => {
  it('refuse no token, old or new, however often they do', async () => {
    await using app = await GuardedApp.start({ providers: [Tools], auth: EVERY_TIME });
    const { issuer } = app;
    const first = await lasting(issuer);
    const traffic = new Traffic(await sender(app, first), [first]);

    await traffic.goOn(30);
    for (let rotation = 0; rotation < 6; rotation++) {
      pass(31_000);
      await issuer.rotate();
      traffic.tokens.push(await lasting(issuer));
      await traffic.goOn(60);
    }
    await traffic.stop();

    expect([...traffic.statuses]).toEqual([200]);
    // One at the start, and one for each rotation.
    expect(issuer.jwksFetches).toBe(7);
  });

  it('are fetched once when a hundred calls come at once with a new one', async () => {
    await using app = await GuardedApp.start({ providers: [Tools], auth: EVERY_TIME });
    const { issuer } = app;
    const send = await sender(app, await lasting(issuer));
    await issuer.rotate();
    const token = await lasting(issuer);

    const answers = await Promise.all(Array.from({ length: 100 }, () => send(token)));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(issuer.jwksFetches).toBe(2);
  });

  it('are no longer good once they are withdrawn and the server has heard of it', async () => {
    await using app = await GuardedApp.start({ providers: [Tools], auth: EVERY_TIME });
    const { issuer } = app;
    const old = await lasting(issuer);
    const send = await sender(app, old);
    await issuer.rotate({ keepOld: false });
    const fresh = await lasting(issuer);

    const statuses = [(await send(old)).status, (await send(fresh)).status, (await send(old)).status];

    expect(statuses).toEqual([200, 200, 401]);
  });
});

describe.each(KNOCKS)('a thousand unknown key ids in the $era era', ({ knock }) => {
  it('cost the issuer one fetch, and others nothing', async () => {
    await using app = await GuardedApp.start({ providers: [Tools], auth: EVERY_TIME });
    const { issuer } = app;
    const traffic = new Traffic((token) => listTools(app, token), [await lasting(issuer)], 2);
    const forged = new Traffic(async () => knock(app.url, bearer(await unknownKey(issuer))), [''], 8);

    await forged.goOn(1_000);
    await forged.stop();
    await traffic.stop();

    expect([...forged.statuses]).toEqual([401]);
    expect([...traffic.statuses]).toEqual([200]);
    expect(issuer.jwksFetches).toBe(2);
  });

  it('cost one fetch even while it does not end, and do not keep new keys out for long', async () => {
    await using app = await GuardedApp.start({ providers: [Tools], auth: EVERY_TIME });
    const { issuer } = app;
    issuer.fault('jwks', 'hang');
    const waiting = Array.from({ length: 100 }, async () => knock(app.url, bearer(await unknownKey(issuer))));
    await eventually(() => expect(issuer.jwksFetches).toBe(2));
    const known = await knock(app.url, bearer(await lasting(issuer)));

    issuer.heal();
    await issuer.pause();
    await issuer.resume();
    await issuer.rotate();
    pass(31_000);
    const fresh = await knock(app.url, bearer(await lasting(issuer)));

    expect(new Set((await Promise.all(waiting)).map(({ status }) => status))).toEqual(new Set([503]));
    expect([known.status, fresh.status]).toEqual([200, 200]);
    expect(issuer.jwksFetches).toBe(3);
  });

  it.each<[string, (issuer: TestIssuer) => Promise<string>]>([
    [
      'no issuer that is trusted',
      async (issuer) => issuer.token({ iss: 'https://evil.example' }, { kid: randomUUID() }),
    ],
    ['no algorithm that is accepted', async (issuer) => issuer.token({}, { alg: 'none', kid: randomUUID() })],
    ['something critical', async (issuer) => unknownKey(issuer, { crit: ['x'], x: 1 })],
    ['a key id that is none', async (issuer) => unknownKey(issuer, { kid: 'k'.repeat(2_000) })],
  ])('cost nothing in tokens with %s', async (_what, token) => {
    await using app = await GuardedApp.start({ providers: [Tools] });

    const response = await knock(app.url, bearer(await token(app.issuer)));

    expect(response.status).toBe(401);
    expect(app.issuer.jwksFetches).toBe(1);
  });
});

describe.each(KNOCKS)('an issuer that is away in the $era era', ({ knock }) => {
  it('is not missed while its keys may be used, and then for what it is', async () => {
    await using app = await GuardedApp.start({ providers: [Tools], auth: EVERY_TIME });
    const { issuer } = app;
    const token = bearer(await lasting(issuer));
    await issuer.pause();

    pass(11 * MINUTE);
    const stale = await knock(app.url, token);
    pass(58 * MINUTE);
    const stillStale = await knock(app.url, token);
    pass(2 * MINUTE);
    const tooOld = await knock(app.url, token);
    await issuer.resume();
    pass(2_000);
    const back = await knock(app.url, token);

    expect([stale.status, stillStale.status, back.status]).toEqual([200, 200, 200]);
    await expectUnavailable(tooOld);
  });

  const FAULTS: [string, TestFault | 'away'][] = [
    ['is not there', 'away'],
    ['fails', 500],
    ['is overloaded', 429],
    ['denies', 403],
    ['knows no keys', 404],
    ['says nothing', 'hang'],
    ['says what is no JSON', 'garbage'],
    ['says too much', 'huge'],
    ['sends us elsewhere', { redirect: 'http://127.0.0.1:9/jwks' }],
  ];

  it.each(FAULTS)('and never was there is not the fault of who calls: it %s', async (_how, fault) => {
    const before = (issuer: TestIssuer) => (fault === 'away' ? issuer.pause() : issuer.fault('jwks', fault));
    const auth = { ...EVERY_TIME, jwks: { requestTimeoutMs: 100 } };
    await using app = await GuardedApp.start({ providers: [Tools], auth, before });
    const token = bearer(await lasting(app.issuer));

    const away = await knock(app.url, token);
    const forged = await knock(app.url, bearer(await app.issuer.token({}, { alg: 'none' })));
    app.issuer.heal();
    if (fault === 'away') await app.issuer.resume();
    pass(2_000);
    const back = await knock(app.url, token);

    await expectUnavailable(away);
    expect([forged.status, back.status]).toEqual([401, 200]);
  });

  it.each([['away'], [500], ['hang'], ['garbage'], [{ redirect: 'http://127.0.0.1:9/' }]] as [TestFault | 'away'][])(
    'and does not say where its keys are is not the fault of who calls: %j',
    async (fault) => {
      const before = (issuer: TestIssuer): void | Promise<void> => {
        if (fault === 'away') return issuer.pause();
        issuer.fault('oauth-metadata', fault);
        issuer.fault('oidc-metadata', fault);
      };
      const auth = { ...EVERY_TIME, jwks: { requestTimeoutMs: 100 } };
      await using app = await GuardedApp.start({ providers: [Tools], auth, before });

      await expectUnavailable(await knock(app.url, bearer(await lasting(app.issuer))));
    },
  );

  it('says of unknown keys that they cannot be looked for', async () => {
    await using app = await GuardedApp.start({ providers: [Tools] });
    await app.issuer.pause();

    await expectUnavailable(await knock(app.url, bearer(await unknownKey(app.issuer))));
  });

  it('whose metadata is that of another is not believed', async () => {
    await using evil = await TestIssuer.start({ algs: ['ES256'] });
    const before = (issuer: TestIssuer): void =>
      void Object.assign(issuer.metadata, { issuer: evil.issuer, jwks_uri: evil.jwksUri });
    await using app = await GuardedApp.start({ providers: [Tools], before });

    await expectUnavailable(await knock(app.url, bearer(await evil.token({ iss: app.issuer.issuer }))));
    expect(evil.jwksFetches).toBe(0);
  });
});

async function publicJwk(kid: string): Promise<Json> {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
}

describe.each(KNOCKS)('a key set in the $era era', ({ knock }) => {
  /** What a token gets whose issuer publishes this, which is made from the key that it is signed with. */
  async function answerTo(keys: (good: Json) => unknown): Promise<Response> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const good = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
    await using published = await KeyPage.start(JSON.stringify(keys(good)));
    await using app = await GuardedApp.start({ providers: [Tools], trust: { jwksUri: published.url } });
    return await knock(app.url, bearer(await app.issuer.token({}, { alg: 'ES256', kid: 'k', key: privateKey })));
  }

  it('is good with one key that fits', async () => {
    expect((await answerTo((good) => ({ keys: [good] }))).status).toBe(200);
  });

  it.each<[string, (good: Json) => unknown]>([
    ['nothing', () => null],
    ['a number', () => 7],
    ['a list', (good) => [good]],
    ['an object without keys', (good) => good],
    ['a text for keys', () => ({ keys: 'k' })],
    ['no key among its keys', (good) => ({ keys: [good, null] })],
    ['a key that is no point on its curve', (good) => ({ keys: [{ ...good, x: good['y'] }] })],
    ['a key that is empty', (good) => ({ keys: [{ ...good, x: '', y: '' }] })],
  ])('that holds %s is none, which is not the fault of who calls', async (_what, keys) => {
    await expectUnavailable(await answerTo(keys));
  });

  it.each<[string, (good: Json) => Json[]]>([
    ['no other', () => []],
    ['one to encrypt with', (good) => [{ ...good, use: 'enc' }]],
    ['one for other operations', (good) => [{ ...good, key_ops: ['encrypt'] }]],
    ['one for another algorithm', (good) => [{ ...good, alg: 'ES384' }]],
    ['one of another kind', (good) => [{ ...good, kty: 'oct', k: good['x'] }]],
    ['one of another name', (good) => [{ ...good, kid: 'K' }]],
  ])('that holds, beside the key of others, %s, has none that fits', async (_what, keys) => {
    const ofOthers = await publicJwk('of-others');

    const response = await answerTo((good) => ({ keys: [...keys(good), ofOthers] }));

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, challenge(SIGNATURE)]);
  });

  it('that holds, beside the key of others, a weak one has none that fits', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const weak = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' };
    await using published = await KeyPage.start(JSON.stringify({ keys: [weak, await publicJwk('of-others')] }));
    await using app = await GuardedApp.start({ providers: [Tools], trust: { jwksUri: published.url } });
    const [, payload] = (await app.issuer.token()).split('.');
    const signed = `${Buffer.from('{"alg":"RS256","kid":"k"}').toString('base64url')}.${payload}`;
    const token = `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;

    const response = await knock(app.url, bearer(token));

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, challenge(SIGNATURE)]);
  });
});

describe.each(KNOCKS)('several issuers in the $era era', ({ knock }) => {
  it('never vouch for each other', async () => {
    await using one = await TestIssuer.start({ algs: ['ES256'] });
    await using two = await TestIssuer.start({ algs: ['ES256'] });
    const auth = { issuers: [{ issuer: one.issuer }, { issuer: two.issuer }] };
    await using app = await GuardedApp.start({ providers: [Tools], auth });
    const send = async (by: TestIssuer, iss: string): Promise<unknown> => {
      const response = await knock(app.url, bearer(await by.token({ iss })));
      return response.headers.get('www-authenticate') ?? response.status;
    };

    expect([await send(one, one.issuer), await send(two, two.issuer)]).toEqual([200, 200]);
    expect([await send(one, two.issuer), await send(two, one.issuer)]).toEqual([
      challenge(SIGNATURE),
      challenge(SIGNATURE),
    ]);
  });

  it('do not keep each other waiting: one that is away concerns its own tokens alone', async () => {
    await using one = await TestIssuer.start({ algs: ['ES256'] });
    await using two = await TestIssuer.start({ algs: ['ES256'] });
    one.fault('jwks', 'hang');
    const auth = {
      issuers: [{ issuer: one.issuer }, { issuer: two.issuer }],
      jwks: { requestTimeoutMs: 100 },
    };
    await using app = await GuardedApp.start({ providers: [Tools], auth });

    const ofTwo = await knock(app.url, bearer(await two.token()));
    const ofOne = await knock(app.url, bearer(await one.token()));

    expect(ofTwo.status).toBe(200);
    await expectUnavailable(ofOne);
  });

  it('have different people under the same name', async () => {
    await using one = await TestIssuer.start({ algs: ['ES256'] });
    await using two = await TestIssuer.start({ algs: ['ES256'] });
    const auth = { issuers: [{ issuer: one.issuer }, { issuer: two.issuer }] };
    await using app = await GuardedApp.start({ providers: [Tools], auth });
    const session = await sessionFor(app.url, bearer(await one.token({ sub: 'alice' })));

    const foreign = await ping(as(session, bearer(await two.token({ sub: 'alice' }))));

    expect(foreign.status).toBe(404);
  });
});

describe.each(KNOCKS)('opaque tokens in the $era era', ({ knock }) => {
  const INACTIVE = 'The token is not active';
  const start = (): Promise<GuardedApp> =>
    GuardedApp.start({ providers: [Tools], trust: { introspection: TEST_CLIENT } });

  it('are good when the issuer says so, which is remembered', async () => {
    await using app = await start();
    const token = bearer(app.issuer.opaqueToken());

    const statuses = [];
    for (let turn = 0; turn < 3; turn++) statuses.push((await knock(app.url, token)).status);

    expect(statuses).toEqual([200, 200, 200]);
    expect(app.issuer.requests.introspect).toBe(1);
  });

  it('are refused when they were revoked, as soon as that is no longer remembered', async () => {
    await using app = await start();
    const token = app.issuer.opaqueToken({ exp: Math.floor(Date.now() / 1_000) + 3_600 });
    const before = await knock(app.url, bearer(token));

    app.issuer.revoke(token);
    pass(31_000);
    const after = await knock(app.url, bearer(token));

    expect(before.status).toBe(200);
    expect([after.status, after.headers.get('www-authenticate')]).toEqual([401, challenge(INACTIVE)]);
  });

  it.each<[string, Json, string]>([
    ['for another audience', { aud: 'https://other.example' }, 'The token is for another audience'],
    ['for no audience', { aud: undefined }, 'The token is for another audience'],
    ['of another issuer', { iss: 'https://evil.example' }, 'The token is from an issuer that is not accepted'],
    ['that have expired', { exp: 1 }, 'The token has expired, or does not say when it will'],
    ['to refresh others with', { token_type: 'refresh_token' }, 'The token is no access token'],
    ['bound to a key', { token_type: 'DPoP' }, 'The token is bound to a key, and possession cannot be proved here'],
    ['of nobody', { sub: undefined, client_id: undefined }, 'The token names neither a subject nor a client'],
    ['that are not active', { active: false }, INACTIVE],
  ])('are refused %s, whatever the issuer says of them', async (_what, claims, description) => {
    await using app = await start();

    const response = await knock(app.url, bearer(app.issuer.opaqueToken(claims)));

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, challenge(description)]);
  });

  it.each([['away'], [500], [401], ['hang'], ['garbage'], ['huge'], [{ redirect: 'http://127.0.0.1:9/' }]] as [
    TestFault | 'away',
  ][])('cannot be checked while the issuer does not answer (%j); those it answered for go on', async (fault) => {
    await using app = await GuardedApp.start({
      providers: [Tools],
      trust: { introspection: TEST_CLIENT },
      auth: { jwks: { requestTimeoutMs: 100 } },
    });
    const known = bearer(app.issuer.opaqueToken());
    const unknown = bearer(app.issuer.opaqueToken());
    const before = await knock(app.url, known);
    if (fault === 'away') await app.issuer.pause();
    else app.issuer.fault('introspect', fault);

    const [goesOn, waits] = [await knock(app.url, known), await knock(app.url, unknown)];

    expect([before.status, goesOn.status]).toEqual([200, 200]);
    await expectUnavailable(waits);
  });

  it.each<[Json]>([[{ active: 'true' }], [{ active: 1 }], [{ active: null }]])(
    'are not good when the answer is odd: %j',
    async (claims) => {
      await using app = await start();

      await expectUnavailable(await knock(app.url, bearer(app.issuer.opaqueToken(claims))));
    },
  );

  it.each<[Json]>([[{ exp: 'never' }], [{ aud: 7 }], [{ sub: {} }], [{ nbf: 'x' }], [{ token_type: 7 }], [{ iss: 7 }]])(
    'are refused when the answer is odd: %j',
    async (claims) => {
      await using app = await start();

      expect((await knock(app.url, bearer(app.issuer.opaqueToken(claims)))).status).toBe(401);
    },
  );

  it('that are made up do not reach the issuer more than once each', async () => {
    await using app = await start();

    const statuses = new Set<number>();
    for (let turn = 0; turn < 10; turn++) statuses.add((await knock(app.url, bearer('made-up'))).status);

    expect([...statuses]).toEqual([401]);
    expect(app.issuer.requests.introspect).toBe(1);
  });

  it('are sent nowhere when no issuer is asked about them', async () => {
    await using app = await GuardedApp.start({ providers: [Tools] });

    const response = await knock(app.url, bearer(app.issuer.opaqueToken()));

    expect(response.headers.get('www-authenticate')).toBe(challenge('The token is of a form that is not accepted'));
    expect(app.issuer.requests.introspect).toBe(0);
  });
});
