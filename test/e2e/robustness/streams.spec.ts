import { type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpCall, McpTool } from '../../../src/index.js';
import {
  ENVELOPE,
  type Json,
  WireSession,
  initialize,
  post,
  responseOf,
  sseEvents,
  statelessRequest,
} from '../../support/wire.js';
import { deferred } from '../clients/fixtures.js';
import { type Served, serve } from '../clients/served.js';
import { bytesInUse } from './heap.js';
import { expectRpcError, expectServing, head, open, stateless } from './raw.js';

const MIB = 1024 * 1024;

@Injectable()
class NoisyTools {
  readonly begun = deferred();
  readonly mayEnd = deferred();
  readonly stopped = deferred<Error>();
  /** Messages that `flood` has said, and may say at most. */
  said = 0;
  toSay = Number.POSITIVE_INFINITY;
  runs = 0;

  /** Says 64 KiB at a time until it is stopped, or has said as much as the test wants. */
  @McpTool()
  async flood(call: McpCall): Promise<string> {
    call.signal.addEventListener('abort', () => this.stopped.resolve(call.signal.reason as Error));
    const data = 'x'.repeat(64 * 1024);
    for (this.said = 0; this.said < this.toSay && !call.signal.aborted; this.said++) {
      call.log('error', data);
      await setImmediate();
    }
    return 'said it all';
  }

  @McpTool()
  async wait(call: McpCall): Promise<string> {
    this.runs += 1;
    call.signal.addEventListener('abort', () => this.stopped.resolve(call.signal.reason as Error));
    this.begun.resolve();
    await this.mayEnd.promise;
    return 'waited';
  }

  @McpTool()
  async tell(call: McpCall): Promise<string> {
    call.log('error', 'one');
    call.log('error', 'two');
    return 'told';
  }
}

/** The server's end of the connection with these many bytes read: how the server sees a client. */
function serverSockets({ server }: Served): Set<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Sends a request and never reads what comes back. */
async function stalledReader(port: number, body: string, headers: readonly string[]): Promise<Socket> {
  const socket = await open(port);
  socket.pause();
  const lines = ['POST /mcp HTTP/1.1', 'Host: localhost', `Content-Length: ${body.length}`, ...headers];
  socket.write(head(...lines) + body);
  return socket;
}

/** A call of `flood` that wants to hear all it says. */
function flooding(): { body: string; headers: string[] } {
  const { headers } = stateless('tools/call', { name: 'flood' });
  const meta = { ...ENVELOPE, 'io.modelcontextprotocol/logLevel': 'debug' };
  const params = { name: 'flood', _meta: meta };
  return { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }), headers };
}

describe('a reader that stands still while it is flooded', () => {
  // The kernel takes some 60 MiB off the server's hands before it stands still too, so the floods have no end.
  it('is cut off in the stateless era, and its call is stopped', async () => {
    await using served = await serve([NoisyTools], { http: { stalledReaderMs: 200 } });
    const sockets = serverSockets(served);
    const { body, headers } = flooding();

    const reader = await stalledReader(served.port, body, headers);

    expect(await served.app.get(NoisyTools).stopped.promise).toMatchObject({ name: 'CallCancelled' });
    await expect.poll(() => sockets.size).toBe(0);
    reader.destroy();
    await expectServing(served.url);
  });

  it('is cut off after the end of its call too', async () => {
    await using served = await serve([NoisyTools], { http: { stalledReaderMs: 200, maxBufferedBytes: 512 * MIB } });
    const tools = served.app.get(NoisyTools);
    const sockets = serverSockets(served);
    const { body, headers } = flooding();
    tools.toSay = 1_500;

    const reader = await stalledReader(served.port, body, headers);

    await expect.poll(() => sockets.size).toBe(1);
    await expect.poll(() => sockets.size).toBe(0);
    reader.destroy();
    await expectServing(served.url);
  });

  it('is cut off in the session era; its call goes on, and the log keeps no more than it may', async () => {
    await using served = await serve([NoisyTools], {
      http: { stalledReaderMs: 200 },
      sessions: { events: { maxBytes: MIB } },
    });
    const tools = served.app.get(NoisyTools);
    const session = await WireSession.open(served.url);
    await session.request('logging/setLevel', { level: 'debug' });
    const sockets = serverSockets(served);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'flood' } });
    const lines = Object.entries({ 'content-type': 'application/json', accept: '*/*', ...session.headers() });
    const before = await bytesInUse();

    const reader = await stalledReader(
      served.port,
      body,
      lines.map(([name, value]) => `${name}: ${value}`),
    );
    await expect.poll(() => sockets.size).toBe(1);
    await expect.poll(() => sockets.size).toBe(0);
    const saidThen = tools.said;
    await expect.poll(() => tools.said).toBeGreaterThan(saidThen + 800);

    // 800 messages are 50 MiB.
    expect((await bytesInUse()) - before).toBeLessThan(15 * MIB);
    tools.toSay = 0;
    reader.destroy();
    await expectServing(served.url);
  });
});

