import { Injectable } from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { McpCall, McpTool } from '../../../src/index.js';
import { type Json, WireSession, initialize, post, sseMessages, statelessRequest } from '../../support/wire.js';
import { EventStream, Gate, SessionApp, errorFrame, resultFrame, textResult } from './session-app.js';

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

@Injectable()
class Tools {
  readonly gate = new Gate();

  @McpTool()
  logAll(call: McpCall) {
    for (const level of LEVELS) call.log(level, { about: level }, 'shop');
    return 'done';
  }

  @McpTool()
  async logAndWait(call: McpCall) {
    call.log('error', 'begun');
    await this.gate.opened;
    return 'done';
  }

  @McpTool()
  fail() {
    throw new Error('password=hunter2 at db.internal:5432');
  }
}

function message(level: string): Json {
  return { jsonrpc: '2.0', method: 'notifications/message', params: { level, logger: 'shop', data: { about: level } } };
}

describe('logging in a session', () => {
  it('is declared as a capability', async () => {
    await using app = await SessionApp.boot([Tools]);

    const response = await post(app.url, JSON.stringify(initialize('2025-11-25')));

    expect(await response.json()).toMatchObject({ result: { capabilities: { logging: {} } } });
  });

  it.each(LEVELS.map((level, index) => [level, LEVELS.slice(index)] as const))(
    'set to %s lets through that level and above, in order and before the response',
    async (level, expected) => {
      await using app = await SessionApp.boot([Tools]);
      const session = await WireSession.open(app.url);

      const set = await session.request('logging/setLevel', { level }, 'set');
      const stream = await EventStream.call(session, 'logAll');

      expect(await set.json()).toEqual({ jsonrpc: '2.0', id: 'set', result: {} });
      expect(await stream.messages()).toEqual([
        ...expected.map((each) => message(each)),
        resultFrame(1, textResult('done')),
      ]);
    },
  );

  it('is silent until a level is set', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);

    const response = await session.request('tools/call', { name: 'logAll' });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual(resultFrame(1, textResult('done')));
  });

  it('has a level of its own in each session, and the last one set counts', async () => {
    await using app = await SessionApp.boot([Tools]);
    const [loud, quiet] = [await WireSession.open(app.url), await WireSession.open(app.url)];
    await loud.request('logging/setLevel', { level: 'emergency' });
    await quiet.request('logging/setLevel', { level: 'emergency' });
    await loud.request('logging/setLevel', { level: 'alert' });

    const [ofLoud, ofQuiet] = [await EventStream.call(loud, 'logAll'), await EventStream.call(quiet, 'logAll')];

    const result = resultFrame(1, textResult('done'));
    expect(await ofLoud.messages()).toEqual([message('alert'), message('emergency'), result]);
    expect(await ofQuiet.messages()).toEqual([message('emergency'), result]);
  });

  it.each(['verbose', 'DEBUG', '', 3, null, undefined])('cannot be set to %j', async (level) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    await session.request('logging/setLevel', { level: 'alert' });

    const refused = await session.request('logging/setLevel', { level }, 2);
    const stream = await EventStream.call(session, 'logAll');

    expect(refused.status).toBe(200);
    expect(await refused.json()).toEqual(errorFrame(2, -32602, 'params.level is not a log level.'));
    expect(await stream.message()).toEqual(message('alert'));
  });

  it('tells nothing of a failure inside the server', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url);
    await session.request('logging/setLevel', { level: 'debug' });

    const response = await session.request('tools/call', { name: 'fail' });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual(
      errorFrame(1, -32603, expect.stringMatching(/^Internal error\. Reference: [0-9a-f-]{36}$/), {
        errorId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      }),
    );
  });
});

describe('logging without a session', () => {
  it('lets through the level that the request names and above, before the response', async () => {
    await using app = await SessionApp.boot([Tools]);

    const response = await statelessRequest(
      app.url,
      'tools/call',
      { name: 'logAll' },
      { meta: { [LOG_LEVEL]: 'alert' } },
    );

    const messages = await sseMessages(response);
    expect(messages.slice(0, -1)).toEqual([message('alert'), message('emergency')]);
    expect(messages.at(-1)).toMatchObject({ id: 1, result: { content: [{ type: 'text', text: 'done' }] } });
  });

  it('travels on the stream of its own request only', async () => {
    await using app = await SessionApp.boot([Tools]);
    const meta = { [LOG_LEVEL]: 'debug' };
    const waiting = await statelessRequest(app.url, 'tools/call', { name: 'logAndWait' }, { id: 'waiting', meta });

    const other = await statelessRequest(app.url, 'tools/call', { name: 'logAll' }, { id: 'other', meta });
    const ofOther = await sseMessages(other);
    app.get(Tools).gate.open();
    const ofWaiting = await sseMessages(waiting);

    expect(ofOther.slice(0, -1)).toEqual(LEVELS.map((level) => message(level)));
    expect(ofWaiting.map(({ method, id }) => method ?? id)).toEqual(['notifications/message', 'waiting']);
    expect(ofWaiting[0]).toMatchObject({ params: { level: 'error', data: 'begun' } });
  });

  it.each(['verbose', '', 3])('is refused when the level is %j', async (level) => {
    await using app = await SessionApp.boot([Tools]);
    const spy = vi.spyOn(app.get(Tools), 'logAll');

    const response = await statelessRequest(
      app.url,
      'tools/call',
      { name: 'logAll' },
      { meta: { [LOG_LEVEL]: level } },
    );

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(errorFrame(1, -32602, `params._meta["${LOG_LEVEL}"] is not a log level.`));
    expect(spy).not.toHaveBeenCalled();
  });
});
