import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  ANONYMOUS,
  type Authenticator,
  McpCall,
  McpPrompt,
  McpRegistry,
  McpResource,
  McpTool,
  RequireScopes,
} from '../../../src/index.js';
import { type Json, type WireSession, responseOf, statelessRequest } from '../../support/wire.js';
import { exchange, head } from '../robustness/raw.js';
import { EventStream, Gate, SessionApp, errorFrame, resultFrame, textResult } from '../session/session-app.js';
import { CAPABILITIES } from '../stateless/requests.js';
import { GuardedApp, as, bearer, sessionFor } from './guarded-app.js';

const NOT_FOUND = 'No such session. Send initialize to open a new one.';
const NO_ID = 'The Mcp-Session-Id header is required. Send initialize first.';
const METHODS = ['POST', 'GET', 'DELETE'] as const;
const ELICITS = { elicitation: { form: {} } };

const Consent = z.object({ agreed: z.boolean() });
const Transfer = z.object({ to: z.string(), cents: z.number() });
const Count = z.object({ to: z.number() });

@Injectable()
class Bank {
  readonly gate = new Gate();
  runs = 0;

  @McpTool({ input: Count })
  async count({ to }: z.infer<typeof Count>, call: McpCall): Promise<string> {
    for (let step = 1; step <= to; step++) call.progress(step);
    await this.gate.opened;
    return `counted to ${to}, ${call.signal.aborted ? 'cancelled' : 'undisturbed'}`;
  }

  @McpTool({ input: Transfer })
  async transfer({ to, cents }: z.infer<typeof Transfer>, call: McpCall): Promise<string> {
    this.runs += 1;
    const { agreed } = await call.elicit(Consent, 'Go on?');
    return agreed ? `${cents} to ${to}` : 'nothing';
  }

  @McpTool({ input: Transfer })
  withdraw(input: z.infer<typeof Transfer>, call: McpCall): Promise<string> {
    return this.transfer(input, call);
  }

  @McpPrompt({ name: 'transfer', input: z.object({ to: z.string() }) })
  async prompt(_input: { to: string }, call: McpCall): Promise<string> {
    await call.elicit(Consent, 'Go on?');
    return 'Go on.';
  }

  @McpResource('accounts://{owner}')
  account({ owner }: { owner: string }): string {
    return owner;
  }
}

/** Whom the sessions of these tests belong to. */
const ALICE = { sub: 'alice', client_id: 'cli', tenant: 'acme' };
/** Everybody who differs from her in one thing; what is the same must not help. */
const FOREIGN: [string, Json][] = [
  ['another user', { ...ALICE, sub: 'mallory' }],
  ['a user of another case', { ...ALICE, sub: 'Alice' }],
  ['another client', { ...ALICE, client_id: 'other' }],
  ['another tenant', { ...ALICE, tenant: 'evil' }],
  ['no tenant', { ...ALICE, tenant: undefined }],
  ['no client', { ...ALICE, client_id: undefined }],
  ['the client by itself', { ...ALICE, sub: 'cli' }],
  ['the tenant in her name', { ...ALICE, sub: 'alice","cli","acme', tenant: undefined }],
];

let app: GuardedApp;
beforeEach(async () => {
  app = await GuardedApp.start({ providers: [Bank], trust: { tenantClaim: 'tenant' } });
});
afterEach(() => app[Symbol.asyncDispose]());

const token = (claims: Json = ALICE): Promise<{ authorization: string }> => app.bearer(claims);
const bank = (): Bank => app.get(Bank);
const touch = (uri: string): Promise<void> => app.get(McpRegistry).resourceUpdated(uri);

/** The same harmless request by each HTTP method. */
async function send(session: WireSession, method: (typeof METHODS)[number]): Promise<Response> {
  if (method === 'GET') return session.get();
  if (method === 'DELETE') return session.delete();
  return session.post({ jsonrpc: '2.0', id: 1, method: 'ping' });
}

function counting(session: WireSession, to: number, id: string | number = 'count'): Promise<EventStream> {
  const params = { name: 'count', arguments: { to }, _meta: { progressToken: id } };
  return EventStream.open((signal) => session.request('tools/call', params, id, signal));
}

/** A GET stream of a session that has subscribed to something. */
async function listening(session: WireSession, uri: string): Promise<EventStream> {
  await session.request('resources/subscribe', { uri });
  const stream = await EventStream.listen(session);
  await stream.next();
  return stream;
}

const updated = (uri: string): Json => ({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } });

