import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifyAudit } from '../../../src/mcp/audit/verify-audit.js';
import { TEST_PRINCIPAL_HEADER } from '../../../src/mcp/testing/test-principal.js';
import { auditLines } from '../../support/audit/audit-events.js';
import { eventually } from '../../support/eventually.js';
import { type Json, statelessRequest } from '../../support/wire.js';
import { Caller, ERAS, type Era, slotsOf } from '../limits/caller.js';
import { ADA, AuditedApp } from './audited-app.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
const ORDER = { orderId: 7, card: 'SECRET card' };
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

const ada = ({ url }: AuditedApp, era: Era, more: object = {}): Promise<Caller> =>
  Caller.open(url, { era, principal: ADA, ...more });

/** One entry for a request, and what it says. */
interface Row {
  readonly what: string;
  readonly request: readonly [method: string, params?: Json];
  readonly entry: Json;
}

const call = (name: string, args: Json = {}): Row['request'] => ['tools/call', { name, arguments: args }];
const tool = (name: string): Json => ({ kind: 'tool', name });
const CITY = { ref: { type: 'ref/prompt', name: 'travel' }, argument: { name: 'city', value: 'SECRET' } };

const ROWS: readonly Row[] = [
  ...['tools', 'resources', 'resources/templates', 'prompts'].map((list): Row => ({
    what: `a list of ${list}`,
    request: [`${list}/list`],
    entry: { primitive: null, argsDigest: null, decision: 'allow', outcome: 'ok' },
  })),
  {
    what: 'a call',
    request: call('refund', ORDER),
    entry: { primitive: tool('refund'), decision: 'allow', rule: 'open', outcome: 'ok', code: null },
  },
  {
    what: 'a call that fails in a way the model is told of',
    request: call('told'),
    entry: { primitive: tool('told'), decision: 'allow', outcome: 'tool_error', code: null },
  },
  {
    what: 'a call that throws',
    request: call('broken'),
    entry: { primitive: tool('broken'), decision: 'allow', outcome: 'error', code: -32603 },
  },
  {
    what: 'a call that answers with an error',
    request: call('forbidding'),
    entry: { primitive: tool('forbidding'), decision: 'allow', outcome: 'error', code: -32602 },
  },
  {
    what: 'a call with arguments that are wrong',
    request: call('refund', { orderId: 7, card: { number: 'SECRET' } }),
    entry: { primitive: tool('refund'), decision: 'allow', outcome: 'tool_error' },
  },
  {
    what: 'a call that takes too long',
    request: call('slow'),
    entry: { primitive: tool('slow'), decision: 'allow', outcome: 'tool_error' },
  },
  {
    what: 'a request without what it must have',
    request: ['tools/call', { arguments: {} }],
    entry: { primitive: null, decision: 'allow', outcome: 'error', code: -32602 },
  },
  {
    what: 'a resource that is read',
    request: ['resources/read', { uri: 'rates://today' }],
    entry: { primitive: { kind: 'resource', name: 'rates://today' }, outcome: 'ok' },
  },
  {
    what: 'a resource of a template that is read, by the template',
    request: ['resources/read', { uri: 'orders://SECRET' }],
    entry: { primitive: { kind: 'template', name: 'orders://{id}' }, outcome: 'ok' },
  },
  {
    what: 'a resource that is not there',
    request: ['resources/read', { uri: 'SECRET://1' }],
    entry: { primitive: null, decision: 'deny', rule: 'unknown', outcome: 'refused' },
  },
  {
    what: 'a prompt',
    request: ['prompts/get', { name: 'travel', arguments: { city: 'SECRET' } }],
    entry: { primitive: { kind: 'prompt', name: 'travel' }, outcome: 'ok' },
  },
  {
    what: 'a completion',
    request: ['completion/complete', CITY],
    entry: { primitive: { kind: 'completion', name: expect.stringContaining('travel') as unknown }, outcome: 'ok' },
  },
  {
    what: 'a tool that is not there',
    request: call('SECRET', { word: 'SECRET' }),
    entry: {
      primitive: null,
      argsDigest: sha256('{"word":"SECRET"}'),
      decision: 'deny',
      rule: 'unknown',
      outcome: 'refused',
      code: -32602,
    },
  },
  {
    what: 'a tool that the caller may not know of',
    request: call('hidden'),
    entry: { primitive: tool('hidden'), decision: 'deny', rule: 'roles:admin', outcome: 'refused', code: -32602 },
  },
  {
    what: 'a tool for which a scope is missing',
    request: call('scoped'),
    entry: { primitive: tool('scoped'), decision: 'deny', rule: 'scopes:pay', outcome: 'refused', code: 403 },
  },
  {
    what: 'a tool that a policy refuses',
    request: call('policed'),
    entry: { primitive: tool('policed'), decision: 'deny', rule: 'policy:NotNow', outcome: 'refused', code: 403 },
  },
  {
    what: 'a method that is not there',
    request: ['no/such'],
    entry: { method: 'no/such', primitive: null, decision: 'deny', rule: 'unknown', outcome: 'refused', code: -32601 },
  },
];

