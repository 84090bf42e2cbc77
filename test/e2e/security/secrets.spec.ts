import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { type CanActivate, type ExecutionContext, Injectable, type LoggerService, UseGuards } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { z } from 'zod';
import {
  type AccessPolicy,
  type AccessRequest,
  type Authenticator,
  type CompletionInput,
  CurrentCall,
  McpCall,
  McpCompletion,
  McpHealthModule,
  McpPrompt,
  McpRegistry,
  McpResource,
  McpTool,
  RequirePolicy,
} from '../../../src/index.js';
import { MemorySink } from '../../support/audit/memory-sink.js';
import { eventually } from '../../support/eventually.js';
import { TEST_CLIENT } from '../../support/oauth/test-issuer.js';
import { RedisMonitor } from '../../support/redis/redis-monitor.js';
import { type Json, post, responseOf, statelessRequest } from '../../support/wire.js';
import { JSON_HEADERS, exchange, expectNoTrace, head, postBytes } from '../robustness/raw.js';
import { EventStream, SessionApp } from '../session/session-app.js';
import { BrokenParts, BrokenPolicy, FAILURES, SECRET } from './broken-parts.js';
import { GuardedApp, KNOCKS, as, bearer, sessionFor } from './guarded-app.js';

type Send = (method: string, params: Json, headers?: Record<string, string>) => Promise<Response>;

/** How requests of a caller are sent in each era. */
const ERAS = [
  {
    era: 'stateless',
    open: async (url: string, headers: Record<string, string>): Promise<Send> => {
      return (method, params, more) => {
        const { _meta: meta = {}, ...rest } = params;
        return statelessRequest(url, method, rest, { headers: { ...headers, ...more }, meta: meta as Json });
      };
    },
  },
  {
    era: 'session',
    open: async (url: string, headers: Record<string, string>): Promise<Send> => {
      const session = await sessionFor(url, headers);
      return (method, params, more) => session.post({ jsonrpc: '2.0', id: randomUUID(), method, params }, more);
    },
  },
];

/** All that came over the wire. */
async function wholeOf(response: Response): Promise<string> {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  return [response.statusText, ...headers, await response.text()].join('\n');
}

function expectSilent(text: string): void {
  for (const part of [SECRET, 'hunter2', 'db.internal']) expect(text).not.toContain(part);
  expectNoTrace(text);
}

/** The lines of a text that hold what they must not. */
function foundIn(text: string, hidden: readonly string[]): string[] {
  return text.split('\n').filter((line) => hidden.some((each) => line.includes(each)));
}

/** Keeps all that Nest is told to log. */
class LogBook implements LoggerService {
  readonly lines: string[] = [];
  readonly log = (...told: unknown[]): void => this.keep(told);
  readonly warn = this.log;
  readonly error = this.log;
  readonly debug = this.log;
  readonly verbose = this.log;
  readonly fatal = this.log;

  get text(): string {
    return this.lines.join('\n');
  }

  private keep(told: unknown[]): void {
    this.lines.push(told.map((each) => (typeof each === 'string' ? each : inspect(each, { depth: 10 }))).join(' '));
  }
}

describe.each(ERAS)('what fails in the $era era', ({ open }) => {
  let app: GuardedApp;
  let send: Send;
  beforeAll(async () => {
    app = await GuardedApp.start({ providers: [BrokenParts, BrokenPolicy] });
    send = await open(app.url, await app.bearer());
  });
  afterAll(() => app?.[Symbol.asyncDispose]());

  it.each(FAILURES)('keeps its secret: %s', async (_what, method, params) => {
    const response = await send(method, params);
    const text = await wholeOf(response);

    expect(text).toMatch(/"error":|"isError":true/);
    expectSilent(text);
  });

  it.each(['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list'])(
    'keeps its secret in %s',
    async (method) => {
      const text = await wholeOf(await send(method, {}));

      expect(text).toContain('"result":');
      expect(text).not.toContain('policedFromView');
      expectSilent(text);
    },
  );

  it('is told by an id that the log knows as well', async () => {
    const log = new LogBook();
    await using logged = await GuardedApp.start({ providers: [BrokenParts, BrokenPolicy], logger: log });
    const { error } = await responseOf(
      await (
        await open(logged.url, await logged.bearer())
      )('tools/call', { name: 'fail', arguments: { how: 'error' } }),
    );

    const { errorId } = (error as { data: { errorId: string } }).data;
    expect(error).toEqual({ code: -32603, message: `Internal error. Reference: ${errorId}`, data: { errorId } });
    expect(log.text).toContain(errorId);
  });
});

