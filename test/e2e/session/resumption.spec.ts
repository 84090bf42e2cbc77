import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpCall, McpTool } from '../../../src/index.js';
import { type Json, WireSession } from '../../support/wire.js';
import { EventStream, Gate, SessionApp, errorFrame, resultFrame, textResult } from './session-app.js';

const LOST = 'Events of this stream were lost. Repeat the request.';

const Count = {
  type: 'object',
  properties: { before: { type: 'integer' }, after: { type: 'integer' } },
  required: ['before', 'after'],
} as const;

@Injectable()
class Counter {
  gate = new Gate();

  /** Counts, waits for the gate, counts on, and says how far it came. */
  @McpTool({ input: Count })
  async count({ before, after }: { before: number; after: number }, call: McpCall) {
    for (let step = 1; step <= before; step++) call.progress(step);
    await this.gate.opened;
    for (let step = before + 1; step <= before + after; step++) call.progress(step);
    return String(before + after);
  }
}

async function count(
  session: WireSession,
  steps: { before: number; after: number },
  id: string | number = 1,
): Promise<EventStream> {
  const params = { name: 'count', arguments: steps, _meta: { progressToken: id } };
  return EventStream.open((signal) => session.request('tools/call', params, id, signal));
}

/** The numbers that progress messages tell, and the text of the result at the end. */
function told(messages: readonly (Json | undefined)[]): unknown[] {
  return messages.map((message) => {
    const { params, result } = message as { params?: Json; result?: { content: [{ text: string }] } };
    return params ? params['progress'] : `result ${result?.content[0].text}`;
  });
}

async function read(stream: EventStream, messages: number): Promise<(Json | undefined)[]> {
  const got: (Json | undefined)[] = [];
  while (got.length < messages) got.push(await stream.message());
  return got;
}

describe('a stream that broke', () => {
  it.each([0, 1, 3, 5])(
    'after %i messages goes on where it was when the call has ended meanwhile',
    async (cutAfter) => {
      await using app = await SessionApp.boot([Counter]);
      const session = await WireSession.open(app.url);
      const stream = await count(session, { before: 5, after: 5 });
      await stream.next();
      const before = await read(stream, cutAfter);

      stream.cut();
      await app.idle();
      app.get(Counter).gate.open();
      const resumed = await EventStream.listen(session, stream.lastEventId);

      expect(resumed.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      const all = [...before, ...(await resumed.messages())];
      expect(told(all)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'result 10']);
    },
  );

  it.each([0, 1, 3, 5])('after %i messages goes on live when the call has not ended yet', async (cutAfter) => {
    await using app = await SessionApp.boot([Counter]);
    const session = await WireSession.open(app.url);
    const stream = await count(session, { before: 5, after: 5 });
    await stream.next();
    const before = await read(stream, cutAfter);

    stream.cut();
    await app.idle();
    const resumed = await EventStream.listen(session, stream.lastEventId);
    const replayed = await read(resumed, 5 - cutAfter);
    app.get(Counter).gate.open();

    const all = [...before, ...replayed, ...(await resumed.messages())];
    expect(told(all)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'result 10']);
  });

  it.each([1, 63, 64, 65, 200, 399])('after %i of 400 events comes back whole and in order', async (cutAfter) => {
    await using app = await SessionApp.boot([Counter]);
    const session = await WireSession.open(app.url);
    app.get(Counter).gate.open();
    const stream = await count(session, { before: 200, after: 200 });
    const before = await read(stream, cutAfter);

    stream.cut();
    const resumed = await EventStream.listen(session, stream.lastEventId);

    const all = [...before, ...(await resumed.messages())];
    expect(told(all)).toEqual([...Array.from({ length: 400 }, (_, index) => index + 1), 'result 400']);
  });

  it('may break again and again', async () => {
    await using app = await SessionApp.boot([Counter]);
    const session = await WireSession.open(app.url);
    app.get(Counter).gate.open();
    let stream = await count(session, { before: 10, after: 0 });
    const got = await read(stream, 1);

    for (let broken = 0; broken < 10; broken++) {
      stream.cut();
      stream = await EventStream.listen(session, stream.lastEventId);
      got.push(await stream.message());
    }

    expect(told(got)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'result 10']);
  });

  it.each(['2025-03-26', '2025-06-18'])('is resumed in a %s session too, from its first event on', async (revision) => {
    await using app = await SessionApp.boot([Counter]);
    const session = await WireSession.open(app.url, revision);
    const stream = await count(session, { before: 2, after: 1 });
    const before = await read(stream, 1);

    stream.cut();
    app.get(Counter).gate.open();
    const resumed = await EventStream.listen(session, stream.lastEventId);

    expect(told([...before, ...(await resumed.messages())])).toEqual([1, 2, 3, 'result 3']);
  });

  it('can be read from its beginning again after it has ended', async () => {
    await using app = await SessionApp.boot([Counter]);
    const session = await WireSession.open(app.url);
    app.get(Counter).gate.open();
    const stream = await count(session, { before: 2, after: 0 });
    await stream.messages();

    const again = await EventStream.listen(session, stream.events[0]?.id);

    expect(told(await again.messages())).toEqual([1, 2, 'result 2']);
    expect(again.events).toEqual(stream.events.slice(1));
  });

  it('belongs to one connection: who resumes it ends the one before, and nothing is sent twice', async () => {
    await using app = await SessionApp.boot([Counter]);
    const session = await WireSession.open(app.url);
    const first = await count(session, { before: 2, after: 1 });
    const before = await read(first, 2);

    const second = await EventStream.listen(session, first.lastEventId);
    const afterTakeover = await first.messages();
    app.get(Counter).gate.open();

    expect(afterTakeover).toEqual([]);
    expect(told([...before, ...(await second.messages())])).toEqual([1, 2, 3, 'result 3']);
  });

  it('replays nothing of the other streams of its session', async () => {
    await using app = await SessionApp.boot([Counter]);
    const session = await WireSession.open(app.url);
    const one = await count(session, { before: 2, after: 0 }, 'one');
    const other = await count(session, { before: 3, after: 0 }, 'other');
    await read(one, 1);
    await read(other, 1);

    one.cut();
    app.get(Counter).gate.open();
    const resumed = await EventStream.listen(session, one.lastEventId);

    expect(await resumed.messages()).toEqual([
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'one', progress: 2 } },
      resultFrame('one', textResult('2')),
    ]);
    expect(told(await other.messages())).toEqual([2, 3, 'result 3']);
  });
});