describe('the one a session belongs to', () => {
  it('goes on with it under a refreshed token, by POST, GET and DELETE', async () => {
    const session = await sessionFor(app.url, await token());
    const first = await counting(session, 2);
    await first.message();
    first.cut();
    const refreshed = as(
      session,
      await token({ ...ALICE, scope: 'mcp:other', exp: Math.floor(Date.now() / 1_000) + 900 }),
    );

    const posted = await send(refreshed, 'POST');
    bank().gate.open();
    const resumed = await EventStream.listen(refreshed, first.lastEventId);
    const rest = await resumed.messages();
    const deleted = await send(refreshed, 'DELETE');

    expect([posted.status, deleted.status]).toEqual([200, 204]);
    expect(rest).toEqual([
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'count', progress: 2 } },
      resultFrame('count', textResult('counted to 2, undisturbed')),
    ]);
    expect((await send(session, 'POST')).status).toBe(404);
  });

  it('may use with a narrower token what that is good for, and no more', async () => {
    @Injectable()
    class Guarded {
      @McpTool()
      @RequireScopes('bank:write')
      pay(): string {
        return 'paid';
      }
    }
    await using other = await GuardedApp.start({ providers: [Guarded] });
    const session = await sessionFor(other.url, await other.bearer({ scope: 'bank:read bank:write' }));
    const narrow = as(session, await other.bearer({ scope: 'bank:read' }));
    const pay = (within: WireSession): Promise<Response> => within.request('tools/call', { name: 'pay' });

    const statuses = [(await pay(session)).status, (await pay(narrow)).status, (await pay(session)).status];

    expect(statuses).toEqual([200, 403, 200]);
    expect(await responseOf(await narrow.request('tools/list'))).toMatchObject({ result: { tools: [] } });
  });

  it('goes on with it under an opaque token that says the same', async () => {
    await using other = await GuardedApp.start({
      providers: [Bank],
      trust: { tenantClaim: 'tenant', introspection: { clientId: 'rookery', clientSecret: 'not:so secret+%' } },
    });
    const session = await sessionFor(other.url, await other.bearer(ALICE));

    const response = await send(as(session, bearer(other.issuer.opaqueToken(ALICE))), 'POST');

    expect(response.status).toBe(200);
  });
});

describe.each(FOREIGN)('%s', (_who, claims) => {
  it('does not get into a session, and does not disturb it', async () => {
    const session = await sessionFor(app.url, await token());
    const stream = await listening(session, 'accounts://alice');
    const running = await counting(session, 2);
    await running.message();
    const foreign = as(session, await token(claims));

    const answers = [
      await send(foreign, 'POST'),
      await foreign.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'count' } }),
      await send(foreign, 'GET'),
      await foreign.get({ 'last-event-id': running.lastEventId }),
      await foreign.get({ 'last-event-id': stream.lastEventId }),
      await send(foreign, 'DELETE'),
    ];
    await touch('accounts://alice');
    bank().gate.open();

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404]);
    expect(await answers[0]?.json()).toEqual(errorFrame(1, 404, NOT_FOUND));
    expect(await stream.message()).toEqual(updated('accounts://alice'));
    expect((await running.messages()).at(-1)).toEqual(resultFrame('count', textResult('counted to 2, undisturbed')));
    expect((await send(session, 'POST')).status).toBe(200);
  });

  it('cannot use sealed request state of somebody else', async () => {
    const { body, retry } = await suspended();

    expect(await retry(await token(claims))).toEqual(REFUSED);
    expect(bank().runs).toBe(1);
    expect(await retry(await token())).toMatchObject(body);
  });
});

describe('somebody without a token', () => {
  it.each(METHODS)('learns of no session by %s', async (method) => {
    const session = await sessionFor(app.url, await token());

    const response = await send(as(session, {}), method);

    expect(response.status).toBe(401);
    expect((await send(session, 'POST')).status).toBe(200);
  });
});

