import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpCall, McpTool } from '../../../src/index.js';
import { eventually } from '../../support/eventually.js';
import { type Json, WireSession, initialize, post } from '../../support/wire.js';
import { EventStream, Gate, SessionApp, errorFrame, resultFrame, textResult } from './session-app.js';

const MARCH = '2025-03-26';
const LOST = 'Events of this stream were lost. Repeat the request.';

@Injectable()
class Tools {
  readonly gate = new Gate();
  stopped = 0;

  @McpTool()
  quick() {
    return 'quick';
  }

  @McpTool()
  async slow(call: McpCall) {
    call.progress(1);
    await Promise.race([
      this.gate.opened,
      new Promise((resolve) => call.signal.addEventListener('abort', resolve)).then(() => this.stopped++),
    ]);
    call.progress(2);
    return 'slow';
  }

  @McpTool()
  async roots(call: McpCall) {
    const roots = await call.roots();
    return roots.map(({ uri }) => uri).join();
  }
}

const PING = { jsonrpc: '2.0', id: 'ping', method: 'ping' };
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };

function call(name: string, id: string | number): Json {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, _meta: { progressToken: id } } };
}

function progress(token: string | number, value: number): Json {
  return { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: token, progress: value } };
}

function byId(messages: unknown): Json[] {
  return (messages as Json[]).toSorted((a, b) => String(a['id']).localeCompare(String(b['id'])));
}

