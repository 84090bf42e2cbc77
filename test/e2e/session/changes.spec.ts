import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpCall, McpRegistry, McpResource, McpTool } from '../../../src/index.js';
import { type Json, WireSession } from '../../support/wire.js';
import { EventStream, Gate, SessionApp, errorFrame, resultFrame, textResult } from './session-app.js';

@Injectable()
class Shop {
  readonly gate = new Gate();

  @McpResource('shop://orders/{id}')
  order({ id }: { id: string }) {
    return `Order ${id}`;
  }

  @McpResource('shop://hours')
  hours() {
    return '9 to 5';
  }

  @McpTool()
  async restock(call: McpCall) {
    call.progress(1);
    await this.gate.opened;
    return 'restocked';
  }
}

const TOOLS_CHANGED = { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: {} };

function updated(uri: string): Json {
  return { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } };
}

function changeTools(app: SessionApp, name: string): void {
  app.get(McpRegistry).addTool({ name, handler: () => name });
}

async function subscribe(session: WireSession, uri: string): Promise<void> {
  const response = await session.request('resources/subscribe', { uri });
  expect(await response.json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
}

describe('the GET stream', () => {
  it('tells of lists that change, as they change', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);
    const stream = await EventStream.listen(session);
    await stream.next();
    const registry = app.get(McpRegistry);

    const tool = registry.addTool({ name: 'late', handler: () => 'late' });
    registry.addPrompt({ name: 'late', handler: () => 'late' });
    registry.addResource({ uri: 'shop://late', name: 'late', handler: () => 'late' });
    tool.remove();

    const methods = [await stream.message(), await stream.message(), await stream.message(), await stream.message()];
    expect(methods).toEqual([
      TOOLS_CHANGED,
      { jsonrpc: '2.0', method: 'notifications/prompts/list_changed', params: {} },
      { jsonrpc: '2.0', method: 'notifications/resources/list_changed', params: {} },
      TOOLS_CHANGED,
    ]);
  });

  it('tells of updates of the resources that the session subscribed to, and of no other', async () => {
    await using app = await SessionApp.boot([Shop]);
    const session = await WireSession.open(app.url);
    await subscribe(session, 'shop://orders/7');
    const stream = await EventStream.listen(session);
    await stream.next();

    await app.get(McpRegistry).resourceUpdated('shop://orders/8');
    await app.get(McpRegistry).resourceUpdated('shop://hours');
    await app.get(McpRegistry).resourceUpdated('shop://orders/7');

    expect(await stream.message()).toEqual(updated('shop://orders/7'));
  });

  it('heeds a subscription that is made while it is open, and one that ends', async () => {
    await using app = await SessionApp.boot([Shop]);
    const session = await WireSession.open(app.url);
    const stream = await EventStream.listen(session);
    await stream.next();

    await subscribe(session, 'shop://hours');
    await app.get(McpRegistry).resourceUpdated('shop://hours');
    const first = await stream.message();
    const ended = await session.request('resources/unsubscribe', { uri: 'shop://hours' });
    await app.get(McpRegistry).resourceUpdated('shop://hours');
    changeTools(app, 'late');

    expect(first).toEqual(updated('shop://hours'));
    expect(await ended.json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    expect(await stream.message()).toEqual(TOOLS_CHANGED);
  });

  it('carries no response and no message of a running request', async () => {
    await using app = await SessionApp.boot([Shop]);
    const session = await WireSession.open(app.url);
    const listening = await EventStream.listen(session);
    await listening.next();
    const params = { name: 'restock', _meta: { progressToken: 't' } };

    const running = await EventStream.open((signal) => session.request('tools/call', params, 1, signal));
    app.get(Shop).gate.open();
    const answer = await running.messages();
    changeTools(app, 'late');

    expect(answer.at(-1)).toEqual(resultFrame(1, textResult('restocked')));
    expect(await listening.message()).toEqual(TOOLS_CHANGED);
  });

  it('tells each session on its own, once', async () => {
    await using app = await SessionApp.boot([Shop]);
    const [one, other] = [await WireSession.open(app.url), await WireSession.open(app.url)];
    await subscribe(one, 'shop://hours');
    const [ofOne, ofOther] = [await EventStream.listen(one), await EventStream.listen(other)];
    await ofOne.next();
    await ofOther.next();

    await app.get(McpRegistry).resourceUpdated('shop://hours');
    changeTools(app, 'late');

    expect([await ofOne.message(), await ofOne.message()]).toEqual([updated('shop://hours'), TOOLS_CHANGED]);
    expect(await ofOther.message()).toEqual(TOOLS_CHANGED);
  });

  it('says when to come back before the server stops', async () => {
    await using app = await SessionApp.boot([], { http: { retryMs: 750 } });
    const session = await WireSession.open(app.url);
    const stream = await EventStream.listen(session);
    await stream.next();

    const stopped = app.stop();

    const goodbye = await stream.next();
    expect(goodbye).toEqual({ retry: expect.any(String), data: '', comments: [] });
    expect(Number(goodbye?.retry)).toBeGreaterThanOrEqual(750);
    expect(Number(goodbye?.retry)).toBeLessThanOrEqual(3 * 750);
    expect(await stream.next()).toBeUndefined();
    await stopped;
  });

  it('ends with its session', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);
    const stream = await EventStream.listen(session);

    await session.delete();

    expect(await stream.messages()).toEqual([]);
  });
});