describe('limits', () => {
  it('answers 503 with Retry-After when there are too many sessions, and takes new ones when some are gone', async () => {
    await using served = await serve([NoisyTools], { sessions: { store: { maxSessions: 200 } } });
    const sessions = await Promise.all(Array.from({ length: 200 }, () => WireSession.open(served.url)));

    const refused = await post(served.url, JSON.stringify(initialize('2025-11-25')));
    const answers = await Promise.all(sessions.map((session) => session.request('ping')));
    const deleted = await Promise.all(sessions.map((session) => session.delete()));

    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^[123]$/);
    expectRpcError(await refused.text(), 503, 0);
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(200);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(deleted.every(({ status }) => status === 204)).toBe(true);
    const gone = await Promise.all(sessions.map((session) => session.request('ping')));
    expect(gone.every(({ status }) => status === 404)).toBe(true);
    await Promise.all(Array.from({ length: 199 }, () => WireSession.open(served.url)));
    await expectServing(served.url);
  });

  it('answers 503 when there are too many streams of either era, and takes new ones when some are gone', async () => {
    await using served = await serve([NoisyTools], { http: { maxStreams: 2 } });
    const session = await WireSession.open(served.url);
    const stop = new AbortController();
    const listen = (signal?: AbortSignal) =>
      statelessRequest(served.url, 'subscriptions/listen', { notifications: {} }, signal ? { signal } : {});

    const one = await session.get({}, stop.signal);
    const two = await listen(stop.signal);
    const third = await listen();
    const fourth = await (await WireSession.open(served.url)).get();

    expect([one.status, two.status, third.status, fourth.status]).toEqual([200, 200, 503, 503]);
    expect(third.headers.get('retry-after')).toMatch(/^[123]$/);
    expectRpcError(await third.text(), 503, 1);
    expectRpcError(await fourth.text(), 503);

    stop.abort();
    await expect
      .poll(async () => {
        const again = new AbortController();
        const { status } = await listen(again.signal);
        again.abort();
        return status;
      })
      .toBe(200);
  });
});