describe('a batch in a 2025-03-26 session', () => {
  it('is answered with one array of JSON, a response for each request', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, MARCH);

    const response = await session.post([PING, INITIALIZED, call('quick', 1), call('nothing', '1')]);

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const answers = (await response.json()) as Json[];
    expect(answers).toHaveLength(3);
    expect(answers).toEqual(
      expect.arrayContaining([
        { jsonrpc: '2.0', id: 'ping', result: {} },
        resultFrame(1, textResult('quick')),
        errorFrame('1', -32602, 'Unknown tool: nothing'),
      ]),
    );
  });

  it('of one request is answered with an array of one', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, MARCH);

    const response = await session.post([PING]);

    expect(await response.json()).toEqual([{ jsonrpc: '2.0', id: 'ping', result: {} }]);
  });

  it('is answered with one stream when there is something to say, and ends after its last response', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, MARCH);

    const stream = await EventStream.open((signal) =>
      session.post([call('quick', 'a'), call('slow', 'b'), PING], {}, signal),
    );
    app.get(Tools).gate.open();
    const messages = await stream.messages();

    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(byId(messages.filter((message) => 'id' in message))).toEqual([
      resultFrame('a', textResult('quick')),
      resultFrame('b', textResult('slow')),
      { jsonrpc: '2.0', id: 'ping', result: {} },
    ]);
    expect(messages.filter((message) => !('id' in message))).toEqual([progress('b', 1), progress('b', 2)]);
    expect(messages.at(-1)).toMatchObject({ id: 'b' });
  });

  it('loses no response that was ready before there was something to say', async () => {
    await using app = await SessionApp.boot([Tools], { http: { streamAfterMs: 60_000 } });
    const session = await WireSession.open(app.url, MARCH, { roots: {} });

    const stream = await EventStream.open((signal) => session.post([PING, call('roots', 'c')], {}, signal));
    const before = [await stream.message(), await stream.message()];
    const question = before.find((message) => message?.['method'] === 'roots/list');
    const answered = await session.post([
      { jsonrpc: '2.0', id: question?.['id'], result: { roots: [{ uri: 'file:///home' }] } },
    ]);

    expect(answered.status).toBe(202);
    expect(before).toContainEqual({ jsonrpc: '2.0', id: 'ping', result: {} });
    expect(await stream.messages()).toEqual([resultFrame('c', textResult('file:///home'))]);
  });

  it('of notifications is answered with 202 and no body', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, MARCH);

    const response = await session.post([INITIALIZED, { jsonrpc: '2.0', method: 'notifications/roots/list_changed' }]);

    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
  });

  it('of responses is answered with 202 and no body', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, MARCH, { roots: {} });
    const [one, other] = [
      await EventStream.call(session, 'roots', {}, 1),
      await EventStream.call(session, 'roots', {}, 2),
    ];
    const questions = [await one.message(), await other.message()];

    const response = await session.post(
      questions.map((question, index) => ({
        jsonrpc: '2.0',
        id: question?.['id'],
        result: { roots: [{ uri: `file:///${index}` }] },
      })),
    );

    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    expect(await one.messages()).toEqual([resultFrame(1, textResult('file:///0'))]);
    expect(await other.messages()).toEqual([resultFrame(2, textResult('file:///1'))]);
  });

  it('answers what was not cancelled', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, MARCH);
    const stream = await EventStream.open((signal) => session.post([call('slow', 'a'), call('slow', 'b')], {}, signal));
    const begun = [await stream.message(), await stream.message()];

    await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'a' } });
    await eventually(() => expect(app.get(Tools).stopped).toBe(1));
    app.get(Tools).gate.open();

    expect(begun).toEqual([progress('a', 1), progress('b', 1)]);
    expect(await stream.messages()).toEqual([progress('b', 2), resultFrame('b', textResult('slow'))]);
  });

  it('whose answers are lost is told so request by request', async () => {
    await using app = await SessionApp.boot([Tools], { sessions: { events: { maxEvents: 1 } } });
    const session = await WireSession.open(app.url, MARCH);
    const stream = await EventStream.open((signal) => session.post([call('slow', 'a'), call('slow', 2)], {}, signal));
    await stream.message();
    stream.cut();
    await app.idle();
    app.get(Tools).gate.open();

    const resumed = await EventStream.listen(session, stream.lastEventId);

    expect(await resumed.messages()).toEqual([errorFrame('a', -32603, LOST), errorFrame(2, -32603, LOST)]);
  });

  it('is refused when it is empty', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url, MARCH);

    const response = await session.post([]);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(errorFrame(undefined, -32600, 'A batch must have at least one message.'));
  });

  it('is refused when it has more messages than allowed, and nothing of it runs', async () => {
    await using app = await SessionApp.boot([Tools], { http: { maxBatch: 3 } });
    const session = await WireSession.open(app.url, MARCH);

    const [atLimit, above] = [
      await session.post([INITIALIZED, INITIALIZED, INITIALIZED]),
      await session.post([INITIALIZED, INITIALIZED, INITIALIZED, PING]),
    ];

    expect(atLimit.status).toBe(202);
    expect(above.status).toBe(400);
    expect(await above.json()).toEqual(errorFrame(undefined, -32600, 'A batch may have at most 3 messages.'));
  });

  it.each([
    ['one of its messages is none', [PING, 7], 'A JSON-RPC message must be an object.'],
    ['two requests have the same id', [PING, PING], 'Two requests of the batch have the same id.'],
  ])('is refused when %s', async (_what, messages, why) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url, MARCH);

    const response = await session.post(messages);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(errorFrame(undefined, -32600, why));
  });

  it('is refused as a whole when one of its requests runs already, and none of it is left marked as running', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, MARCH);
    const running = await EventStream.open((signal) => session.post(call('slow', 'a'), {}, signal));

    const refused = await session.post([PING, call('quick', 'a')]);
    const ping = await session.post([PING]);
    app.get(Tools).gate.open();

    expect(refused.status).toBe(400);
    expect(await refused.json()).toEqual(
      errorFrame(undefined, -32600, 'A request with the id "a" is running on this session.'),
    );
    expect(await ping.json()).toEqual([{ jsonrpc: '2.0', id: 'ping', result: {} }]);
    expect((await running.messages()).at(-1)).toEqual(resultFrame('a', textResult('slow')));
  });

  it('opens no session', async () => {
    await using app = await SessionApp.boot([]);

    const response = await post(app.url, JSON.stringify([initialize(MARCH)]));

    expect(response.status).toBe(400);
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await response.json()).toMatchObject({ error: { code: -32600 } });
  });

  it('refuses initialize inside of it', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url, MARCH);

    const response = await session.post([initialize(MARCH, {}, 'again'), PING]);

    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(byId(await response.json())).toEqual([
      errorFrame('again', -32600, 'The session is initialized already.'),
      { jsonrpc: '2.0', id: 'ping', result: {} },
    ]);
  });
});

describe.each(['2025-06-18', '2025-11-25'])('a batch in a %s session', (revision) => {
  it.each([
    ['requests', [PING]],
    ['notifications', [INITIALIZED]],
  ])('of %s is refused', async (_what, messages) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url, revision);

    const response = await session.post(messages);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(
      errorFrame(undefined, -32600, `Revision ${revision} has no batches. Send one message a request.`),
    );
  });

  it('is refused even if its version header names a revision that had them', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url, revision);

    const response = await session.post([PING], { 'mcp-protocol-version': MARCH });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32600 } });
  });
});
