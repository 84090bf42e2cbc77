import { Injectable, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { CurrentCall, McpRegistry, McpResource, McpTool } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';

@Injectable()
class Telling {
  constructor(private readonly current: CurrentCall) {}

  @McpTool()
  count(): string {
    const call = this.current.get();
    for (const step of [1, 2, 3]) call.progress(step, 3, `step ${step}`);
    return 'done';
  }

  @McpTool()
  log(): string {
    const call = this.current.get();
    call.log('debug', 'a detail');
    call.log('warning', { low: 'disk' }, 'storage');
    return 'done';
  }

  @McpTool()
  async longAnswer(): Promise<string> {
    const call = this.current.get();
    call.progress(1);
    call.releaseConnection();
    await new Promise((resolve) => setTimeout(resolve, 50));
    call.progress(2);
    return 'done';
  }

  @McpResource('orders://{order}')
  order({ order }: { order: string }): string {
    return order;
  }
}

@Module({ providers: [Telling] })
class TellingModule {}

const UPDATED = 'notifications/resources/updated';
const TOOLS_CHANGED = 'notifications/tools/list_changed';

describe.each(['stateless', 'session'] as const)('a test client in the %s era', (era) => {
  it('hears of the progress of one call', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });
    const heard: unknown[] = [];

    await client.call('count', {}, { onProgress: (progress) => heard.push(progress) });
    await client.call('count');
    expect(heard).toEqual([1, 2, 3].map((step) => ({ progress: step, total: 3, message: `step ${step}` })));
    expect(client.notifications.of('notifications/progress')).toHaveLength(3);
  });

  it('hears of the progress of every call', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const heard: number[] = [];
    const client = app.client({ era }).onProgress(({ progress }) => heard.push(progress));

    await client.call('count');
    await client.call('count');
    expect(heard).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it('sends the progress token and the _meta that a test gives it', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });

    await client.call('count', {}, { meta: { progressToken: 'mine' } });
    expect(client.notifications.all[0]).toEqual({
      method: 'notifications/progress',
      params: { progressToken: 'mine', progress: 1, total: 3, message: 'step 1' },
    });
  });

  it('hears of the progress of a call no longer than it runs', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });
    const heard: number[] = [];
    const meta = { progressToken: 'mine' };

    await client.call('count', {}, { meta, onProgress: ({ progress }) => heard.push(progress) });
    await client.call('count', {}, { meta });
    expect(heard).toEqual([1, 2, 3]);
  });

  it('fails the call when its progress handler throws', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const onProgress = (): void => {
      throw new Error('too slow');
    };

    await expect(app.client({ era }).call('count', {}, { onProgress })).rejects.toThrow('too slow');
  });

  it('gets the log messages it asks for with a call', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });

    await client.call('log');
    expect(client.notifications.all).toEqual([]);
    await client.call('log', {}, { logLevel: 'info' });
    expect(client.notifications.of('notifications/message')).toEqual([
      { method: 'notifications/message', params: { level: 'warning', logger: 'storage', data: { low: 'disk' } } },
    ]);
  });

  it('gets the log messages of the level it sets', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });

    await client.setLogLevel('debug');
    await client.call('log');
    expect(client.notifications.of('notifications/message')).toHaveLength(2);
  });

  it('hears of the resource it subscribes to, until it unsubscribes', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });
    const registry = app.get(McpRegistry);

    await client.subscribe('orders://1');
    await client.subscribe('orders://2');
    await registry.resourceUpdated('orders://3');
    await registry.resourceUpdated('orders://1');
    expect(await client.waitForNotification(UPDATED)).toEqual({ method: UPDATED, params: { uri: 'orders://1' } });

    await client.unsubscribe('orders://1');
    await registry.resourceUpdated('orders://1');
    await registry.resourceUpdated('orders://2');
    expect(await client.waitForNotification(UPDATED)).toEqual({ method: UPDATED, params: { uri: 'orders://2' } });
    expect(client.notifications.of(UPDATED)).toHaveLength(2);
  });

  it('listens for changes of lists and resources', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });
    const registry = app.get(McpRegistry);

    await client.listen({ toolsListChanged: true, resourceSubscriptions: ['orders://1'] });
    registry.addTool({ name: 'added', handler: () => 'pong' });
    await registry.resourceUpdated('orders://1');
    await client.waitForNotification(TOOLS_CHANGED);
    await client.waitForNotification(UPDATED, ({ uri }) => uri === 'orders://1');
    expect(await client.call('added')).toMatchObject({ content: [{ text: 'pong' }] });
  });

  it('hears nothing any more once it stops listening', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });
    const registry = app.get(McpRegistry);

    const first = await client.listen({ toolsListChanged: true });
    await first.close();
    await first.ended;
    registry.addTool({ name: 'unheard', handler: () => '' });
    await client.call('count');
    expect(client.notifications.of(TOOLS_CHANGED)).toEqual([]);
  });

  it('sees its streams end when the server stops', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const listening = await app.client({ era }).listen({ toolsListChanged: true });

    await app.app.close();
    await expect(listening.ended).resolves.toBeUndefined();
  });

  it('hands out each notification once', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era }).onProgress(() => undefined);

    await client.call('count');
    const steps = [];
    for (let step = 0; step < 3; step++) steps.push(await client.waitForNotification('notifications/progress'));
    expect(steps.map(({ params }) => params['progress'])).toEqual([1, 2, 3]);
    await expect(client.waitForNotification('notifications/progress', undefined, { timeoutMs: 1 })).rejects.toThrow();
  });

  it('waits for the method and the params that it is told', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });
    const first = client.waitForNotification('notifications/progress');
    const second = client.waitForNotification('notifications/progress', ({ progress }) => progress === 2);

    await client.call('log', {}, { logLevel: 'debug' });
    await client.call('count', {}, { meta: { progressToken: 'mine' } });
    expect((await first).params).toMatchObject({ progress: 1 });
    expect((await second).params).toMatchObject({ progress: 2, message: 'step 2' });
  });

  it('says what came instead of what was waited for', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });

    await expect(client.waitForNotification(UPDATED, undefined, { timeoutMs: 1 })).rejects.toThrow(
      `No ${UPDATED} that was waited for came within 1 ms. No notification came at all.`,
    );
    await client.call('log', {}, { logLevel: 'warning' });
    await expect(client.waitForNotification(UPDATED, undefined, { timeoutMs: 1 })).rejects.toThrow(
      /What came: notifications\/message \{"level":"warning"/,
    );
  });

  it('forgets notifications on request', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era }).onProgress(() => undefined);

    await client.call('count');
    client.notifications.clear();
    expect(client.notifications.all).toEqual([]);
  });

  it('waits in vain for no longer than it is open', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era });
    const waiting = client.waitForNotification(UPDATED, undefined, { timeoutMs: 60_000 });
    const failing = expect(waiting).rejects.toThrow(`The client was closed while ${UPDATED} was waited for.`);

    await client.close();
    await failing;
  });

  it('gets the answer of a call whose connection is released', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era }).onProgress(() => undefined);

    expect(await client.call('longAnswer')).toEqual({ content: [{ type: 'text', text: 'done' }] });
    const heard = client.notifications.of('notifications/progress').map(({ params }) => params['progress']);
    expect(heard).toEqual([1, 2]);
  });
});

describe('a test client', () => {
  it('rejects a subscription that a session refuses, and can try again', async () => {
    await using app = await createMcpTestApp(TellingModule);
    const client = app.client({ era: 'session' });

    await expect(client.subscribe('no://such')).rejects.toMatchObject({ code: -32002 });
    await expect(client.subscribe('no://such')).rejects.toMatchObject({ code: -32002 });
  });

  it('rejects a filter that the server refuses', async () => {
    await using app = await createMcpTestApp(TellingModule, { options: { http: { maxSubscriptions: 1 } } });

    await expect(app.client().listen({ resourceSubscriptions: ['orders://1', 'orders://2'] })).rejects.toMatchObject({
      code: -32602,
    });
  });
});