const SESSION_ROWS: readonly Row[] = [
  { what: 'a ping', request: ['ping'], entry: { outcome: 'ok' } },
  { what: 'a level that is set', request: ['logging/setLevel', { level: 'info' }], entry: { outcome: 'ok' } },
  { what: 'a subscription', request: ['resources/subscribe', { uri: 'orders://SECRET' }], entry: { outcome: 'ok' } },
  {
    what: 'a subscription to what is not there',
    request: ['resources/subscribe', { uri: 'SECRET://1' }],
    entry: { decision: 'deny', rule: 'unknown', outcome: 'refused', code: -32002 },
  },
  {
    what: 'the end of a subscription',
    request: ['resources/unsubscribe', { uri: 'orders://SECRET' }],
    entry: { outcome: 'ok' },
  },
];

describe.each(ERAS)('the audit in the %s era', (era) => {
  it.each(ROWS)('has one entry for $what', async ({ request, entry }) => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, era);
    const entries = await server.during(async () => (await caller.request(...request)).text());

    expect(entries).toEqual([expect.objectContaining({ ...IDENTITY, era, method: request[0], ...entry })]);
  });

  it('says who did what, when, where, and with what end', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, era);
    const headers = { traceparent };
    const [entry] = await server.during(async () => (await caller.call('refund', ORDER, { headers })).text());

    expect(entry).toEqual({
      ...{ v: 1, type: 'operation', chain: expect.any(String), seq: expect.any(Number), replica: 'r1' },
      ...{ at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/), ...IDENTITY, era },
      ...{ method: 'tools/call', primitive: tool('refund'), argsDigest: sha256('{"card":"SECRET card","orderId":7}') },
      ...{ fields: { orderId: 7 }, decision: 'allow', rule: 'open', outcome: 'ok', code: null },
      ...{ latencyMs: expect.any(Number), traceId: TRACE, prev: expect.any(String), hash: expect.any(String) },
    });
    expect(entry?.['latencyMs']).toBeGreaterThan(0);
  });

  it('has the trace of the message rather than the one of the headers', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, era);
    const options = { meta: { traceparent }, headers: { traceparent: traceparent.replace(TRACE, 'a'.repeat(32)) } };
    const entries = await server.during(async () => (await caller.request('tools/list', {}, options)).text());

    expect(entries).toMatchObject([{ traceId: TRACE }]);
  });

  it('has one entry for a call that is cancelled', async () => {
    const server = await AuditedApp.boot();
    const running = server.app.client({ era, principal: ADA }).call('waits');
    running.catch(() => undefined);
    await eventually(() => expect(server.ledger.waiting).toBe(1));
    const entries = await server.during(() => running.cancel('SECRET reason'));

    expect(entries).toMatchObject([{ primitive: tool('waits'), decision: 'allow', outcome: 'cancelled', code: null }]);
  });

  it('has one entry for a call that is too often', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, era);
    const entries = await server.during(() => caller.statuses(2, 'rare'), 2);

    expect(entries).toMatchObject([
      { primitive: tool('rare'), decision: 'allow', outcome: 'ok' },
      { primitive: tool('rare'), decision: 'limit', rule: 'rate:tool', outcome: 'refused', code: 429 },
    ]);
  });

  it('has one entry for a call that is too much at once', async () => {
    const server = await AuditedApp.boot();
    const running = server.app.client({ era, principal: ADA }).call('narrow');
    running.catch(() => undefined);
    await eventually(() => expect(server.ledger.waiting).toBe(1));
    const caller = await ada(server, era);

    expect(await server.during(() => caller.statuses(1, 'narrow'))).toMatchObject([
      { primitive: tool('narrow'), decision: 'limit', rule: 'concurrency:tool', outcome: 'refused', code: 429 },
    ]);
    await running.cancel();
  });

  it('has one entry for a call that is cancelled while it waits for its turn', async () => {
    const server = await AuditedApp.boot();
    const [first, second] = [1, 2].map(() => server.app.client({ era, principal: ADA }).call('queued'));
    for (const call of [first, second]) call?.catch(() => undefined);
    await eventually(() => expect([server.ledger.waiting, slotsOf(server.app).waiting]).toEqual([1, 1]));
    const waiting = server.operations.length;
    const entries = await server.during(async () => {
      await Promise.all([first?.cancel(), second?.cancel()]);
    }, 2);

    expect(waiting).toBe(era === 'session' ? 2 : 0);
    expect(entries).toMatchObject(
      [1, 2].map(() => ({ primitive: tool('queued'), decision: 'allow', outcome: 'cancelled' })),
    );
  });

  it('has one entry for each limit of a principal that refuses a list', async () => {
    const server = await AuditedApp.boot({}, { limits: { principal: { perHour: 1 } } });
    const caller = await ada(server, era);
    if (era === 'stateless') await (await caller.request('tools/list')).text();

    expect(await server.during(async () => (await caller.request('tools/list')).text())).toMatchObject([
      { method: 'tools/list', primitive: null, decision: 'limit', rule: 'rate:principal', code: 429 },
    ]);
  });

  it('has one entry for each round of a call that asks', async () => {
    const server = await AuditedApp.boot();
    const client = server.app.client({ era, principal: ADA }).onElicit(() => ({ word: 'SECRET' }));
    await client.listTools();
    const rounds = era === 'stateless' ? 2 : 1;
    const entries = await server.during(() => client.call('asks'), rounds);

    expect(entries.map(({ primitive, outcome }) => [primitive, outcome])).toEqual(
      Array.from({ length: rounds }, () => [tool('asks'), 'ok']),
    );
  });

  it('has one entry for a caller who could not be told', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, era);
    const headers = { [TEST_PRINCIPAL_HEADER]: 'SECRET', authorization: 'Bearer SECRET', traceparent };
    const entries = await server.during(async () => (await caller.call('refund', ORDER, { headers })).text());

    expect(entries).toEqual([
      expect.objectContaining({
        ...{ issuer: null, subject: null, client: null, tenant: null, era: null, method: 'POST', primitive: null },
        ...{ decision: 'deny', rule: 'authentication', outcome: 'refused', code: 401, traceId: TRACE },
      }),
    ]);
    expect(server.sink.lines.join()).not.toContain('SECRET');
  });

  it('names those who have no name', async () => {
    const server = await AuditedApp.boot();
    const stranger = await Caller.open(server.url, { era });

    expect(await server.during(() => stranger.statuses(1, 'told'))).toMatchObject([
      { issuer: 'anonymous', subject: 'anonymous', client: null, tenant: null },
    ]);
  });

  it('holds no argument, result, token or id of a session, but what was opted in', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, era);
    const headers = { authorization: 'Bearer SECRET', cookie: 'SECRET', 'x-api-key': 'SECRET', baggage: 'SECRET=1' };
    const rows = [...ROWS, ...(era === 'session' ? SESSION_ROWS : [])];
    for (const { request } of rows) {
      await (await caller.request(...request, { id: 'SECRET', headers, meta: { other: 'SECRET' } })).text();
    }
    const lines = server.sink.lines.join('\n');

    expect(server.operations).toHaveLength(era === 'session' ? rows.length + 1 : rows.length);
    expect(lines).not.toContain('SECRET');
    expect(lines).not.toContain(caller.headers['mcp-session-id'] ?? 'SECRET');
    const fields = server.operations.filter((entry) => 'fields' in entry).map((entry) => entry['fields']);
    expect(fields).toEqual([{ orderId: 7 }, { orderId: 7 }]);
  });

  it('is a log that verifies', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, era);
    await Promise.all(ROWS.map(async ({ request }, id) => (await caller.request(...request, { id })).text()));
    await server.app.close();

    const report = await verifyAudit(auditLines(server.sink.lines), { ended: true });
    expect([report.findings, report.chains, report.lost]).toEqual([[], 1, 0]);
    expect(server.sink.closed).toBe(true);
  });
});

