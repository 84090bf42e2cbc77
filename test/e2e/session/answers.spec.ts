import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpCall, McpRegistry, McpTool } from '../../../src/index.js';
import { WireSession } from '../../support/wire.js';
import { EventStream, Gate, SessionApp, resultFrame, textResult } from './session-app.js';

const OLDER = ['2025-03-26', '2025-06-18'] as const;
const REVISIONS = [...OLDER, '2025-11-25'] as const;

@Injectable()
class Tools {
  readonly gate = new Gate();

  @McpTool()
  quick() {
    return 'done';
  }

  @McpTool()
  chatty(call: McpCall) {
    call.progress(1, 2, 'half');
    call.progress(2, 2);
    return 'done';
  }

  @McpTool()
  async slow() {
    await this.gate.opened;
    return 'done';
  }

  @McpTool()
  async chattySlow(call: McpCall) {
    call.progress(1);
    await this.gate.opened;
    return 'done';
  }

  @McpTool()
  async polled(call: McpCall) {
    call.progress(1);
    call.releaseConnection();
    await this.gate.opened;
    call.progress(2);
    return 'done';
  }

  @McpTool()
  async polledSilently(call: McpCall) {
    call.releaseConnection();
    await this.gate.opened;
    return 'done';
  }
}

function progress(value: number, more: object = {}): object {
  return { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 't', progress: value, ...more } };
}

function call(session: WireSession, name: string, id: string | number = 1): Promise<EventStream> {
  return EventStream.open((signal) =>
    session.request('tools/call', { name, _meta: { progressToken: 't' } }, id, signal),
  );
}

describe('the answer to a request', () => {
  it.each(REVISIONS)('of a %s session is JSON when there is nothing to say before it', async (revision) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, revision);

    const response = await session.request('tools/call', { name: 'quick', _meta: { progressToken: 't' } }, 'a');

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual(resultFrame('a', textResult('done')));
  });

  it.each(REVISIONS)('of a %s session is a stream when there is, and ends after its response', async (revision) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, revision);

    const stream = await call(session, 'chatty', 'a');

    expect(stream.response.status).toBe(200);
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.response.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(await stream.messages()).toEqual([
      progress(1, { total: 2, message: 'half' }),
      progress(2, { total: 2 }),
      resultFrame('a', textResult('done')),
    ]);
  });

  it('becomes a stream when it takes long', async () => {
    await using app = await SessionApp.boot([Tools], { http: { streamAfterMs: 1 } });
    const session = await WireSession.open(app.url);

    const stream = await call(session, 'slow');
    app.get(Tools).gate.open();

    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('done'))]);
  });

  it('carries nothing that belongs to another request or to no request', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    const slow = await call(session, 'chattySlow', 'slow');

    const chatty = await call(session, 'chatty', 'chatty');
    app.get(McpRegistry).addTool({ name: 'late', handler: () => 'late' });
    app.get(Tools).gate.open();

    expect(await chatty.messages()).toEqual([
      progress(1, { total: 2, message: 'half' }),
      progress(2, { total: 2 }),
      resultFrame('chatty', textResult('done')),
    ]);
    expect(await slow.messages()).toEqual([progress(1), resultFrame('slow', textResult('done'))]);
  });
});

describe('a stream of 2025-11-25', () => {
  it('that answers a request opens with an event id, no data, and when to come back', async () => {
    await using app = await SessionApp.boot([Tools], { http: { retryMs: 750 } });
    const session = await WireSession.open(app.url);

    const stream = await call(session, 'chatty');

    expect(await stream.next()).toEqual({ id: expect.stringMatching(/./), retry: '750', data: '', comments: [] });
  });

  it('that GET opens begins in the same way', async () => {
    await using app = await SessionApp.boot([], { http: { retryMs: 750 } });
    const session = await WireSession.open(app.url);

    const stream = await EventStream.listen(session);

    expect(await stream.next()).toEqual({ id: expect.stringMatching(/./), retry: '750', data: '', comments: [] });
  });

  it('gives every event an id', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);

    const stream = await call(session, 'chatty');
    await stream.messages();

    expect(stream.events).toHaveLength(4);
    expect(stream.events.filter(({ id }) => id === undefined)).toEqual([]);
  });
});

describe.each(OLDER)('a stream of %s', (revision) => {
  it('has no event without data when it answers a request', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, revision);

    const stream = await call(session, 'chatty');
    await stream.messages();

    expect(stream.events.map(({ data, retry }) => [data !== '', retry])).toEqual([
      [true, undefined],
      [true, undefined],
      [true, undefined],
    ]);
  });

  it('has no event without data when GET opens it', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url, revision);

    const stream = await EventStream.listen(session);
    app.get(McpRegistry).addTool({ name: 'late', handler: () => 'late' });

    expect(await stream.next()).toMatchObject({
      data: '{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}}',
    });
  });
});

describe('a tool that releases its connection', () => {
  it('ends the response, and the client polls for the rest', async () => {
    await using app = await SessionApp.boot([Tools], { http: { retryMs: 750 } });
    const session = await WireSession.open(app.url);

    const stream = await call(session, 'polled');
    const before = await stream.messages();
    const polled = await EventStream.listen(session, stream.lastEventId);
    app.get(Tools).gate.open();

    expect(before).toEqual([progress(1)]);
    expect(stream.events[0]?.retry).toBe('750');
    expect(await polled.messages()).toEqual([progress(2), resultFrame(1, textResult('done'))]);
  });

  it('primes the client even if it had nothing to say', async () => {
    await using app = await SessionApp.boot([Tools], { http: { retryMs: 750 } });
    const session = await WireSession.open(app.url);

    const stream = await call(session, 'polledSilently');
    const before = await stream.messages();
    app.get(Tools).gate.open();
    const polled = await EventStream.listen(session, stream.lastEventId);

    expect(before).toEqual([]);
    expect(stream.events).toEqual([{ id: expect.stringMatching(/./), retry: '750', data: '', comments: [] }]);
    expect(await polled.messages()).toEqual([resultFrame(1, textResult('done'))]);
  });

  it.each(OLDER)('keeps the connection of a %s client, which could not tell that from a loss', async (revision) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, revision);

    const stream = await call(session, 'polled');
    const first = await stream.message();
    app.get(Tools).gate.open();

    expect(first).toEqual(progress(1));
    expect(await stream.messages()).toEqual([progress(2), resultFrame(1, textResult('done'))]);
  });
});