describe('what fails in a batch', () => {
  it('keeps its secret', async () => {
    await using app = await GuardedApp.start({ providers: [BrokenParts, BrokenPolicy] });
    const headers = await app.bearer();
    const session = as({ ...(await sessionFor(app.url, headers, {}, '2025-03-26')) }, headers);
    const batch = FAILURES.map(([, method, params], id) => ({ jsonrpc: '2.0', id, method, params }));

    const text = await wholeOf(await session.post(batch));

    expect(text.match(/"error":|"isError":true/g)?.length).toBe(batch.length);
    expectSilent(text);
  });
});

describe('a policy that fails', () => {
  it.each(ERAS)('keeps its secret from those who listen to changes in the $era era', async ({ era }) => {
    await using app = await GuardedApp.start({ providers: [BrokenParts, BrokenPolicy] });
    const headers = await app.bearer();
    const uris = ['broken://fixed'];
    const listen = async (): Promise<EventStream> => {
      if (era === 'stateless') {
        return EventStream.open((signal) =>
          statelessRequest(
            app.url,
            'subscriptions/listen',
            { notifications: { resourceSubscriptions: uris, toolsListChanged: true } },
            { headers, signal },
          ),
        );
      }
      const session = await sessionFor(app.url, headers);
      for (const uri of uris) await session.request('resources/subscribe', { uri });
      return EventStream.listen(session);
    };
    const stream = await listen();
    await stream.next();
    app.get(McpRegistry).addTool({ name: 'fresh', handler: () => 'fresh' });
    for (const uri of uris) await app.get(McpRegistry).resourceUpdated(uri);

    for (let told = ''; !told.includes('broken://fixed');) told = JSON.stringify(await stream.message());
    stream.cut();

    expectSilent(JSON.stringify(stream.events));
  });
});

describe.each(KNOCKS)('an authenticator that fails in the $era era', ({ knock }) => {
  class Failing implements Authenticator {
    constructor(private readonly error: unknown) {}
    authenticate(): never {
      throw this.error;
    }
  }

  it.each([
    ['an error', new Error(SECRET)],
    ['a text', SECRET],
    ['an error with a status', Object.assign(new Error(SECRET), { status: 418, statusCode: 418 })],
    ['an error with headers', Object.assign(new Error(SECRET), { headers: { 'x-secret': SECRET } })],
    ['an error with a cause', new Error('failed', { cause: SECRET })],
  ])('by %s keeps its secret', async (_what, error) => {
    await using app = await SessionApp.boot([], { authenticator: new Failing(error) });

    for (const response of [
      await knock(app.url),
      await fetch(app.url, { headers: { accept: 'text/event-stream' } }),
      await fetch(app.url, { method: 'DELETE' }),
    ]) {
      expect(response.status).toBe(500);
      const text = await wholeOf(response);
      expect(text).toContain('{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error."}}');
      expectSilent(text);
    }
  });
});

describe('what is no request', () => {
  let app: GuardedApp;
  let authorization: string;
  beforeAll(async () => {
    app = await GuardedApp.start();
    ({ authorization } = await app.bearer());
  });
  afterAll(() => app?.[Symbol.asyncDispose]());

  it.each(['PUT', 'PATCH', 'HEAD'])('is answered without a trace: %s', async (method) => {
    const response = await fetch(app.url, { method, headers: { authorization } });

    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE']);
    expectNoTrace(await wholeOf(response));
  });

  it.each(['TRACE', 'CONNECT', 'PROPFIND', 'PURGE', 'SEARCH', 'FOO'])(
    'sends nothing of it back: %s',
    async (method) => {
      const lines = [
        `${method} /mcp HTTP/1.1`,
        'Host: localhost',
        'Connection: close',
        `Authorization: ${authorization}`,
      ];
      const text = (await exchange(app.port, head(...lines)))
        .map(({ body, headers }) => body + inspect(headers))
        .join();

      expect(text).not.toContain(authorization.slice(7));
      expectNoTrace(text);
    },
  );

  it.each([
    '{',
    '{"a":}',
    '"text"',
    'null',
    '[]',
    '\u0000',
    '{"__proto__":{"a":1}}',
    '{"constructor":{"prototype":{}}}',
    '{"jsonrpc":"2.0","id":{},"method":"x"}',
    `{"jsonrpc":"2.0","id":1,"method":"${'x'.repeat(10_000)}"}`,
  ])('is answered without a trace: %s', async (body) => {
    const response = await post(app.url, body, { authorization });

    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expectNoTrace(await wholeOf(response));
  });

  it('is answered without a trace when its content length is a lie', async () => {
    const bytes = postBytes('{', [...JSON_HEADERS, `Authorization: ${authorization}`]).toString();
    const [answer] = await exchange(app.port, bytes.replace('Content-Length: 1', 'Content-Length: x'));

    expect(answer?.status).toBe(400);
    expectNoTrace(answer?.body ?? '');
  });
});