describe('in a session of his own, somebody', () => {
  const MALLORY = { ...ALICE, sub: 'mallory' };

  async function both(): Promise<[alice: WireSession, mallory: WireSession]> {
    return [
      await sessionFor(app.url, await token(), ELICITS),
      await sessionFor(app.url, await token(MALLORY), ELICITS),
    ];
  }

  it('gets nothing by the event ids of another one', async () => {
    const [alice, mallory] = await both();
    const stream = await counting(alice, 3);
    await stream.message();
    bank().gate.open();
    await stream.messages();

    for (const { id } of stream.events) {
      const response = await mallory.get({ 'last-event-id': id });

      expect(response.status).toBe(400);
      expect(await response.json()).toEqual(
        errorFrame(undefined, -32600, 'Last-Event-ID names no stream of this session.'),
      );
    }
  });

  it('gets his own changes alone by the event ids of what another one listens to', async () => {
    const [alice, mallory] = await both();
    const hers = await listening(alice, 'accounts://alice');
    await touch('accounts://alice');
    await hers.message();
    await mallory.request('resources/subscribe', { uri: 'accounts://mallory' });

    const his = await EventStream.listen(mallory, hers.events[0]?.id);
    await touch('accounts://alice');
    await touch('accounts://mallory');

    expect(await his.message()).toEqual(updated('accounts://mallory'));
    expect(await hers.message()).toEqual(updated('accounts://alice'));
  });

  it('cannot answer the questions of another one', async () => {
    const [alice, mallory] = await both();
    const stream = await EventStream.call(alice, 'transfer', { to: 'bob', cents: 100 });
    const question = await stream.message();
    const yes = { jsonrpc: '2.0', id: question?.['id'], result: { action: 'accept', content: { agreed: true } } };
    const no = { ...yes, result: { action: 'accept', content: { agreed: false } } };

    const foreign = await mallory.post(yes);
    const into = await as(alice, await token(MALLORY)).post(yes);
    const own = await alice.post(no);

    expect([foreign.status, into.status, own.status]).toEqual([400, 404, 202]);
    expect(await foreign.json()).toEqual(
      errorFrame(undefined, -32600, 'No request of this server waits for this response.'),
    );
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('nothing'))]);
  });

  it('cannot cancel the calls of another one, though he may use the same ids', async () => {
    const [alice, mallory] = await both();
    const stream = await counting(alice, 1, 7);
    await stream.message();
    const his = await counting(mallory, 1, 7);
    await his.message();

    const cancelled = await mallory.post({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 7 },
    });
    const ofHis = await his.messages();
    bank().gate.open();

    expect(cancelled.status).toBe(202);
    expect(ofHis).toEqual([]);
    expect(await stream.messages()).toEqual([resultFrame(7, textResult('counted to 1, undisturbed'))]);
  });

  it('does not end what another one listens to', async () => {
    const [alice, mallory] = await both();
    const stream = await listening(alice, 'accounts://alice');

    await mallory.request('resources/unsubscribe', { uri: 'accounts://alice' });
    await mallory.delete();
    await touch('accounts://alice');

    expect(await stream.message()).toEqual(updated('accounts://alice'));
  });

  it('opens one of his own, whatever session he names when he does', async () => {
    const [alice] = await both();
    const { authorization } = await token(MALLORY);

    const his = await sessionFor(app.url, { authorization, 'mcp-session-id': alice.id });

    expect(his.id).not.toBe(alice.id);
    expect((await send(as(alice, { authorization }), 'POST')).status).toBe(404);
    expect((await send(alice, 'POST')).status).toBe(200);
  });
});

