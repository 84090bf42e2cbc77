import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { CallCancelled, McpCall, McpTool } from '../../../src/index.js';
import { eventually } from '../../support/eventually.js';
import { type Json, WireSession } from '../../support/wire.js';
import { EventStream, Gate, SessionApp, errorFrame, resultFrame, textResult, toolError } from './session-app.js';

const Confirm = { type: 'object', properties: { sure: { type: 'boolean' } }, required: ['sure'] } as const;
const ANY_INPUT = { type: 'object', properties: { as: { type: 'string' } } } as const;

@Injectable()
class Tools {
  readonly gate = new Gate();
  readonly started: unknown[] = [];
  readonly finished: unknown[] = [];
  readonly aborted: unknown[] = [];

  /** Works until the gate opens or it is told to stop; with a progress token it says that it has begun. */
  @McpTool({ input: ANY_INPUT })
  async work({ as = 'work' }: { as?: string }, call: McpCall) {
    this.started.push(as);
    call.progress(1);
    const stopped = new Promise<never>((_resolve, reject) => {
      call.signal.addEventListener('abort', () => {
        this.aborted.push([as, call.signal.reason]);
        reject(call.signal.reason as Error);
      });
    });
    await Promise.race([this.gate.opened, stopped]);
    this.finished.push(as);
    return as;
  }

  /** Goes on whatever it is told, and talks after its end. */
  @McpTool()
  async stubborn(call: McpCall) {
    this.started.push('stubborn');
    await this.gate.opened;
    call.progress(1);
    call.log('emergency', 'still here');
    this.finished.push('stubborn');
    return 'too late';
  }

  @McpTool()
  async confirm(call: McpCall) {
    const { sure } = await call.elicit(Confirm, 'Sure?');
    return `sure: ${String(sure)}`;
  }

  @McpTool({ timeoutMs: 50 })
  async confirmInTime(call: McpCall) {
    const { sure } = await call.elicit(Confirm, 'Sure?');
    return `sure: ${String(sure)}`;
  }

  @McpTool({ timeoutMs: 50 })
  async hang() {
    await this.gate.opened;
  }

  @McpTool({ input: ANY_INPUT })
  echo({ as = '' }: { as?: string }) {
    return as;
  }
}

function work(session: WireSession, id: string | number, as?: string): Promise<EventStream> {
  const params = { name: 'work', arguments: as === undefined ? {} : { as }, _meta: { progressToken: 't' } };
  return EventStream.open((signal) => session.request('tools/call', params, id, signal));
}

function cancel(session: WireSession, params: Json): Promise<Response> {
  return session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
}

function started(app: SessionApp, count: number): Promise<void> {
  return eventually(() => expect(app.get(Tools).started).toHaveLength(count));
}

const BEGUN = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 't', progress: 1 } };

describe('a broken connection', () => {
  it('does not cancel a request that streams', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    const stream = await work(session, 1);
    await stream.message();

    stream.cut();
    await app.idle();
    app.get(Tools).gate.open();

    await eventually(() => expect(app.get(Tools).finished).toEqual(['work']));
    expect(app.get(Tools).aborted).toEqual([]);
  });

  it('does not cancel a request that has said nothing yet', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    const connection = new AbortController();
    const response = session.request('tools/call', { name: 'work' }, 1, connection.signal).catch(() => 'cut');
    await started(app, 1);

    connection.abort();
    await app.idle();
    app.get(Tools).gate.open();

    expect(await response).toBe('cut');
    await eventually(() => expect(app.get(Tools).finished).toEqual(['work']));
    expect(app.get(Tools).aborted).toEqual([]);
  });
});

describe('notifications/cancelled', () => {
  it('stops the request, and no response follows on its stream', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    const stream = await work(session, 'job');

    const response = await cancel(session, { requestId: 'job', reason: 'the user left' });

    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    expect(await stream.messages()).toEqual([BEGUN]);
    expect(app.get(Tools).aborted).toEqual([['work', expect.any(CallCancelled)]]);
    expect(app.get(Tools).finished).toEqual([]);
  });

  it('leaves a request without a body that had nothing to say yet', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    const answer = session.request('tools/call', { name: 'work' }, 1);
    await started(app, 1);

    await cancel(session, { requestId: 1 });

    const { status } = await answer;
    expect(status).toBe(202);
    expect(await (await answer).text()).toBe('');
  });

  it('ends the stream of a handler that does not listen, and what it says later is dropped', async () => {
    await using app = await SessionApp.boot([Tools], { http: { streamAfterMs: 1 } });
    const session = await WireSession.open(app.url);
    await session.request('logging/setLevel', { level: 'debug' });
    const params = { name: 'stubborn', _meta: { progressToken: 't' } };
    const stream = await EventStream.open((signal) => session.request('tools/call', params, 1, signal));

    await cancel(session, { requestId: 1 });
    const answer = await stream.messages();
    app.get(Tools).gate.open();
    await eventually(() => expect(app.get(Tools).finished).toEqual(['stubborn']));
    const resumed = await EventStream.listen(session, stream.events[0]?.id);

    expect(answer).toEqual([]);
    expect(await resumed.messages()).toEqual([]);
  });

  it.each([
    ['an unknown request', { requestId: 'no-such-request' }],
    ['a finished request', { requestId: 'finished' }],
    ['no request', {}],
    ['something that is no id', { requestId: { id: 1 } }],
    ['a request of another type of id', { requestId: '1' }],
  ])('of %s is ignored', async (_what, params) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    await session.request('tools/call', { name: 'echo' }, 'finished');
    const stream = await work(session, 1);

    const response = await cancel(session, params);
    app.get(Tools).gate.open();

    expect(response.status).toBe(202);
    expect(await stream.messages()).toEqual([BEGUN, resultFrame(1, textResult('work'))]);
  });

  it('does not reach the request of another session that has the same id', async () => {
    await using app = await SessionApp.boot([Tools]);
    const [mine, foreign] = [await WireSession.open(app.url), await WireSession.open(app.url)];
    const [myWork, foreignWork] = [await work(mine, 1, 'mine'), await work(foreign, 1, 'foreign')];

    await cancel(mine, { requestId: 1 });
    const mineEnded = await myWork.messages();
    app.get(Tools).gate.open();

    expect(mineEnded).toEqual([BEGUN]);
    expect(await foreignWork.messages()).toEqual([BEGUN, resultFrame(1, textResult('foreign'))]);
  });

  it('of a call that waits for the user withdraws the question', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });
    const stream = await EventStream.call(session, 'confirm', {}, 'job');
    const question = await stream.message();

    await cancel(session, { requestId: 'job' });
    const late = await session.post({ jsonrpc: '2.0', id: question?.['id'], result: { action: 'decline' } });

    expect(await stream.messages()).toEqual([
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: question?.['id'] } },
    ]);
    expect(late.status).toBe(400);
  });
});