const IDENTITY = { issuer: 'https://id.example', subject: 'ada', client: 'desk', tenant: 'acme', replica: 'r1' };

describe('what is audited in the stateless era alone', () => {
  it('is server/discover', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, 'stateless');
    const entries = await server.during(async () => (await caller.request('server/discover')).text());

    expect(entries).toMatchObject([{ ...IDENTITY, era: 'stateless', method: 'server/discover', outcome: 'ok' }]);
  });

  it('is subscriptions/listen, when it is opened and when it is refused', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, 'stateless');
    const controller = new AbortController();
    const listen = (notifications: unknown) =>
      caller.request('subscriptions/listen', { notifications }, { signal: controller.signal });
    const entries = await server.during(async () => {
      await listen({ resourceSubscriptions: ['orders://SECRET'] });
      await (await listen('wrong')).text();
    }, 2);
    controller.abort();

    expect(entries).toMatchObject([
      { ...IDENTITY, era: 'stateless', method: 'subscriptions/listen', decision: 'allow', outcome: 'ok' },
      { method: 'subscriptions/listen', decision: 'allow', outcome: 'error', code: -32602 },
    ]);
    expect(server.sink.lines.join()).not.toContain('SECRET');
  });
});

describe('what is audited in the session era alone', () => {
  it.each(SESSION_ROWS)('is $what', async ({ request, entry }) => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, 'session');
    const entries = await server.during(async () => (await caller.request(...request)).text());

    expect(entries).toEqual([expect.objectContaining({ ...IDENTITY, era: 'session', method: request[0], ...entry })]);
  });

  it('is initialize, also when it is refused', async () => {
    const server = await AuditedApp.boot();
    const entries = await server.during(async () => {
      const caller = await ada(server, 'session');
      await (await caller.post({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} })).text();
    }, 2);

    expect(entries).toMatchObject([
      { ...IDENTITY, era: 'session', method: 'initialize', decision: 'allow', outcome: 'ok' },
      { ...IDENTITY, era: 'session', method: 'initialize', decision: 'allow', outcome: 'error', code: -32602 },
    ]);
  });

  it('is the stream of changes, and the end of the session', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, 'session');
    const entries = await server.during(async () => {
      await caller.send('GET');
      await caller.send('DELETE');
    }, 2);

    expect(entries).toMatchObject([
      { ...IDENTITY, era: 'session', method: 'GET', decision: 'allow', outcome: 'ok' },
      { ...IDENTITY, era: 'session', method: 'DELETE', decision: 'allow', outcome: 'ok' },
    ]);
  });

  it('is an answer that is resumed', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, 'session');
    const answer = await (await caller.call('steps', {}, { meta: { progressToken: 1 } })).text();
    const eventId = /^id: (.+)$/m.exec(answer)?.[1] ?? '';
    const entries = await server.during(async () => (await caller.send('GET', { 'last-event-id': eventId })).text());

    expect(eventId).not.toBe('');
    expect(entries).toMatchObject([{ ...IDENTITY, era: 'session', method: 'GET', outcome: 'ok' }]);
    expect(server.sink.lines.join()).not.toContain(eventId);
  });

  it.each(['GET', 'DELETE'] as const)('is a %s of the session of somebody else', async (method) => {
    const server = await AuditedApp.boot();
    const { headers } = await ada(server, 'session');
    const eve = await Caller.open(server.url, { era: 'stateless', principal: { subject: 'eve' } });
    const entries = await server.during(async () => (await eve.send(method, { ...headers, ...eve.headers })).text());

    expect(entries).toMatchObject([
      { subject: 'eve', method, decision: 'deny', rule: 'session_not_found', outcome: 'refused', code: 404 },
    ]);
  });

  it('is each request of a batch', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, 'session', { revision: '2025-03-26' });
    const message = (id: number, method: string, params: Json = {}): Json => ({ jsonrpc: '2.0', id, method, params });
    const batch = [
      message(1, 'ping'),
      message(2, 'tools/list'),
      message(3, 'tools/call', { name: 'refund', arguments: ORDER }),
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } },
    ];
    const entries = await server.during(async () => (await caller.post(batch)).text(), 3);

    expect(entries.map(({ method }) => method).sort()).toEqual(['ping', 'tools/call', 'tools/list']);
  });
});

it('nothing is recorded of what is no operation: health, wrong bodies, notifications', async () => {
  const server = await AuditedApp.boot();
  const caller = await ada(server, 'session');
  const entries = await server.during(async () => {
    await (await caller.post('no message')).text();
    await (await caller.post({ jsonrpc: '2.0', method: 'notifications/initialized' })).text();
    await (await statelessRequest(server.url, 'tools/list', {}, { headers: { 'mcp-method': 'other' } })).text();
  }, 0);

  expect(entries).toEqual([]);
});