describe('races', () => {
  it('runs one of two calls that come with the same id on a session', async () => {
    await using served = await serve([NoisyTools]);
    const tools = served.app.get(NoisyTools);
    const session = await WireSession.open(served.url);

    const both = [1, 2].map(() => session.request('tools/call', { name: 'wait' }, 7));
    const refused = await Promise.race(both);
    tools.mayEnd.resolve();
    const statuses = (await Promise.all(both)).map(({ status }) => status);

    expect(refused.status).toBe(400);
    expectRpcError(await refused.text(), -32600, 7);
    expect(statuses.toSorted()).toEqual([200, 400]);
    expect(tools.runs).toBe(1);
    // The id is free again.
    expect(await responseOf(await session.request('ping', {}, 7))).toMatchObject({ id: 7, result: {} });
  });

  it('takes 1 and "1" for two ids', async () => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);

    const both = [1, '1'].map((id) => session.request('tools/call', { name: 'wait' }, id));
    await expect.poll(() => served.app.get(NoisyTools).runs).toBe(2);
    served.app.get(NoisyTools).mayEnd.resolve();

    const ids = await Promise.all(
      (await Promise.all(both)).map(async (response) => (await responseOf(response))['id']),
    );
    expect(ids).toEqual([1, '1']);
  });

  it('answers each of many stateless calls with one id, for itself', async () => {
    await using served = await serve([NoisyTools]);

    const all = Array.from({ length: 50 }, () => statelessRequest(served.url, 'tools/call', { name: 'wait' }));
    await expect.poll(() => served.app.get(NoisyTools).runs).toBe(50);
    served.app.get(NoisyTools).mayEnd.resolve();

    const answers = await Promise.all((await Promise.all(all)).map(responseOf));
    expect(answers.every((answer) => 'result' in answer)).toBe(true);
  });

  it('survives a cancellation that meets the result, a hundred times', async () => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);

    for (let id = 1; id <= 100; id++) {
      const call = session.request('tools/call', { name: 'tell' }, id);
      const cancel = session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } });
      const [answered, cancelled] = await Promise.all([call, cancel]);
      await answered.text();
      expect([200, 202]).toContain(answered.status);
      expect(cancelled.status).toBe(202);
    }
    expect(served.errors).toEqual([]);
    await expectServing(served.url);
  });

  it('stops a running call when its session is deleted, and lets go of its connection', async () => {
    await using served = await serve([NoisyTools]);
    const tools = served.app.get(NoisyTools);
    const session = await WireSession.open(served.url);
    const call = session.request('tools/call', { name: 'wait' });
    await tools.begun.promise;

    const deleted = await session.delete();
    const answer = await call;
    await answer.text();

    expect(deleted.status).toBe(204);
    expect(await tools.stopped.promise).toMatchObject({ name: 'CallCancelled' });
    expect((await session.request('ping')).status).toBe(404);
    expect(served.errors).toEqual([]);
  });

  it('ends the streams of a session that is deleted', async () => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);
    const stream = await session.get();

    await session.delete();

    for await (const { data } of sseEvents(stream)) expect(data).toBe('');
  });

  it('answers 404 to the second of two deletions', async () => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);

    const statuses = (await Promise.all([session.delete(), session.delete()])).map(({ status }) => status);

    expect(statuses.toSorted()).toSatisfy(
      ([first, second]: number[]) => first === 204 && [204, 404].includes(second ?? 0),
    );
    expect((await session.delete()).status).toBe(404);
  });

  it('gives the changes of a session to the newest of many readers', async () => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);

    const streams = await Promise.all(Array.from({ length: 10 }, () => session.get()));
    const newest = await session.get();

    for (const stream of streams) for await (const { data } of sseEvents(stream)) expect(data).toBe('');
    served.registry.addTool({ name: 'late', handler: () => 'here' });
    for await (const { data } of sseEvents(newest)) {
      if (data === '') continue;
      expect(JSON.parse(data)).toMatchObject({ method: 'notifications/tools/list_changed' });
      break;
    }
  });
});