describe('the id of a session', () => {
  it.each(METHODS)('that is of somebody else is on %s as one that nobody has', async (method) => {
    const session = await sessionFor(app.url, await token());
    const mallory = await token({ ...ALICE, sub: 'mallory' });
    const answers = [];
    for (const id of [session.id, 'A'.repeat(session.id.length), session.id.slice(0, -1), `${session.id}x`]) {
      const response = await send(as({ ...session, id }, mallory), method);
      const headers = Object.fromEntries(response.headers);
      delete headers['date'];
      answers.push({ status: response.status, headers, body: await response.text() });
    }

    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 404, body: expect.stringContaining(NOT_FOUND) });
    expect(answers[0]?.headers).not.toHaveProperty('mcp-session-id');
  });

  it.each(['__proto__', 'constructor', '*', '%00', '../..', '{}', 'null', 'a'.repeat(8_000), "' OR '1'='1"])(
    'is found by nobody who tries %s',
    async (id) => {
      const session = await sessionFor(app.url, await token());
      const tried = as({ ...session, id }, await token());

      expect([(await send(tried, 'POST')).status, (await send(tried, 'DELETE')).status]).toEqual([404, 404]);
      expect((await send(session, 'POST')).status).toBe(200);
    },
  );

  it.each(['?mcp-session-id=', '?Mcp-Session-Id=', '?sessionId=', '?session_id='])(
    'counts for nothing in the address: %s',
    async (where) => {
      const session = await sessionFor(app.url, await token());
      const asked = as(
        { ...session, url: `${app.url}${where}${session.id}` },
        { ...(await token()), 'mcp-session-id': undefined },
      );

      for (const method of METHODS) {
        const response = await send(asked, method);
        expect([response.status, await response.json()]).toEqual([
          400,
          errorFrame(method === 'POST' ? 1 : undefined, -32600, NO_ID),
        ]);
      }
      expect((await send(session, 'POST')).status).toBe(200);
    },
  );

  it('counts for nothing in the path or in a cookie', async () => {
    const session = await sessionFor(app.url, await token());
    const without = { ...(await token()), 'mcp-session-id': undefined };

    const inPath = await send(as({ ...session, url: `${app.url}/${session.id}` }, without), 'DELETE');
    const inCookie = await send(as(session, { ...without, cookie: `mcp-session-id=${session.id}` }), 'DELETE');

    expect([inPath.status, inCookie.status]).toEqual([404, 400]);
    expect((await send(session, 'POST')).status).toBe(200);
  });

  it('that is given twice is refused, with no session touched', async () => {
    const session = await sessionFor(app.url, await token());
    const { authorization } = await token();
    const ids = [`Mcp-Session-Id: ${session.id}`, `mcp-session-id: ${session.id}`];

    const [answer] = await exchange(
      app.port,
      head('DELETE /mcp HTTP/1.1', 'Host: localhost', 'Connection: close', `Authorization: ${authorization}`, ...ids),
    );

    expect(answer?.status).toBe(400);
    expect((await send(session, 'POST')).status).toBe(200);
  });
});

const REFUSED = errorFrame(
  2,
  -32602,
  'The request state is not valid for this request. Repeat the request without requestState.',
);
const TRANSFER = { name: 'transfer', arguments: { to: 'bob', cents: 100 } };
const inputResponses = { elicitation_1: { action: 'accept', content: { agreed: true } } };

function ask(headers: { authorization: string }, params: Json, method = 'tools/call'): Promise<Response> {
  return statelessRequest(app.url, method, params, { id: 2, headers, meta: { [CAPABILITIES]: ELICITS } });
}

/** A transfer that waits for consent; `retry` gives it, unless it is told something else. */
async function suspended() {
  const { result } = await responseOf(await ask(await token(), TRANSFER));
  const { requestState } = result as { requestState: string };
  return {
    requestState,
    body: { result: textResult('100 to bob') },
    retry: async (headers: { authorization: string }, params: Json = TRANSFER, method?: string) =>
      responseOf(await ask(headers, { requestState, inputResponses, ...params }, method)),
  };
}