/** What handlers and everything around them were given. */
const seen: unknown[] = [];

class Looking implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    seen.push(context.getArgs(), context.switchToHttp().getRequest());
    return true;
  }
}

@Injectable()
class LookingPolicy implements AccessPolicy {
  allows(request: AccessRequest): boolean {
    seen.push(request);
    return true;
  }
}

const Note = z.object({ text: z.string() });

@Injectable()
@UseGuards(Looking)
@RequirePolicy(LookingPolicy)
class LookingParts {
  constructor(private readonly current: CurrentCall) {}

  @McpTool({ input: Note })
  note({ text }: z.infer<typeof Note>, call: McpCall): string {
    seen.push(call, this.current.get(), call.principal, { ...call.headers });
    return text.toUpperCase();
  }

  @McpResource('notes://{text}')
  read(_variables: { text: string }, call: McpCall): string {
    seen.push(call, { ...call.headers });
    return 'a note';
  }

  @McpPrompt({ input: Note })
  explain(_input: z.infer<typeof Note>, call: McpCall): string {
    seen.push(call, { ...call.headers });
    return 'Explain it.';
  }

  @McpCompletion({ prompt: 'explain', argument: 'text' })
  complete(input: CompletionInput, call: McpCall): string[] {
    seen.push(input, call, { ...call.headers });
    return [];
  }
}

/** One request to each of them. @param text an argument */
function everything(text: string): [method: string, params: Json][] {
  return [
    ['tools/call', { name: 'note', arguments: { text } }],
    ['resources/read', { uri: `notes://${text}` }],
    ['prompts/get', { name: 'explain', arguments: { text } }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'explain' }, argument: { name: 'text', value: text } }],
  ];
}

const PARTS = [LookingParts, LookingPolicy];

describe.each(ERAS)('handlers in the $era era', ({ open }) => {
  afterEach(() => void seen.splice(0));

  it('find the token nowhere, nor what else could be taken for it', async () => {
    await using app = await GuardedApp.start({ providers: PARTS });
    const { authorization } = await app.bearer();
    const others = { cookie: 'sid=the-cookie', 'proxy-authorization': 'Basic dGhlLXByb3h5' };
    const send = await open(app.url, { authorization });

    for (const [method, params] of everything('hello')) {
      expect(await responseOf(await send(method, params, { ...others, 'x-request-id': 'kept' }))).toHaveProperty(
        'result',
      );
    }

    const found = inspect(seen, { depth: 12, showHidden: true, maxArrayLength: null, maxStringLength: null });
    expect(found).toContain("'x-request-id': 'kept'");
    expect(found).toContain("subject: 'alice'");
    for (const part of [...authorization.slice(7).split('.').slice(1), 'the-cookie', 'dGhlLXByb3h5']) {
      expect(found).not.toContain(part);
    }
    expect(found).not.toMatch(/'?(proxy-)?authorization'?:|'?cookie'?:/);
  });

  it('find no opaque token either', async () => {
    await using app = await GuardedApp.start({ providers: PARTS, trust: { introspection: TEST_CLIENT } });
    const token = app.issuer.opaqueToken();
    const send = await open(app.url, bearer(token));

    for (const [method, params] of everything('hello')) await send(method, params);

    expect(seen.length).toBeGreaterThan(4);
    expect(inspect(seen, { depth: 12, showHidden: true, maxStringLength: null })).not.toContain(token);
  });

  it('have no token sent anywhere on their behalf', async () => {
    const sent = vi.spyOn(globalThis, 'fetch');
    await using app = await GuardedApp.start({ providers: PARTS });
    const { authorization } = await app.bearer();
    const send = await open(app.url, { authorization });
    for (const [method, params] of everything('hello')) await send(method, params);

    // Whoever calls fetch here gives a text.
    const away = sent.mock.calls.filter(([to]) => !(to as string).startsWith(app.url));
    sent.mockRestore();

    expect(away.map(([to]) => new URL(to as string).pathname)).toEqual([
      '/.well-known/oauth-authorization-server',
      '/jwks',
    ]);
    expect(inspect(away, { depth: 6, maxStringLength: null })).not.toContain(authorization.slice(7));
  });
});

