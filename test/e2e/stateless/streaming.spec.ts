import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { beforeEach, describe, expect, it } from 'vitest';
import { McpCall, type McpOptions, McpRegistry, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { sseEvents, sseMessages, statelessHeaders, statelessRequest } from '../../support/wire.js';
import { type Gate, LOG_LEVEL, answerOf, callTool, gate, plainRequest, requestBody, textOf } from './requests.js';

let released: Gate;
let aborted: Gate;

@Injectable()
class Fixtures {
  @McpTool()
  echo() {
    return 'Done.';
  }

  @McpTool()
  async wait(call: McpCall) {
    call.progress(1);
    await released.opened;
    return 'Waited.';
  }

  @McpTool()
  failLate(call: McpCall) {
    call.progress(1);
    throw new Error('no');
  }

  @McpTool()
  askLate(call: McpCall) {
    call.progress(1);
    return call.roots();
  }

  @McpTool()
  async flood(call: McpCall) {
    call.signal.addEventListener('abort', aborted.open);
    while (!call.signal.aborted) {
      call.log('info', 'x'.repeat(256 * 1024));
      await nextTurn();
    }
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

const streamed = { meta: { progressToken: 'p' } };

/** Sends a request, waits for its answer to begin, and reads no further. */
async function stalledReader(app: McpTestApp, body: string, headers: Record<string, string>): Promise<Socket> {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  const lines = Object.entries({ host: '127.0.0.1', ...headers, 'content-length': Buffer.byteLength(body) });
  socket.write(`POST /mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
  await once(socket, 'data');
  return socket.pause();
}

describe('form of an answer', () => {
  beforeEach(() => {
    released = gate();
    aborted = gate();
  });

  const boot = (http: McpOptions['http'] = {}): Promise<McpTestApp> =>
    createMcpTestApp(FixtureModule, { logger: false, options: { http } });

  it('is one JSON body when the call emits nothing', async () => {
    await using app = await boot();

    const response = await callTool(app.url, 'echo', {}, streamed);

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await answerOf(response)).toMatchObject({ status: 200, body: { id: 1, result: { content: [{}] } } });
  });

  it('is a stream from the first emission on, which proxies neither buffer nor keep', async () => {
    await using app = await boot();

    const response = await callTool(app.url, 'wait', {}, streamed);
    released.open();

    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(response.headers.has('content-length')).toBe(false);
    expect(await sseMessages(response)).toHaveLength(2);
  });

  it('is a stream once the call takes longer than streamAfterMs', async () => {
    await using app = await boot({ streamAfterMs: 1 });

    const response = await callTool(app.url, 'wait');
    released.open();

    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await sseMessages(response)).toEqual([
      { jsonrpc: '2.0', id: 1, result: expect.objectContaining({ content: [{ type: 'text', text: 'Waited.' }] }) },
    ]);
  });

  it.each([
    ['failLate', -32603],
    ['askLate', -32021],
  ])('ends a stream with the error of %s', async (name, code) => {
    await using app = await boot();

    const response = await callTool(app.url, name, {}, streamed);

    expect(response.status).toBe(200);
    const messages = await sseMessages(response);
    expect(messages.at(-1)).toMatchObject({ jsonrpc: '2.0', id: 1, error: { code } });
    expect(messages).toHaveLength(2);
  });

  it.each([
    ['application/json, text/event-stream', 200],
    ['text/event-stream;q=0.5, application/*', 200],
    ['*/*', 200],
    [undefined, 200],
    ['application/json', 406],
    ['text/event-stream', 406],
    ['application/json, text/event-stream;q=0', 406],
  ])('for a client that accepts %s has the status %i', async (accept, status) => {
    await using app = await boot();
    const { accept: _both, ...headers } = statelessHeaders('tools/list');

    const answer = await plainRequest(app.url, {
      headers: { ...headers, ...(accept !== undefined && { accept }) },
      body: requestBody('tools/list'),
    });

    expect(answer.status).toBe(status);
  });

  it('stays JSON in JSON-only mode, and needs no client that accepts streams', async () => {
    await using app = await boot({ jsonOnly: true, streamAfterMs: 1 });
    const response = callTool(app.url, 'wait', {}, { ...streamed, headers: { accept: 'application/json' } });
    const other = await callTool(app.url, 'echo');
    released.open();

    expect(await textOf(other)).toBe('Done.');
    expect((await response).headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await textOf(await response)).toBe('Waited.');
  });

  it('has no subscriptions in JSON-only mode', async () => {
    await using app = await boot({ jsonOnly: true });

    const response = await statelessRequest(app.url, 'subscriptions/listen', { notifications: {} });

    expect(await answerOf(response)).toMatchObject({ status: 404, body: { id: 1, error: { code: -32601 } } });
  });

  it.each(['a subscription', 'a call'])('keeps a quiet stream of %s alive by comments', async (what) => {
    await using app = await boot({ keepAliveMs: 10 });
    const response = await (what === 'a call'
      ? callTool(app.url, 'wait', {}, streamed)
      : statelessRequest(app.url, 'subscriptions/listen', { notifications: {} }));

    const comments: string[] = [];
    for await (const event of sseEvents(response)) {
      comments.push(...event.comments);
      if (comments.length === 2) break;
    }

    released.open();
    expect(comments).toEqual([':', ':']);
  });

  it('is broken off when the reader of a call stands still, and the call is cancelled', async () => {
    await using app = await boot({ maxBufferedBytes: 1024, stalledReaderMs: 20 });
    const params = { name: 'flood', arguments: {} };
    const body = requestBody('tools/call', params, { [LOG_LEVEL]: 'info' });

    const reader = await stalledReader(app, body, statelessHeaders('tools/call', params));
    await aborted.opened;
    const other = await callTool(app.url, 'echo');

    reader.destroy();
    expect(await textOf(other)).toBe('Done.');
  });

  it('watches over a reader that stands still but once, however many messages are left out', async () => {
    await using app = await boot({ maxBufferedBytes: 1024, stalledReaderMs: 200 });
    const params = { name: 'flood', arguments: {} };
    const warnings: Error[] = [];
    const warned = (warning: Error): number => warnings.push(warning);
    process.on('warning', warned);

    const body = requestBody('tools/call', params, { [LOG_LEVEL]: 'info' });
    const reader = await stalledReader(app, body, statelessHeaders('tools/call', params));
    await aborted.opened;
    await nextTurn();

    process.off('warning', warned);
    reader.destroy();
    expect(warnings).toEqual([]);
  });

  it('is broken off when a subscriber does not keep up, and others miss nothing', async () => {
    await using app = await boot({ maxBufferedBytes: 1024, maxStreams: 2, maxBodyBytes: 2 ** 20 });
    const uri = `notes://${'x'.repeat(8_000)}`;
    const params = { notifications: { resourceSubscriptions: [uri] } };
    const reading = sseEvents(await statelessRequest(app.url, 'subscriptions/listen', params));
    await reading.next();
    const reader = await stalledReader(
      app,
      requestBody('subscriptions/listen', params),
      statelessHeaders('subscriptions/listen'),
    );

    // Both places are taken until the one that does not read has lost its own.
    let admitted: Response;
    let published = 0;
    do {
      for (let count = 0; count < 50; count++) {
        published += 1;
        await app.get(McpRegistry).resourceUpdated(uri);
        expect((await reading.next()).value?.data).toContain(uri);
      }
      admitted = await statelessRequest(app.url, 'subscriptions/listen', { notifications: {} });
      if (admitted.status === 503) await admitted.text();
    } while (admitted.status === 503 && published < 10_000);

    expect(admitted.status).toBe(200);
    expect(published).toBeGreaterThan(50);
    await admitted.body?.cancel();
    await reading.return(undefined);
    reader.destroy();
  });
});
