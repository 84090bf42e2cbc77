import { describe, expect, it } from 'vitest';
import type { Json } from '../../support/wire.js';
import { ShopTools } from './fixtures.js';
import { CLIENTS } from './real-clients.js';
import { type Served, serve } from './served.js';

const http = { retryMs: 20 };

/** The `Last-Event-ID` of each GET that comes from now on. */
function resumptions({ server }: Served): (string | undefined)[] {
  const seen: (string | undefined)[] = [];
  server.on('request', ({ method, headers }: { method: string; headers: Record<string, string | undefined> }) => {
    if (method === 'GET') seen.push(headers['last-event-id']);
  });
  return seen;
}

describe.each(CLIENTS.filter(({ era }) => era === 'session'))('$name, cut off', ({ connect }) => {
  it('gets the answer of a call that ended while it was away', async () => {
    await using served = await serve([ShopTools], { http });
    await using client = await connect(served.url);
    const tools = served.app.get(ShopTools);
    const heard: Json[] = [];

    const call = client.call('wait', {}, { onprogress: (progress) => heard.push(progress) });
    await expect.poll(() => heard).toHaveLength(1);
    const seen = resumptions(served);
    served.server.closeAllConnections();
    tools.mayEnd.resolve();

    expect(await call).toMatchObject({ content: [{ text: 'waited' }] });
    expect(heard).toMatchObject([{ progress: 1 }, { progress: 2 }]);
    expect(seen.filter((id) => id !== undefined && !id.startsWith('changes.'))).toHaveLength(1);
  });

  it('gets the answer of a call that goes on after it is back', async () => {
    await using served = await serve([ShopTools], { http });
    await using client = await connect(served.url);
    const tools = served.app.get(ShopTools);
    const heard: Json[] = [];

    const call = client.call('wait', {}, { onprogress: (progress) => heard.push(progress) });
    await expect.poll(() => heard).toHaveLength(1);
    const seen = resumptions(served);
    served.server.closeAllConnections();
    await expect.poll(() => seen.filter((id) => id !== undefined && !id.startsWith('changes.'))).toHaveLength(1);
    tools.mayEnd.resolve();

    expect(await call).toMatchObject({ content: [{ text: 'waited' }] });
  });

  it('survives being cut off again and again, and hears everything once and in order', async () => {
    await using served = await serve([ShopTools], { http });
    await using client = await connect(served.url);
    const tools = served.app.get(ShopTools);
    const heard: Json[] = [];

    const call = client.call('count', {}, { onprogress: (progress) => heard.push(progress) });
    for (let step = 1; step <= 4; step++) {
      await expect.poll(() => heard.length).toBeGreaterThanOrEqual(step);
      served.server.closeAllConnections();
      tools.tick();
    }

    expect(await call).toMatchObject({ content: [{ text: 'counted' }] });
    expect(heard.map(({ progress }) => progress)).toEqual([1, 2, 3, 4, 5]);
  });

  it('hears of a change that happened while it was away, once', async () => {
    await using served = await serve([ShopTools], { http });
    await using client = await connect(served.url);
    await client.subscribe('orders://ORD-001');
    await served.registry.resourceUpdated('orders://ORD-001');
    await expect.poll(() => client.notifications).toHaveLength(1);

    const seen = resumptions(served);
    served.server.closeAllConnections();
    served.registry.addTool({ name: 'late', handler: () => 'here now' });
    await expect.poll(() => client.notifications).toHaveLength(2);
    await served.registry.resourceUpdated('orders://ORD-001');
    await expect.poll(() => client.notifications).toHaveLength(3);

    expect(client.notifications.map(({ method }) => method)).toEqual([
      'notifications/resources/updated',
      'notifications/tools/list_changed',
      'notifications/resources/updated',
    ]);
    expect(seen[0]).toMatch(/^changes\./);
  });

  it('comes back for an answer when the server let go of the connection', async () => {
    await using served = await serve([ShopTools], { http });
    await using client = await connect(served.url);
    const seen = resumptions(served);

    const result = await client.call('callBack');

    expect(result).toMatchObject({ content: [{ text: 'called back' }] });
    expect(seen.some((id) => id !== undefined && !id.startsWith('changes.'))).toBe(true);
  });

  it('is told that its session is gone, and opens another', async () => {
    await using served = await serve([ShopTools]);
    const ids = new Set<string>();
    served.server.on('request', ({ headers }: { headers: Record<string, string | undefined> }) => {
      if (headers['mcp-session-id']) ids.add(headers['mcp-session-id']);
    });
    await using client = await connect(served.url);
    await client.listPrompts();
    const [sessionId = ''] = ids;
    await fetch(served.url, { method: 'DELETE', headers: { 'mcp-session-id': sessionId } });

    await expect(client.listPrompts()).rejects.toThrow(/No such session/);
    await using another = await connect(served.url);
    expect(await another.listPrompts()).toMatchObject({ prompts: [{ name: 'review' }] });
  });
});

describe.each(CLIENTS.filter(({ era }) => era === 'stateless'))('$name, cut off', ({ connect }) => {
  it('loses its call, which is stopped, and goes on with the next', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    const tools = served.app.get(ShopTools);

    // The client itself does not notice; it waits out its timeout.
    const call = client.call('wait', {}, { onprogress: () => undefined, timeout: 300 });
    const outcome = expect(call).rejects.toThrow(/timed out/i);
    await tools.begun.promise;
    served.server.closeAllConnections();

    expect(await tools.stopped.promise).toMatchObject({ name: 'CallCancelled' });
    await outcome;
    expect(await client.call('pack')).toMatchObject({ content: [{ text: 'packed' }] });
  });

  it('knows that it hears nothing any more, and subscribes anew', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    const subscription = await client.subscribe('orders://ORD-001');

    served.server.closeAllConnections();
    expect(await subscription.closed).toBe('remote');
    await client.subscribe('orders://ORD-001');
    await served.registry.resourceUpdated('orders://ORD-001');

    await expect.poll(() => client.notifications).toMatchObject([{ params: { uri: 'orders://ORD-001' } }]);
  });

  it('is told in good order when the server stops', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    const subscription = await client.subscribe('orders://ORD-001');

    await served.app.close();

    expect(await subscription.closed).toBe('graceful');
  });
});