describe('a client that was away', () => {
  it('is told on its first GET of what changed since initialize', async () => {
    await using app = await SessionApp.boot([Shop]);
    const session = await WireSession.open(app.url);
    await subscribe(session, 'shop://hours');

    changeTools(app, 'late');
    await app.get(McpRegistry).resourceUpdated('shop://hours');
    const stream = await EventStream.listen(session);

    expect([await stream.message(), await stream.message()]).toEqual([TOOLS_CHANGED, updated('shop://hours')]);
  });

  it('is told on its next GET of what changed meanwhile, and not again of what it was told', async () => {
    await using app = await SessionApp.boot([Shop]);
    const session = await WireSession.open(app.url);
    const before = await EventStream.listen(session);
    await before.next();
    changeTools(app, 'told');
    await before.message();
    before.cut();
    await app.idle();

    app.get(McpRegistry).addPrompt({ name: 'missed', handler: () => 'missed' });
    const after = await EventStream.listen(session);

    expect(await after.message()).toMatchObject({ method: 'notifications/prompts/list_changed' });
  });

  it('that names its last event is told of everything after it', async () => {
    await using app = await SessionApp.boot([Shop]);
    const session = await WireSession.open(app.url);
    await subscribe(session, 'shop://hours');
    const before = await EventStream.listen(session);
    await before.next();
    changeTools(app, 'late');
    await before.message();
    const { lastEventId } = before;
    await app.get(McpRegistry).resourceUpdated('shop://hours');
    await before.message();

    before.cut();
    const after = await EventStream.listen(session, lastEventId);
    const replayed = await after.message();
    changeTools(app, 'later');

    expect(replayed).toEqual(updated('shop://hours'));
    expect(await after.message()).toEqual(TOOLS_CHANGED);
  });

  it('for longer than changes are kept is told that anything may have changed', async () => {
    await using app = await SessionApp.boot([Shop], { sessions: { changes: { capacity: 2 } } });
    const session = await WireSession.open(app.url);
    await subscribe(session, 'shop://hours');

    for (const name of ['a', 'b', 'c']) changeTools(app, name);
    const stream = await EventStream.listen(session);

    const told = [await stream.message(), await stream.message(), await stream.message(), await stream.message()];
    expect(told).toEqual([
      TOOLS_CHANGED,
      { jsonrpc: '2.0', method: 'notifications/prompts/list_changed', params: {} },
      { jsonrpc: '2.0', method: 'notifications/resources/list_changed', params: {} },
      updated('shop://hours'),
    ]);
  });

  it('for long, and cut off while it is told of that, is told again', async () => {
    await using app = await SessionApp.boot([Shop], { sessions: { changes: { capacity: 2 } } });
    const session = await WireSession.open(app.url);
    for (const name of ['a', 'b', 'c']) changeTools(app, name);
    const before = await EventStream.listen(session);
    await before.message();

    before.cut();
    const after = await EventStream.listen(session, before.lastEventId);
    const told = [await after.message(), await after.message(), await after.message()];

    expect(told.map((message) => message?.['method'])).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
      'notifications/resources/list_changed',
    ]);
  });
});

describe('a second GET', () => {
  it('takes the stream over: the first ends, and a message goes to one of them', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);
    const first = await EventStream.listen(session);
    await first.next();

    const second = await EventStream.listen(session);
    await second.next();
    changeTools(app, 'late');

    expect(await second.message()).toEqual(TOOLS_CHANGED);
    expect(await first.messages()).toEqual([]);
  });

  it('does not repeat what the first was sent', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);
    const first = await EventStream.listen(session);
    await first.next();
    changeTools(app, 'told');
    await first.message();

    const second = await EventStream.listen(session);
    app.get(McpRegistry).addPrompt({ name: 'late', handler: () => 'late' });

    expect(await second.message()).toMatchObject({ method: 'notifications/prompts/list_changed' });
  });

  it('uses no event id that was used before', async () => {
    await using app = await SessionApp.boot([Shop], { sessions: { changes: { capacity: 2 } } });
    const session = await WireSession.open(app.url);
    const first = await EventStream.listen(session);
    await first.next();
    changeTools(app, 'told');
    await first.message();
    first.cut();
    await app.idle();
    for (const name of ['a', 'b', 'c']) changeTools(app, name);

    const second = await EventStream.listen(session);
    for (let message = 0; message < 3; message++) await second.message();

    const ids = [...first.events, ...second.events].flatMap(({ id }) => id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('resources/subscribe', () => {
  it('refuses a resource that does not exist', async () => {
    await using app = await SessionApp.boot([Shop]);
    const session = await WireSession.open(app.url);

    const response = await session.request('resources/subscribe', { uri: 'shop://nothing' });

    expect(await response.json()).toEqual(errorFrame(1, -32002, 'Resource not found', { uri: 'shop://nothing' }));
  });

  it.each(['resources/subscribe', 'resources/unsubscribe'])('and the like need a uri: %s', async (method) => {
    await using app = await SessionApp.boot([Shop]);
    const session = await WireSession.open(app.url);

    const response = await session.request(method, { uri: 7 });

    expect(await response.json()).toEqual(errorFrame(1, -32602, 'params.uri must be a string.'));
  });

  it('refuses more than a session may have, and takes one again that it has', async () => {
    await using app = await SessionApp.boot([Shop], { http: { maxSubscriptions: 2 } });
    const session = await WireSession.open(app.url);
    await subscribe(session, 'shop://orders/1');
    await subscribe(session, 'shop://orders/2');

    const third = await session.request('resources/subscribe', { uri: 'shop://orders/3' });
    await subscribe(session, 'shop://orders/2');

    expect(await third.json()).toEqual(errorFrame(1, -32602, 'At most 2 resources can be subscribed to at once.'));
  });
});