describe('sealed request state', () => {
  it('goes on under a refreshed token, and says nothing of what it holds', async () => {
    const { requestState, body, retry } = await suspended();

    expect(await retry(await token({ ...ALICE, scope: 'more' }))).toMatchObject(body);
    const [, ...parts] = requestState.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    expect(parts.join()).not.toMatch(/alice|acme|bob|transfer/);
  });

  it.each<[string, string, Json]>([
    ['another tool', 'tools/call', { ...TRANSFER, name: 'withdraw' }],
    ['another amount', 'tools/call', { ...TRANSFER, arguments: { to: 'bob', cents: 1_000_000 } }],
    ['another receiver', 'tools/call', { ...TRANSFER, arguments: { to: 'mallory', cents: 100 } }],
    ['a prompt of the same name', 'prompts/get', { name: 'transfer', arguments: { to: 'bob' } }],
  ])('is good for no %s', async (_what, method, params) => {
    const { retry } = await suspended();

    expect(await retry(await token(), params, method)).toEqual(REFUSED);
    expect(bank().runs).toBe(1);
  });

  it('is no good when one character of it has changed, wherever that is', async () => {
    const { requestState, retry } = await suspended();
    // The last character of a part has bits that stand for nothing.
    const places = [...requestState].flatMap((char, at) =>
      char !== '.' && at % 11 === 0 && /^[\w-]/.test(requestState.slice(at + 1)) ? [at] : [],
    );

    for (const at of places) {
      const other = requestState[at] === 'Q' ? 'R' : 'Q';
      const altered = requestState.slice(0, at) + other + requestState.slice(at + 1);
      expect(await retry(await token(), { ...TRANSFER, requestState: altered })).toEqual(REFUSED);
    }
    expect(bank().runs).toBe(1);
  });

  it('is no good on another server, and no token is one', async () => {
    const { retry } = await suspended();
    const { authorization } = await token();
    await using other = await GuardedApp.start({ providers: [Bank], trust: { tenantClaim: 'tenant' } });
    const theirs = await responseOf(
      await statelessRequest(other.url, 'tools/call', TRANSFER, {
        headers: await other.bearer(ALICE),
        meta: { [CAPABILITIES]: ELICITS },
      }),
    );
    const { requestState } = theirs['result'] as { requestState: string };

    expect(await retry({ authorization }, { ...TRANSFER, requestState })).toEqual(REFUSED);
    expect(await retry({ authorization }, { ...TRANSFER, requestState: authorization.slice(7) })).toEqual(REFUSED);
  });

  it('is no good when ten minutes are over', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      await using other = await GuardedApp.start({ providers: [Bank], trust: { tenantClaim: 'tenant' } });
      const headers = await other.bearer({ ...ALICE, exp: Math.floor(Date.now() / 1_000) + 3_600 });
      const send = (params: Json): Promise<Response> =>
        statelessRequest(other.url, 'tools/call', params, { id: 2, headers, meta: { [CAPABILITIES]: ELICITS } });
      const { result } = await responseOf(await send(TRANSFER));
      vi.setSystemTime(Date.now() + 600_001);

      const late = await responseOf(await send({ ...TRANSFER, ...(result as Json), inputResponses }));

      expect(late).toEqual(REFUSED);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a stream whose token has expired', () => {
  /** Believes that it is Alice, and until when her token lasts. */
  const byHeader: Authenticator = {
    authenticate: ({ headers }) => ({
      ...ANONYMOUS,
      issuer: 'test',
      subject: 'alice',
      expiresAt: Number(headers['x-expires-at']),
    }),
  };
  const lasting = (): { 'x-expires-at': string } => ({ 'x-expires-at': String(Date.now() + 3_600_000) });
  /** Accepted for a moment more: it ended 60 seconds ago, which is what clocks may differ by. */
  const ending = (): { 'x-expires-at': string } => ({ 'x-expires-at': String(Date.now() - 60_000 + 100) });
  const boot = (): Promise<SessionApp> => SessionApp.boot([Bank], { authenticator: byHeader });

  it('ends in good order, and goes on with a new one without loss', async () => {
    await using server = await boot();
    const session = await sessionFor(server.url, lasting());
    await session.request('resources/subscribe', { uri: 'accounts://alice' });
    const stream = await EventStream.listen(as(session, ending()));

    const told = await stream.messages();
    await server.get(McpRegistry).resourceUpdated('accounts://alice');
    const next = await EventStream.listen(as(session, lasting()), stream.lastEventId);

    expect(told).toEqual([]);
    expect(stream.events.at(-1)).toMatchObject({ retry: expect.stringMatching(/^\d+$/), data: '' });
    expect(await next.message()).toEqual(updated('accounts://alice'));
  });

  it('ends in good order when it resumes an answer, which goes on with a new one', async () => {
    await using server = await boot();
    const session = await sessionFor(server.url, lasting());
    const first = await counting(session, 2);
    await first.next();
    await first.message();
    first.cut();

    const resumed = await EventStream.listen(as(session, ending()), first.lastEventId);
    const told = await resumed.messages();
    server.get(Bank).gate.open();
    const next = await EventStream.listen(session, resumed.lastEventId || first.lastEventId);

    expect(resumed.events.at(-1)).toMatchObject({ retry: expect.stringMatching(/^\d+$/), data: '' });
    expect([...told, ...(await next.messages())]).toEqual([
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'count', progress: 2 } },
      resultFrame('count', textResult('counted to 2, undisturbed')),
    ]);
  });

  it('ends with its result when it is one of subscriptions/listen', async () => {
    await using server = await boot();
    const listen = (headers: Record<string, string>): Promise<EventStream> =>
      EventStream.open((signal) =>
        statelessRequest(
          server.url,
          'subscriptions/listen',
          { notifications: { resourceSubscriptions: ['accounts://alice'] } },
          { id: 'sub', headers, signal },
        ),
      );

    const told = await (await listen(ending())).messages();
    const next = await listen(lasting());
    await next.message();
    await server.get(McpRegistry).resourceUpdated('accounts://alice');

    expect(told).toMatchObject([
      { method: 'notifications/subscriptions/acknowledged' },
      { id: 'sub', result: { resultType: 'complete' } },
    ]);
    expect(await next.message()).toMatchObject(updated('accounts://alice'));
  });
});
