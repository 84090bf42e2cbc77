import { describe, expect, it, vi } from 'vitest';
import type { Json } from '../../support/wire.js';
import { ShopTools } from './fixtures.js';
import { CLIENTS } from './real-clients.js';
import { serve } from './served.js';

describe.each(CLIENTS)('$name', ({ connect, era, revision, notFoundCode }) => {
  it('settles on the newest revision it speaks', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);

    expect(client.revision).toBe(revision);
  });

  it('lists tools, resources, templates and prompts', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);

    const tools = await client.listTools();
    const { resources } = await client.listResources();
    const { resourceTemplates } = await client.listResourceTemplates();
    const { prompts } = await client.listPrompts();

    expect(tools).toHaveLength(10);
    expect(tools).toContainEqual(
      expect.objectContaining({
        name: 'order',
        title: 'Place an order',
        inputSchema: expect.objectContaining({ required: ['orderId', 'pieces'] }),
        outputSchema: expect.objectContaining({ type: 'object' }),
      }),
    );
    expect(resources).toEqual([{ uri: 'shop://terms', name: 'terms', title: 'Terms', mimeType: 'text/markdown' }]);
    expect(resourceTemplates).toEqual([{ uriTemplate: 'orders://{orderId}', name: 'orderById', title: 'An order' }]);
    expect(prompts).toEqual([
      { name: 'review', title: 'Review code', arguments: [{ name: 'language', required: true }] },
    ]);
  });

  it('walks the pages of a long list', async () => {
    await using served = await serve([ShopTools], { pageSize: 3 });
    await using client = await connect(served.url);

    const tools = await client.listTools();

    expect(tools.map(({ name }) => name)).toEqual([
      'break',
      'callBack',
      'confirm',
      'count',
      'haiku',
      'order',
      'pack',
      'refuse',
      'wait',
      'where',
    ]);
  });

  it('calls a tool with a DTO and gets structured content that fits its output schema', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    // With the list in hand the client checks the result against the output schema.
    await client.listTools();

    const result = await client.call('order', { orderId: 'ORD-001', pieces: 2 });

    expect(result).toMatchObject({
      content: [{ type: 'text', text: '{"orderId":"ORD-001","total":500}' }],
      structuredContent: { orderId: 'ORD-001', total: 500 },
    });
  });

  it('hears of wrong arguments in words for the model', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);

    const result = await client.call('order', { orderId: 'nope', pieces: 0 });

    expect(result).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringMatching(/orderId/) }],
    });
  });

  it('hears what a tool says against the call, and nothing of what breaks inside of it', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);

    const refusal = await client.call('refuse');
    const failure = client.call('break');

    expect(refusal).toMatchObject({ isError: true, content: [{ type: 'text', text: 'Out of stock. Try tomorrow.' }] });
    await expect(failure).rejects.toMatchObject({ code: -32603, message: expect.not.stringContaining('hunter2') });
  });

  it('is told of an unknown tool', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);

    await expect(client.call('nothing')).rejects.toMatchObject({ code: -32602 });
  });

  it('follows progress', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    const heard: Json[] = [];

    const result = await client.call('pack', {}, { onprogress: (progress) => heard.push(progress) });

    expect(result).toMatchObject({ content: [{ type: 'text', text: 'packed' }] });
    expect(heard).toMatchObject([
      { progress: 1, total: 3, message: 'boxed' },
      { progress: 2, total: 3, message: 'sealed' },
      { progress: 3, total: 3, message: 'labelled' },
    ]);
  });

  it('gets log messages from the level it asked for', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    await client.call('pack');
    await client.wantLogs('warning');

    await client.call('pack');

    expect(client.notifications).toMatchObject([
      { method: 'notifications/message', params: { level: 'warning', logger: 'packing', data: { tape: 'low' } } },
    ]);
  });

  it('asks its user', async () => {
    const elicit = vi.fn(() => ({ action: 'accept', content: { confirmed: true } }));
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url, { elicit });

    const result = await client.call('confirm');

    expect(result).toMatchObject({ content: [{ type: 'text', text: 'refunded' }] });
    expect(elicit).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        message: 'Refund 42?',
        requestedSchema: expect.objectContaining({ properties: { confirmed: { type: 'boolean' } } }),
      }),
    );
  });

  it('lets its user decline', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url, { elicit: () => ({ action: 'decline' }) });

    const result = await client.call('confirm');

    expect(result).toMatchObject({ isError: true, content: [{ text: 'The user declined to answer.' }] });
  });

  it('is not asked what it cannot answer', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);

    const outcome = await client.call('confirm').catch((error: Error) => error);

    expect(outcome).toMatchObject(
      era === 'stateless'
        ? { code: -32021, data: { requiredCapabilities: { elicitation: {} } } }
        : { isError: true, content: [{ text: 'This call needs a client with the capability: elicitation.' }] },
    );
  });

  it('asks its model', async () => {
    const sample = vi.fn(() => ({ role: 'assistant', model: 'poet', content: { type: 'text', text: 'frog, splash' } }));
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url, { sample });

    const result = await client.call('haiku');

    expect(result).toMatchObject({ content: [{ text: 'The model says: frog, splash' }] });
    expect(sample).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ maxTokens: 50 }));
  });

  it('names its roots', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url, { roots: () => [{ uri: 'file:///home/me' }] });

    const result = await client.call('where');

    expect(result).toMatchObject({ content: [{ text: 'file:///home/me' }] });
  });

  it('reads a resource, and one of a template', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);

    const terms = await client.read('shop://terms');
    const order = await client.read('orders://ORD-001');

    expect(terms).toMatchObject({ contents: [{ uri: 'shop://terms', mimeType: 'text/markdown', text: '# Terms' }] });
    expect(order).toMatchObject({
      contents: [
        { uri: 'orders://ORD-001', mimeType: 'application/json', text: '{"orderId":"ORD-001","state":"shipped"}' },
      ],
    });
  });

  it.each(['orders://ORD-404', 'nowhere://'])('is told that there is no %s', async (uri) => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);

    await expect(client.read(uri)).rejects.toMatchObject({ code: notFoundCode, data: { uri } });
  });

  it('gets a prompt and completes its argument', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);

    const values = await client.complete('review', 'language', 'T');
    const prompt = await client.prompt('review', { language: 'Turtle' });

    expect(values).toEqual(['TypeScript', 'Turtle']);
    expect(prompt).toMatchObject({
      messages: [{ role: 'user', content: { type: 'text', text: 'Review this Turtle code.' } }],
    });
  });

  it('hears of a subscribed resource and of no other', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    await client.subscribe('orders://ORD-001');

    await served.registry.resourceUpdated('orders://ORD-002');
    await served.registry.resourceUpdated('orders://ORD-001');

    await expect.poll(() => client.notifications).toHaveLength(1);
    expect(client.notifications).toMatchObject([
      { method: 'notifications/resources/updated', params: { uri: 'orders://ORD-001' } },
    ]);
  });

  it('hears nothing any more once it has unsubscribed', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    const first = await client.subscribe('orders://ORD-001');
    await first.close();
    await client.subscribe('orders://ORD-002');

    await served.registry.resourceUpdated('orders://ORD-001');
    await served.registry.resourceUpdated('orders://ORD-002');

    await expect.poll(() => client.notifications).toHaveLength(1);
    expect(client.notifications).toMatchObject([{ params: { uri: 'orders://ORD-002' } }]);
  });

  it('is told when a list changes, and sees the change', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    await client.subscribe('shop://terms');

    const registration = served.registry.addTool({ name: 'late', handler: () => 'here now' });
    await expect
      .poll(() => client.notifications.map(({ method }) => method))
      .toContain('notifications/tools/list_changed');
    const result = await client.call('late');
    registration.remove();

    expect(result).toMatchObject({ content: [{ text: 'here now' }] });
    await expect.poll(() => client.notifications).toHaveLength(2);
    await expect(client.call('late')).rejects.toMatchObject({ code: -32602 });
  });

  it('cancels a call, and the tool hears of it', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    const tools = served.app.get(ShopTools);
    const stop = new AbortController();

    const call = client.call('wait', {}, { signal: stop.signal });
    const outcome = expect(call).rejects.toThrow();
    await tools.begun.promise;
    stop.abort('changed my mind');

    await outcome;
    expect(await tools.stopped.promise).toMatchObject({ name: 'CallCancelled' });
  });

  it('gives up on a call after its own timeout, and the tool hears of it', async () => {
    await using served = await serve([ShopTools]);
    await using client = await connect(served.url);
    const tools = served.app.get(ShopTools);

    const call = client.call('wait', {}, { timeout: 100 });

    await expect(call).rejects.toThrow(/timed out/i);
    expect(await tools.stopped.promise).toMatchObject({ name: 'CallCancelled' });
  });

  it('is told when the server gives up on a call', async () => {
    await using served = await serve([ShopTools], { callTimeoutMs: 50 });
    await using client = await connect(served.url);

    const result = await client.call('wait');

    expect(result).toMatchObject({
      isError: true,
      content: [{ text: 'This took longer than 50 ms and was stopped. Try a smaller request.' }],
    });
    expect(await served.app.get(ShopTools).stopped.promise).toMatchObject({ name: 'CallTimedOut' });
  });
});
