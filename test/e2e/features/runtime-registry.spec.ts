import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpRegistry, McpTool } from '../../../src/index.js';
import { ERAS, serve } from '../nest/serve.js';

const said = (text: string) => ({ content: [{ type: 'text', text }] });

@Injectable()
class Ping {
  constructor(private readonly registry: McpRegistry) {}
  @McpTool()
  ping(): string {
    return 'pong';
  }
  @McpTool()
  open(): string {
    this.registry.addTool({ name: 'door', handler: () => 'open' });
    return 'opened';
  }
}

describe.each(ERAS)('what is added while the server runs, in the %s era', (era) => {
  it('is listed and callable at once, and gone when it is removed', async () => {
    await using app = await serve({ providers: [Ping] });
    const client = app.client({ era });

    const registration = app.get(McpRegistry).addTool({
      name: 'add',
      title: 'Add',
      input: z.object({ a: z.number('must be a number'), b: z.number() }),
      output: z.object({ sum: z.number() }),
      handler: ({ a, b }) => ({ sum: a + b }),
    });

    expect((await client.listTools()).map(({ name }) => name)).toEqual(['add', 'open', 'ping']);
    expect(await client.call('add', { a: 1, b: 2 })).toEqual({ structuredContent: { sum: 3 }, ...said('{"sum":3}') });
    expect(await client.call('add', { a: '1', b: 2 })).toMatchObject({
      isError: true,
      content: [{ text: 'Invalid arguments:\n- a: must be a number' }],
    });
    registration.remove();
    registration.remove();
    expect((await client.listTools()).map(({ name }) => name)).toEqual(['open', 'ping']);
    await expect(client.call('add', { a: 1, b: 2 })).rejects.toMatchObject({ code: -32602 });
  });

  it('may be resources, templates, prompts and completions, with the call beside the input', async () => {
    await using app = await serve({});
    const registry = app.get(McpRegistry);
    const added = [
      registry.addResource({ uri: 'docs://index', name: 'index', handler: (_input, call) => call.target }),
      registry.addResource({ uri: 'docs://{name}', name: 'doc', handler: ({ name }) => `doc ${String(name)}` }),
      registry.addPrompt({
        name: 'review',
        input: z.object({ language: z.string() }),
        handler: ({ language }, call) => `${language} for ${call.principal.subject}`,
      }),
      registry.addCompletion({ prompt: 'review', argument: 'language' }, ({ value }) => [`${value}!`]),
    ];
    const client = app.client({ era, principal: { subject: 'ann' } });
    const language = { name: 'language', value: 'g' };

    expect((await client.read('docs://index')).contents).toMatchObject([{ text: 'docs://index' }]);
    expect((await client.read('docs://a')).contents).toMatchObject([{ text: 'doc a' }]);
    expect((await client.prompt('review', { language: 'go' })).messages).toMatchObject([
      { content: { text: 'go for ann' } },
    ]);
    expect((await client.complete({ type: 'ref/prompt', name: 'review' }, language)).values).toEqual(['g!']);
    for (const { remove } of added) remove();
    await expect(client.read('docs://a')).rejects.toMatchObject({ message: 'Resource not found' });
    await expect(client.prompt('review')).rejects.toMatchObject({ message: 'Unknown prompt: review' });
    expect([await client.listResources(), await client.listResourceTemplates()]).toEqual([[], []]);
  });

  it('is announced to every client that listens, and so is its removal', async () => {
    await using app = await serve({});
    const registry = app.get(McpRegistry);
    const clients = [app.client({ era }), app.client({ era })];
    const filter = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
    for (const client of clients) await client.listen(filter);

    const announced = async (kind: string): Promise<void> => {
      for (const client of clients) await client.waitForNotification(`notifications/${kind}/list_changed`);
    };
    const tool = registry.addTool({ name: 'a', handler: () => '' });
    await announced('tools');
    tool.remove();
    await announced('tools');
    registry.addPrompt({ name: 'a', handler: () => '' });
    await announced('prompts');
    registry.addResource({ uri: 'a://b', name: 'a', handler: () => '' });
    await announced('resources');
    registry.addResource({ uri: 'a://{b}', name: 'b', handler: () => '' }).remove();
    await announced('resources');
  });

  it('is in the list by the time its announcement arrives', async () => {
    await using app = await serve({ providers: [Ping] });
    const client = app.client({ era });
    await client.listen({ toolsListChanged: true });

    expect(await client.call('open')).toEqual(said('opened'));
    await client.waitForNotification('notifications/tools/list_changed');

    expect((await client.listTools()).map(({ name }) => name)).toEqual(['door', 'open', 'ping']);
    expect(await client.call('door')).toEqual(said('open'));
  });

  it('does not announce what could not be added', async () => {
    await using app = await serve({ providers: [Ping] });
    const registry = app.get(McpRegistry);
    const client = app.client({ era });
    await client.listen({ toolsListChanged: true, promptsListChanged: true });

    expect(() => registry.addTool({ name: 'ping', handler: () => '' })).toThrow('Two tools are called "ping"');
    registry.addPrompt({ name: 'last', handler: () => '' });
    await client.waitForNotification('notifications/prompts/list_changed');

    expect(client.notifications.of('notifications/tools/list_changed')).toEqual([]);
  });

  it('tells of an update those who subscribed to the resource, and nobody else', async () => {
    await using app = await serve({});
    const registry = app.get(McpRegistry);
    registry.addResource({ uri: 'orders://{id}', name: 'order', handler: ({ id }) => String(id) });
    const [subscriber, other] = [app.client({ era }), app.client({ era })];
    await subscriber.subscribe('orders://7');
    await other.subscribe('orders://8');

    await registry.resourceUpdated('orders://7');
    await registry.resourceUpdated('orders://8');
    await other.waitForNotification('notifications/resources/updated');
    await subscriber.waitForNotification('notifications/resources/updated');

    const heardBy = (client: typeof other) =>
      client.notifications.of('notifications/resources/updated').map(({ params }) => params);
    expect(heardBy(subscriber)).toEqual([{ uri: 'orders://7' }]);
    expect(heardBy(other)).toEqual([{ uri: 'orders://8' }]);
  });

  it('tells nothing any more of a resource that one has unsubscribed from', async () => {
    await using app = await serve({});
    const registry = app.get(McpRegistry);
    for (const uri of ['orders://7', 'orders://8'])
      registry.addResource({ uri, name: uri.slice(9), handler: () => '' });
    const client = app.client({ era });
    await client.subscribe('orders://7');
    await client.subscribe('orders://8');

    await client.unsubscribe('orders://7');
    await registry.resourceUpdated('orders://7');
    await registry.resourceUpdated('orders://8');
    await client.waitForNotification('notifications/resources/updated', ({ uri }) => uri === 'orders://8');

    expect(client.notifications.of('notifications/resources/updated')).toHaveLength(1);
  });
});