describe('the id of a request', () => {
  it('is refused while a request with that id runs, which goes on', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    const first = await work(session, 1);

    const second = await session.request('tools/call', { name: 'echo' }, 1);
    app.get(Tools).gate.open();

    expect(second.status).toBe(400);
    expect(await second.json()).toEqual(errorFrame(1, -32600, 'A request with the id 1 is running on this session.'));
    expect(await first.messages()).toEqual([BEGUN, resultFrame(1, textResult('work'))]);
  });

  it('can be used again once the request has ended', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);

    const first = await session.request('tools/call', { name: 'echo', arguments: { as: 'a' } }, 1);
    const second = await session.request('tools/call', { name: 'echo', arguments: { as: 'b' } }, 1);

    expect(await first.json()).toEqual(resultFrame(1, textResult('a')));
    expect(await second.json()).toEqual(resultFrame(1, textResult('b')));
  });

  it('can be used again once the request was cancelled', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    const stream = await work(session, 1);
    await cancel(session, { requestId: 1 });
    await stream.messages();

    const second = await session.request('tools/call', { name: 'echo', arguments: { as: 'b' } }, 1);

    expect(await second.json()).toEqual(resultFrame(1, textResult('b')));
  });

  it('keeps its type: 1 and "1" run side by side, and are cancelled one by one', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    const number = await work(session, 1, 'number');
    const string = await work(session, '1', 'string');

    await cancel(session, { requestId: '1' });
    const cancelled = await string.messages();
    app.get(Tools).gate.open();

    expect(cancelled).toEqual([BEGUN]);
    expect(await number.messages()).toEqual([BEGUN, resultFrame(1, textResult('number'))]);
  });

  it('may occur in two sessions at once', async () => {
    await using app = await SessionApp.boot([Tools]);
    const [one, other] = [await WireSession.open(app.url), await WireSession.open(app.url)];

    const streams = [await work(one, 7, 'one'), await work(other, 7, 'other')] as const;
    app.get(Tools).gate.open();

    expect(await streams[0].messages()).toEqual([BEGUN, resultFrame(7, textResult('one'))]);
    expect(await streams[1].messages()).toEqual([BEGUN, resultFrame(7, textResult('other'))]);
  });
});

describe('DELETE', () => {
  it('stops the calls of its session, ends their streams, and leaves other sessions alone', async () => {
    await using app = await SessionApp.boot([Tools]);
    const [mine, other] = [await WireSession.open(app.url), await WireSession.open(app.url)];
    const [first, second] = [await work(mine, 1, 'first'), await work(mine, 2, 'second')];
    const listening = await EventStream.listen(mine);
    const foreign = await work(other, 1, 'foreign');

    const response = await mine.delete();
    const ended = [await first.messages(), await second.messages(), await listening.messages()];
    app.get(Tools).gate.open();

    expect(response.status).toBe(204);
    expect(ended).toEqual([[BEGUN], [BEGUN], []]);
    expect(app.get(Tools).aborted).toEqual([
      ['first', expect.any(CallCancelled)],
      ['second', expect.any(CallCancelled)],
    ]);
    expect(await foreign.messages()).toEqual([BEGUN, resultFrame(1, textResult('foreign'))]);
  });

  it('stops a call that waits for the user', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });
    const stream = await EventStream.call(session, 'confirm');
    const question = await stream.message();

    await session.delete();
    const late = await session.post({ jsonrpc: '2.0', id: question?.['id'], result: { action: 'decline' } });

    expect((await stream.messages()).filter((message) => message['id'] === 1)).toEqual([]);
    expect(late.status).toBe(404);
  });
});

describe('the time limit of a call', () => {
  it('does not count the time that the user takes', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });
    const stream = await EventStream.call(session, 'confirmInTime');
    const question = await stream.message();

    // A call with the same limit that asks nobody shows that the time is up.
    const overtime = await session.request('tools/call', { name: 'hang' }, 2);
    await session.post({
      jsonrpc: '2.0',
      id: question?.['id'],
      result: { action: 'accept', content: { sure: true } },
    });

    expect(await overtime.json()).toEqual(
      resultFrame(2, toolError('This took longer than 50 ms and was stopped. Try a smaller request.')),
    );
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('sure: true'))]);
  });
});