describe('the connection of a stream', () => {
  /** A GET stream, as the server has begun to answer it. */
  async function openStream(served: Served, session: WireSession) {
    const socket = await open(served.port);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    const lines = Object.entries({ accept: 'text/event-stream', ...session.headers() });
    socket.write(head('GET /mcp HTTP/1.1', 'Host: localhost', ...lines.map(([name, value]) => `${name}: ${value}`)));
    await expect.poll(() => text).toContain('retry: ');
    return { socket, received: () => text };
  }

  const { body, headers } = stateless('tools/list');
  const list = head('POST /mcp HTTP/1.1', 'Host: localhost', `Content-Length: ${body.length}`, ...headers) + body;

  it('takes requests after it', async () => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);
    const { socket, received } = await openStream(served, session);

    await session.delete();
    await expect.poll(received).toContain('\r\n0\r\n\r\n');
    socket.write(list);
    await expect.poll(received).toContain('"tools":[');
    socket.write(list);

    await expect.poll(() => received().split('"tools":[')).toHaveLength(3);
    socket.destroy();
  });

  it('answers a request that came before its end when it has ended', async () => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);
    const { socket, received } = await openStream(served, session);

    socket.write(list);
    served.registry.addTool({ name: 'late', handler: () => 'here' });
    await expect.poll(received).toContain('tools/list_changed');
    await session.delete();

    await expect.poll(received).toMatch(/tools\/list_changed.*\r\n0\r\n\r\nHTTP\/1.1 200 .*"tools":\[/s);
    socket.destroy();
  });

  it('is closed with the server, whether the stream has ended or not', async () => {
    const served = await serve([NoisyTools]);
    const [over, still] = [await WireSession.open(served.url), await WireSession.open(served.url)];
    const streams = [await openStream(served, over), await openStream(served, still)];
    await over.delete();
    await expect.poll(streams[0]!.received).toContain('\r\n0\r\n\r\n');

    await served[Symbol.asyncDispose]();

    for (const { socket } of streams) await expect.poll(() => socket.destroyed).toBe(true);
  });
});

describe('Last-Event-ID', () => {
  it.each([
    'garbage',
    '.',
    'a',
    '💥'.slice(0, 1) && 'x'.repeat(4_000),
    '-1',
    'null',
    '../../etc/passwd',
    'a.b.c',
    '__proto__.1-1',
  ])('of "%s" is refused', async (id) => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);

    const response = await session.get({ 'last-event-id': id });

    expect(response.status).toBe(400);
    expectRpcError(await response.text(), -32600);
    await expectServing(served.url);
  });

  async function eventIdsOf(session: WireSession): Promise<string[]> {
    await session.request('logging/setLevel', { level: 'debug' });
    const ids: string[] = [];
    for await (const { id } of sseEvents(await session.request('tools/call', { name: 'tell' }, 9)))
      if (id) ids.push(id);
    return ids;
  }

  it('of another session is refused, even of the same user', async () => {
    await using served = await serve([NoisyTools]);
    const [id = ''] = await eventIdsOf(await WireSession.open(served.url));
    const stranger = await WireSession.open(served.url);

    const response = await stranger.get({ 'last-event-id': id });

    expect(response.status).toBe(400);
    expectRpcError(await response.text(), -32600);
  });

  it('from the future ends with an error for each request that was waited for', async () => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);
    const ids = await eventIdsOf(session);

    const response = await session.get({ 'last-event-id': `${ids.at(-1)}999` });
    const messages: Json[] = [];
    for await (const { data } of sseEvents(response)) if (data !== '') messages.push(JSON.parse(data) as Json);

    expect(messages).toMatchObject([{ id: 9, error: { code: -32603 } }]);
  });

  it('of the changes from the future makes the client look at everything again', async () => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);

    const response = await session.get({ 'last-event-id': 'changes.999999' });
    const methods: unknown[] = [];
    for await (const { data } of sseEvents(response)) {
      if (data !== '') methods.push((JSON.parse(data) as Json)['method']);
      if (methods.length === 3) break;
    }

    expect(methods).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
    ]);
  });

  it('can be used again and again', async () => {
    await using served = await serve([NoisyTools]);
    const session = await WireSession.open(served.url);
    const [first = ''] = await eventIdsOf(session);

    const replay = async (): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { id } of sseEvents(await session.get({ 'last-event-id': first }))) if (id) ids.push(id);
      return ids;
    };

    const once = await replay();
    expect(once).toHaveLength(3);
    expect(await replay()).toEqual(once);
  });
});
