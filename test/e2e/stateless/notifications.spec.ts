import { Injectable, Module } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCall, McpRegistry, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { type Json, sseEvents, sseMessages, statelessRequest } from '../../support/wire.js';
import { type Gate, LOG_LEVEL, answerOf, callTool, gate, textOf } from './requests.js';

const labelInput = z.object({ label: z.string() });
let together: Gate;
let arrived = 0;
let finished: McpCall | undefined;

@Injectable()
class Fixtures {
  @McpTool()
  countUp(call: McpCall) {
    for (const value of [0, 1, 3, 2, 3, Number.NaN, 3.5]) call.progress(value);
    return 'Counted.';
  }

  @McpTool()
  explain(call: McpCall) {
    call.progress(0.25, 1, 'A quarter is done.');
    return 'Explained.';
  }

  @McpTool()
  finish(call: McpCall) {
    finished = call;
    return 'Finished.';
  }

  @McpTool()
  async *dictate() {
    yield 'Dear ';
    yield 'Ada';
  }

  @McpTool()
  logAll(call: McpCall) {
    for (const level of ['debug', 'info', 'warning', 'emergency'] as const) call.log(level, { level }, 'shop');
    return 'Logged.';
  }

  @McpTool({ input: labelInput })
  async meet({ label }: z.infer<typeof labelInput>, call: McpCall) {
    call.progress(1, undefined, `${label} waits`);
    call.log('info', `${label} waits`);
    arrived += 1;
    if (arrived === 2) together.open();
    await together.opened;
    call.progress(2, undefined, `${label} met`);
    return label;
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

const messagesOf = async (response: Promise<Response>): Promise<Json[]> => sseMessages(await response);

describe('progress and log messages of a stateless request', () => {
  let app: McpTestApp;

  beforeAll(async () => (app = await createMcpTestApp(FixtureModule)));
  beforeEach(() => {
    together = gate();
    arrived = 0;
    finished = undefined;
  });
  afterAll(() => app.close());

  it.each(['token-1', '7', 7, 0])('names the progress token %j, and ends with the response', async (progressToken) => {
    const messages = await messagesOf(callTool(app.url, 'explain', {}, { meta: { progressToken } }));

    expect(messages).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken, progress: 0.25, total: 1, message: 'A quarter is done.' },
      },
      { jsonrpc: '2.0', id: 1, result: expect.objectContaining({ resultType: 'complete' }) },
    ]);
  });

  it.each([{}, { progressToken: null }, { progressToken: { a: 1 } }])(
    'sends no progress to a request with the metadata %j',
    async (meta) => {
      const response = await callTool(app.url, 'countUp', {}, { meta });

      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(await textOf(response)).toBe('Counted.');
    },
  );

  it('sends only progress that increases', async () => {
    const messages = await messagesOf(callTool(app.url, 'countUp', {}, { meta: { progressToken: 'p' } }));

    const values = messages.slice(0, -1).map(({ params }) => (params as Json)['progress']);
    expect(values).toEqual([0, 1, 3, 3.5]);
  });

  it('sends nothing for a call that has been answered', async () => {
    const response = await callTool(app.url, 'finish', {}, { meta: { progressToken: 'p', [LOG_LEVEL]: 'debug' } });
    finished?.progress(1);
    finished?.log('error', 'Too late.');

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await textOf(response)).toBe('Finished.');
  });

  it('sends the pieces of a streamed result as progress', async () => {
    const messages = await messagesOf(callTool(app.url, 'dictate', {}, { meta: { progressToken: 'p' } }));

    expect(messages.map(({ params, result }) => params ?? (result as Json)['content'])).toEqual([
      { progressToken: 'p', progress: 1, message: 'Dear ' },
      { progressToken: 'p', progress: 2, message: 'Ada' },
      [{ type: 'text', text: 'Dear Ada' }],
    ]);
  });

  it('keeps the messages of calls that run at once apart', async () => {
    const meet = (label: string): Promise<Json[]> =>
      messagesOf(
        callTool(app.url, 'meet', { label }, { id: label, meta: { progressToken: label, [LOG_LEVEL]: 'info' } }),
      );

    const streams = await Promise.all([meet('ann'), meet('bob')]);

    for (const [index, label] of ['ann', 'bob'].entries()) {
      expect(streams[index]).toEqual([
        expect.objectContaining({ params: { progressToken: label, progress: 1, message: `${label} waits` } }),
        expect.objectContaining({ params: { level: 'info', data: `${label} waits` } }),
        expect.objectContaining({ params: { progressToken: label, progress: 2, message: `${label} met` } }),
        expect.objectContaining({ id: label }),
      ]);
    }
  });

  it('puts progress and log messages of a call on no subscription', async () => {
    const notifications = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
    const meta = { progressToken: 'l', [LOG_LEVEL]: 'debug' };
    const listening = await statelessRequest(app.url, 'subscriptions/listen', { notifications }, { meta });
    const events = sseEvents(listening);
    await events.next();

    await messagesOf(callTool(app.url, 'logAll', {}, { meta }));
    await messagesOf(callTool(app.url, 'countUp', {}, { meta }));
    app
      .get(McpRegistry)
      .addTool({ name: 'added', handler: () => 'x' })
      .remove();
    const { value } = await events.next();
    await events.return(undefined);

    expect(JSON.parse(value?.data ?? '')).toMatchObject({ method: 'notifications/tools/list_changed' });
  });

  it('sends no log message to a request that names no level', async () => {
    const response = await callTool(app.url, 'logAll', {}, { meta: { progressToken: 'p' } });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await textOf(response)).toBe('Logged.');
  });

  it.each([
    ['debug', ['debug', 'info', 'warning', 'emergency']],
    ['warning', ['warning', 'emergency']],
    ['emergency', ['emergency']],
  ])('sends messages of level %s and above, before the response', async (level, expected) => {
    const messages = await messagesOf(callTool(app.url, 'logAll', {}, { meta: { [LOG_LEVEL]: level } }));

    expect(messages).toEqual([
      ...expected.map((name) => ({
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: { level: name, logger: 'shop', data: { level: name } },
      })),
      { jsonrpc: '2.0', id: 1, result: expect.objectContaining({ resultType: 'complete' }) },
    ]);
  });

  it('refuses a request with a log level that does not exist', async () => {
    const response = await callTool(app.url, 'logAll', {}, { meta: { [LOG_LEVEL]: 'WARNING' } });

    expect(await answerOf(response)).toMatchObject({ status: 400, body: { id: 1, error: { code: -32602 } } });
  });
});
