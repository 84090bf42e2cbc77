import { Agent } from 'node:http';
import { describe, expect, it } from 'vitest';
import { GracefulStop } from '../../../src/index.js';
import { WireSession, initialize, post, sseMessages, statelessRequest } from '../../support/wire.js';
import { EventStream } from '../session/session-app.js';
import { LIST_HEADERS, plainRequest, requestBody } from '../stateless/requests.js';
import { SlowTools, boot, call } from './slow-tools.js';

const LISTEN = { notifications: { toolsListChanged: true } };
const UNAVAILABLE = { status: 503, code: 503, retryAfter: expect.stringMatching(/^[123]$/) };

async function refusal(response: Response): Promise<unknown> {
  const { error } = (await response.json()) as { error?: { code: number } };
  return { status: response.status, code: error?.code, retryAfter: response.headers.get('retry-after') };
}

describe('from the beginning of a stop on', () => {
  it('a GET stream is told when to come back, and ends, although a call still runs', async () => {
    await using app = await boot({ retryMs: 100 });
    const stream = await EventStream.listen(await WireSession.open(app.url));
    await stream.next();
    const answer = call(app, 'session', 'work');
    await expect.poll(() => app.get(SlowTools).running).toBe(1);

    const drained = app.get(GracefulStop).drain();
    const retry = Number((await stream.next())?.retry);

    expect(retry).toBeGreaterThanOrEqual(100);
    expect(retry).toBeLessThanOrEqual(300);
    expect(await stream.next()).toBeUndefined();
    app.get(SlowTools).done.open();
    await Promise.all([answer, drained]);
  });

  it('a resumed stream is told when to come back, and ends, although its call still runs', async () => {
    await using app = await boot({ retryMs: 100 });
    const session = await WireSession.open(app.url);
    const params = { name: 'work', _meta: { progressToken: 'p' } };
    const stream = await EventStream.open((signal) => session.request('tools/call', params, 1, signal));
    await stream.message();
    stream.cut();
    const resumed = await EventStream.listen(session, stream.lastEventId);

    const drained = app.get(GracefulStop).drain();
    const retry = Number((await resumed.next())?.retry);

    expect(retry).toBeGreaterThanOrEqual(100);
    expect(await resumed.next()).toBeUndefined();
    app.get(SlowTools).done.open();
    await drained;
  });

  it('a subscription gets its final result, although a call still runs', async () => {
    await using app = await boot();
    const listening = await statelessRequest(app.url, 'subscriptions/listen', LISTEN, { id: 'sub' });
    const answer = call(app, 'stateless', 'work');
    await expect.poll(() => app.get(SlowTools).running).toBe(1);

    const drained = app.get(GracefulStop).drain();

    expect((await sseMessages(listening)).at(-1)).toMatchObject({ id: 'sub', result: { resultType: 'complete' } });
    app.get(SlowTools).done.open();
    await Promise.all([answer, drained]);
  });

  it('no new stream and no new session is let in', async () => {
    await using app = await boot({ drainDelayMs: 1_500 });
    const session = await WireSession.open(app.url);
    const { lastEventId } = await primed(session);

    const drained = app.get(GracefulStop).drain();

    expect(await refusal(await session.get())).toEqual(UNAVAILABLE);
    expect(await refusal(await session.get({ 'last-event-id': lastEventId }))).toEqual(UNAVAILABLE);
    expect(await refusal(await statelessRequest(app.url, 'subscriptions/listen', LISTEN))).toEqual(UNAVAILABLE);
    expect(await refusal(await post(app.url, JSON.stringify(initialize('2025-11-25'))))).toEqual(UNAVAILABLE);
    await drained;
  });

  it('every other request is served, and told to come over another connection next', async () => {
    await using app = await boot({ drainDelayMs: 1_500 });
    const session = await WireSession.open(app.url);

    const drained = app.get(GracefulStop).drain();
    const answers = [
      await session.request('ping'),
      await session.request('tools/list'),
      await statelessRequest(app.url, 'server/discover'),
      await session.delete(),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 204]);
    expect(new Set(answers.map(({ headers }) => headers.get('connection')))).toEqual(new Set(['close']));
    await drained;
  });
});

it('takes no new connection after the delay, but serves those it has, once more each', async () => {
  await using app = await boot();
  const agent = new Agent({ keepAlive: true });
  const list = { headers: LIST_HEADERS, body: requestBody('tools/list'), agent };
  await plainRequest(app.url, list);
  const answer = call(app, 'stateless', 'work');
  await expect.poll(() => app.get(SlowTools).running).toBe(1);

  const drained = app.get(GracefulStop).drain();
  const kept = await plainRequest(app.url, list);

  expect(kept).toMatchObject({ status: 200, reused: true, headers: { connection: 'close' } });
  await expect(plainRequest(app.url, list)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  app.get(SlowTools).done.open();
  await Promise.all([answer, drained]);
  agent.destroy();
});

it('waits for nothing when nothing is there, and can be asked again', async () => {
  const app = await boot({ drainGraceMs: 60_000 });
  await (await statelessRequest(app.url, 'tools/list')).text();
  const began = performance.now();

  await app.get(GracefulStop).drain();
  await Promise.all([app.get(GracefulStop).drain(), app.close()]);
  await app.app.close();

  expect(performance.now() - began).toBeLessThan(1_000);
});

/** A session that has an answer to resume. */
async function primed(session: WireSession): Promise<EventStream> {
  const params = { name: 'finish', _meta: { progressToken: 'p' } };
  await session.request('logging/setLevel', { level: 'debug' });
  const stream = await EventStream.open((signal) => session.request('tools/call', params, 1, signal));
  await stream.messages();
  return stream;
}
