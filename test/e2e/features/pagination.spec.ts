import { describe, expect, it } from 'vitest';
import { McpRegistry } from '../../../src/index.js';
import type { McpTestClient } from '../../../src/testing.js';
import { ERAS, serve } from '../nest/serve.js';

interface Listed {
  readonly tools: { readonly name: string }[];
  readonly nextCursor?: string;
}

const names = ({ tools }: Listed) => tools.map(({ name }) => name);
const list = async (client: McpTestClient, cursor?: string) =>
  (await client.request('tools/list', cursor === undefined ? {} : { cursor })) as unknown as Listed;

/** An application whose tools have these names. */
async function serveTools(toolNames: readonly string[], pageSize?: number) {
  const app = await serve({}, pageSize === undefined ? {} : { options: { pageSize } });
  const registry = app.get(McpRegistry);
  for (const name of toolNames) registry.addTool({ name, handler: () => name });
  return app;
}

describe.each(ERAS)('lists in the %s era', (era) => {
  it('are in the order of their names, however they were added', async () => {
    await using app = await serveTools(['b', 'Z', 'a10', 'a2', 'a']);

    expect(names(await list(app.client({ era })))).toEqual(['Z', 'a', 'a10', 'a2', 'b']);
  });

  it('come in pages of the configured size, to the last', async () => {
    await using app = await serveTools(['a', 'b', 'c', 'd', 'e'], 2);
    const client = app.client({ era });

    const first = await list(client);
    const second = await list(client, first.nextCursor);
    const third = await list(client, second.nextCursor);

    expect([first, second, third].map(names)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(third.nextCursor).toBeUndefined();
  });

  it('have no cursor where all fits on one page', async () => {
    await using app = await serveTools(['a', 'b'], 2);

    expect(await list(app.client({ era }))).not.toHaveProperty('nextCursor');
  });

  it('are paged alike, be they of prompts, resources or templates', async () => {
    await using app = await serve({}, { options: { pageSize: 1 } });
    const registry = app.get(McpRegistry);
    for (const name of ['a', 'b']) {
      registry.addTool({ name, handler: () => name });
      registry.addPrompt({ name, handler: () => name });
      registry.addResource({ uri: `docs://${name}`, name, handler: () => name });
      registry.addResource({ uri: `docs://${name}/{x}`, name: `${name}-template`, handler: () => name });
    }
    const client = app.client({ era });

    expect((await client.listPrompts()).map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await client.listResources()).map(({ uri }) => uri)).toEqual(['docs://a', 'docs://b']);
    expect((await client.listResourceTemplates()).map(({ uriTemplate }) => uriTemplate)).toEqual([
      'docs://a/{x}',
      'docs://b/{x}',
    ]);
  });

  it('lose and repeat nothing that stays, when they change between two pages', async () => {
    await using app = await serveTools(['a', 'c', 'e', 'g'], 2);
    const registry = app.get(McpRegistry);
    const removed = registry.addTool({ name: 'd', handler: () => 'd' });
    const client = app.client({ era });

    const first = await list(client);
    removed.remove();
    registry.addTool({ name: 'b', handler: () => 'b' });
    registry.addTool({ name: 'f', handler: () => 'f' });
    const second = await list(client, first.nextCursor);

    expect([first, second].map(names)).toEqual([
      ['a', 'c'],
      ['e', 'f'],
    ]);
    expect(names(await list(client, second.nextCursor))).toEqual(['g']);
  });

  it('go on after an entry that is gone', async () => {
    await using app = await serveTools(['a', 'c'], 2);
    const removed = app.get(McpRegistry).addTool({ name: 'b', handler: () => 'b' });
    const client = app.client({ era });

    const { nextCursor } = await list(client);
    removed.remove();

    expect(names(await list(client, nextCursor))).toEqual(['c']);
  });

  it.each(['', 'x', '2', 'eyJhZnRlciI6MX0', 'bnVsbA', 'eyJhZnRlciI6ImEifQ=='])(
    'refuse the cursor "%s"',
    async (cursor) => {
      await using app = await serveTools(['a', 'b'], 1);
      const client = app.client({ era });

      for (const method of ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']) {
        await expect(client.request(method, { cursor })).rejects.toMatchObject({
          code: -32602,
          message: 'Invalid cursor. Start again without one.',
        });
      }
    },
  );

  it('refuse a cursor that is no string', async () => {
    await using app = await serveTools(['a']);

    await expect(app.client({ era }).request('tools/list', { cursor: 7 })).rejects.toMatchObject({ code: -32602 });
  });

  it('are the same for every connection, whatever was called on it', async () => {
    await using app = await serveTools(['a', 'b', 'c']);
    const registry = app.get(McpRegistry);
    registry.addPrompt({ name: 'p', handler: () => 'p' });
    registry.addResource({ uri: 'docs://r', name: 'r', handler: () => 'r' });
    registry.addResource({ uri: 'docs://{t}', name: 't', handler: () => 't' });
    const [one, other] = [app.client({ era }), app.client({ era, principal: { subject: 'ann' } })];
    const methods = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'];
    const all = (client: McpTestClient) => Promise.all(methods.map((method) => client.request(method)));

    const before = await all(one);
    await Promise.all([one.call('b'), one.prompt('p'), one.read('docs://r'), other.call('c')]);

    expect(await all(one)).toEqual(before);
    expect(await all(other)).toEqual(before);
    expect(before.map((list) => Object.values(list).find(Array.isArray)?.length)).toEqual([3, 1, 1, 1]);
  });
});