describe('event ids', () => {
  it('are unique across the streams of a session', async () => {
    await using app = await SessionApp.boot([Counter]);
    const session = await WireSession.open(app.url);
    app.get(Counter).gate.open();

    const streams = [
      await count(session, { before: 3, after: 0 }, 1),
      await count(session, { before: 3, after: 0 }, '1'),
      await count(session, { before: 3, after: 0 }, 1),
    ];
    for (const stream of streams) await stream.messages();

    const ids = streams.flatMap(({ events }) => events.map(({ id }) => id));
    expect(ids).toHaveLength(15);
    expect(new Set(ids).size).toBe(15);
  });

  it('of one session mean nothing in another', async () => {
    await using app = await SessionApp.boot([Counter]);
    const [mine, foreign] = [await WireSession.open(app.url), await WireSession.open(app.url)];
    app.get(Counter).gate.open();
    const stream = await count(foreign, { before: 1, after: 0 });
    await stream.messages();

    const response = await mine.get({ 'last-event-id': stream.events[0]?.id });

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(
      errorFrame(undefined, -32600, 'Last-Event-ID names no stream of this session.'),
    );
  });

  it.each(['garbage', '.1', '123'])('that were never given out are refused: %s', async (id) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const response = await session.get({ 'last-event-id': id });

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(
      errorFrame(undefined, -32600, 'Last-Event-ID is not an event id of this server.'),
    );
  });
});

describe('a gap in the event log', () => {
  it('is told as an error of the request whose answer is incomplete', async () => {
    await using app = await SessionApp.boot([Counter], { sessions: { events: { maxEvents: 2 } } });
    const session = await WireSession.open(app.url);
    const stream = await count(session, { before: 1, after: 5 }, 'r-7');
    await read(stream, 1);

    stream.cut();
    await app.idle();
    app.get(Counter).gate.open();
    const resumed = await EventStream.listen(session, stream.lastEventId);

    expect(await resumed.messages()).toEqual([errorFrame('r-7', -32603, LOST)]);
  });

  it('is told by size too', async () => {
    await using app = await SessionApp.boot([Counter], { sessions: { events: { maxBytes: 200 } } });
    const session = await WireSession.open(app.url);
    const stream = await count(session, { before: 1, after: 5 }, 7);
    await read(stream, 1);

    stream.cut();
    await app.idle();
    app.get(Counter).gate.open();
    const resumed = await EventStream.listen(session, stream.lastEventId);

    expect(await resumed.messages()).toEqual([errorFrame(7, -32603, LOST)]);
  });

  it('is told to a client that claims to be ahead of the stream', async () => {
    await using app = await SessionApp.boot([Counter]);
    const session = await WireSession.open(app.url);
    const stream = await count(session, { before: 1, after: 0 }, 7);
    await read(stream, 1);
    const ahead = stream.lastEventId.replace(/\d+$/, '99');

    const resumed = await EventStream.listen(session, ahead);

    expect(await resumed.messages()).toEqual([errorFrame(7, -32603, LOST)]);
  });

  it('does not concern who has read all that is gone', async () => {
    await using app = await SessionApp.boot([Counter], { sessions: { events: { maxEvents: 2 } } });
    const session = await WireSession.open(app.url);
    const stream = await count(session, { before: 5, after: 1 });
    const before = await read(stream, 5);

    stream.cut();
    await app.idle();
    app.get(Counter).gate.open();
    const resumed = await EventStream.listen(session, stream.lastEventId);

    expect(told([...before, ...(await resumed.messages())])).toEqual([1, 2, 3, 4, 5, 6, 'result 6']);
  });
});
