import { setImmediate } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ANONYMOUS, type Authenticator, CallStopped, EventLog, GracefulStop } from '../../../src/index.js';
import { WireSession, responseOf, statelessRequest } from '../../support/wire.js';
import { EventStream, Gate, resultFrame, textResult } from '../session/session-app.js';
import { ERAS, SlowTools, beginToClose, boot, call } from './slow-tools.js';

afterEach(() => vi.restoreAllMocks());

/** The answer to a call that was stopped. */
const STOPPED = {
  jsonrpc: '2.0',
  id: 1,
  error: {
    code: 503,
    message:
      'The server is stopping. The call was stopped before it was done; find out what it has done before you repeat it.',
  },
};

describe.each(ERAS)('a call that runs when the server stops, %s', (era) => {
  it.each([
    ['JSON', {}],
    ['a stream', { progressToken: 'p' }],
  ])('finishes, and its client gets the result as %s', async (_form, meta) => {
    await using app = await boot();
    const tools = app.get(SlowTools);
    const answer = call(app, era, 'work', meta);
    await expect.poll(() => tools.running).toBe(1);

    const { closed } = await beginToClose(app);
    tools.done.open();

    expect(await responseOf(await answer)).toMatchObject({ id: 1, result: textResult('worked') });
    await closed;
    expect(tools.aborted).toEqual([]);
  });

  it.each([
    ['JSON', {}],
    ['a stream', { progressToken: 'p' }],
  ])('is stopped with an error when its time is over, as %s', async (_form, meta) => {
    await using app = await boot({ drainGraceMs: 50 });
    const tools = app.get(SlowTools);
    const answer = call(app, era, 'work', meta);
    await expect.poll(() => tools.running).toBe(1);

    await app.close();
    const response = await answer;

    // A status of 503 would have a proxy send the call to another replica, although it may have done its work.
    expect(response.status).toBe(200);
    expect(await responseOf(response)).toEqual(STOPPED);
    expect(tools.aborted).toEqual([expect.any(CallStopped)]);
  });

  it('is answered for although it does not listen', async () => {
    await using app = await boot({ drainGraceMs: 50 });
    const answer = call(app, era, 'stubborn');
    await expect.poll(() => app.get(SlowTools).running).toBe(1);

    await app.close();

    expect(await responseOf(await answer)).toEqual(STOPPED);
  });

  it('is asked to go elsewhere with the next request', async () => {
    await using app = await boot();
    const tools = app.get(SlowTools);
    const answer = call(app, era, 'work');
    await expect.poll(() => tools.running).toBe(1);

    const { closed } = await beginToClose(app);
    tools.done.open();

    expect((await answer).headers.get('connection')).toBe('close');
    await closed;
  });
});

it('logs how many calls were stopped', async () => {
  const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
  await using app = await boot({ drainGraceMs: 50 });
  const answers = ERAS.map((era) => call(app, era, 'stubborn'));
  await expect.poll(() => app.get(SlowTools).running).toBe(2);

  await app.close();
  await Promise.all(answers);

  expect(warn.mock.calls.flat()).toContain(
    'Calls that were not done 50 ms after the stop began: 2. They were stopped.',
  );
});

it('waits for a call of a session whose client has gone, and keeps its answer', async () => {
  await using app = await boot();
  const tools = app.get(SlowTools);
  const session = await WireSession.open(app.url);
  const params = { name: 'work', _meta: { progressToken: 'p' } };
  const stream = await EventStream.open((signal) => session.request('tools/call', params, 1, signal));
  await stream.message();
  stream.cut();

  const { closed } = await beginToClose(app);
  tools.done.open();
  await closed;

  expect(tools.finished).toBe(1);
  const [streamId = '', cursor = ''] = stream.lastEventId.split('.');
  const read = await app.get<EventLog>(EventLog).read(session.id, streamId, cursor, 10);
  const events = read.status === 'ok' ? read.events : [];
  expect(events.map(({ data }) => JSON.parse(data) as unknown)).toEqual([resultFrame(1, textResult('worked'))]);
});

it('waits for a call whose caller is still being authenticated', async () => {
  const steps: string[] = [];
  const known = new Gate();
  const slow: Authenticator = {
    anonymousMayUse: 'all',
    authenticate: async () => {
      steps.push('asked');
      await known.opened;
      steps.push('known');
      return ANONYMOUS;
    },
  };
  await using app = await boot({}, slow);
  const answer = call(app, 'stateless', 'finish');
  await expect.poll(() => steps).toEqual(['asked']);

  const drained = app.get(GracefulStop).drain();
  await Promise.all([drained.then(() => steps.push('drained')), setImmediate().then(() => known.open())]);

  expect(steps).toEqual(['asked', 'known', 'drained']);
  expect(await responseOf(await answer)).toMatchObject({ result: textResult('finished') });
});

describe('while the server stops, and its listener is open', () => {
  it.each(ERAS)('takes new calls, and lets them finish, %s', async (era) => {
    await using app = await boot({ drainDelayMs: 1_500 });
    const tools = app.get(SlowTools);
    const session = await WireSession.open(app.url);

    const { closed } = await beginToClose(app);
    const answer =
      era === 'session'
        ? session.request('tools/call', { name: 'work' })
        : statelessRequest(app.url, 'tools/call', { name: 'work' });
    await expect.poll(() => tools.running).toBe(1);
    tools.done.open();

    expect(await responseOf(await answer)).toMatchObject({ result: textResult('worked') });
    expect((await answer).headers.get('connection')).toBe('close');
    await closed;
  });

  it('waits for the answer to a question', async () => {
    await using app = await boot({ drainDelayMs: 1_500 });
    const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });
    const stream = await EventStream.call(session, 'ask');
    const question = await stream.message();

    const { closed } = await beginToClose(app);
    const content = { name: 'Ada' };
    const accepted = await session.post({
      jsonrpc: '2.0',
      id: question?.['id'],
      result: { action: 'accept', content },
    });

    expect(accepted.status).toBe(202);
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('Hello Ada.'))]);
    await closed;
  });
});

it('withdraws a question when its time is over', async () => {
  await using app = await boot({ drainGraceMs: 50 });
  const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });
  const stream = await EventStream.call(session, 'ask');
  const question = await stream.message();

  const { closed } = await beginToClose(app);

  expect(await stream.messages()).toEqual([
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: question?.['id'] } },
    STOPPED,
  ]);
  await closed;
});