describe.each(ERAS)('a whole run in the $era era', ({ era, open }) => {
  afterEach(() => void seen.splice(0));

  const ARGUMENT = 'my-private-argument';

  /** All that can be done, right and wrong. @returns what must not be found afterwards */
  async function run(app: GuardedApp): Promise<{ hidden: string[]; sessionId: string }> {
    const good = (await app.bearer()).authorization.slice(7);
    const opaque = app.issuer.opaqueToken();
    const bad = [
      await app.issuer.token({ exp: 1 }),
      await app.issuer.token({ aud: 'https://other.example' }),
      await app.issuer.token({}, { kid: 'unknown' }),
      await app.issuer.token({}, { alg: 'none' }),
      `${good.slice(0, -4)}AAAA`,
      'no-such-opaque-token',
    ];
    for (const token of [good, opaque]) {
      const send = await open(app.url, bearer(token));
      for (const [method, params] of everything(ARGUMENT)) await (await send(method, params)).text();
      for (const [, method, params] of FAILURES) await (await send(method, params)).text();
      await (await send('tools/call', { name: 'note', arguments: { text: 7, [ARGUMENT]: ARGUMENT } })).text();
      await (await send('tools/call', { name: ARGUMENT })).text();
      await (await send('no/such', { name: ARGUMENT })).text();
    }
    for (const token of bad)
      await (await statelessRequest(app.url, 'tools/list', {}, { headers: bearer(token) })).text();
    await (await post(`${app.url}?access_token=${good}`, '{}')).text();
    await app.issuer.pause();
    await (
      await statelessRequest(app.url, 'tools/list', {}, { headers: bearer(await app.issuer.token({}, { kid: 'k' })) })
    ).text();
    await (await statelessRequest(app.url, 'tools/list', {}, { headers: bearer('another-opaque-token') })).text();
    await app.issuer.resume();
    const session = await sessionFor(app.url, bearer(good));
    await (await EventStream.listen(session)).next();
    await session.delete();
    await (await session.get()).text();
    const tokens = [...bad.slice(0, 4), good]
      .flatMap((token) => token.split('.').slice(1))
      .filter((part) => part !== '');
    return {
      hidden: [...tokens, opaque, 'opaque-token', session.id, ARGUMENT, TEST_CLIENT.clientSecret],
      sessionId: session.id,
    };
  }

  it('leaves no token, session id or argument in the log', async () => {
    const log = new LogBook();
    await using app = await GuardedApp.start({
      providers: [...PARTS, BrokenParts, BrokenPolicy],
      trust: { introspection: TEST_CLIENT },
      auth: { jwks: { requestTimeoutMs: 500 } },
      logger: log,
    });

    const { hidden } = await run(app);

    expect(log.text).toContain('failed (error ');
    expect(log.text).toContain('not available');
    expect(foundIn(log.text, hidden)).toEqual([]);
  });

  it('leaves none in the audit', async () => {
    const sink = new MemorySink();
    await using app = await GuardedApp.start({
      providers: [...PARTS, BrokenParts, BrokenPolicy],
      trust: { introspection: TEST_CLIENT },
      options: { audit: { to: [sink] } },
    });

    const { hidden } = await run(app);
    await eventually(() => expect(sink.lines.join('\n')).toContain('"DELETE"'));

    const text = sink.lines.join('\n');
    expect(sink.lines.length).toBeGreaterThan(60);
    expect(foundIn(text, [...hidden, SECRET])).toEqual([]);
  });

  it.skipIf(inject('redisUrl') === null)('leaves no token and no argument in Redis', async () => {
    const url = inject('redisUrl') ?? '';
    using monitor = await RedisMonitor.start(url);
    await using app = await GuardedApp.start({
      providers: [...PARTS, BrokenParts, BrokenPolicy],
      trust: { introspection: TEST_CLIENT },
      options: {
        redis: { url, keyPrefix: `secrets-${randomUUID()}` },
        limits: { principal: { perSecond: 10_000 } },
      },
    });
    const { hidden, sessionId } = await run(app);
    const commands = monitor.commands.map(({ args }) => args.join(' '));
    const text = commands.join('\n');

    expect(commands.length).toBeGreaterThan(era === 'session' ? 100 : 10);
    // Sessions are kept there under their ids, and nothing else of what must be hidden.
    expect(
      foundIn(
        text,
        hidden.filter((each) => each !== sessionId),
      ),
    ).toEqual([]);
  });
});

describe('health', () => {
  it('says nothing of sessions, callers or tokens', async () => {
    await using app = await GuardedApp.start({ imports: [McpHealthModule], providers: PARTS });
    const { authorization } = await app.bearer();
    const session = await sessionFor(app.url, { authorization });

    for (const path of ['/health/live', '/health/ready']) {
      const response = await fetch(new URL(path, app.url), {
        headers: { authorization, 'mcp-session-id': session.id },
      });
      const text = await wholeOf(response);

      expect(response.status).toBe(200);
      expect(foundIn(text, [session.id, 'alice', app.issuer.issuer, authorization.slice(7)])).toEqual([]);
    }
  });
});
