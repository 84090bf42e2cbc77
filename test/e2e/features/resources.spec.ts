import type { ReadResourceResult } from '@modelcontextprotocol/server';
import { Injectable } from '@nestjs/common';
import { IsInt, Min } from 'class-validator';
import { Type } from 'class-transformer';
import { type Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { McpRegistry, McpResource } from '../../../src/index.js';
import { ERAS, serve } from '../nest/serve.js';

@Injectable()
class Orders {
  @McpResource('orders://all', { title: 'All orders', mimeType: 'text/csv', size: 12 })
  all(): string {
    return 'id,total\n7,5';
  }
  @McpResource('orders://{id}', { name: 'order', description: 'One order', annotations: { priority: 1 } })
  order({ id }: { id: string }): object | undefined {
    return id === '404' ? undefined : { id };
  }
}

describe.each(ERAS)('resources in the %s era', (era) => {
  const NOT_FOUND = { code: era === 'stateless' ? -32602 : -32002, message: 'Resource not found', status: 200 };

  it('are listed, those with a fixed URI apart from the templates', async () => {
    await using app = await serve({ providers: [Orders] });
    const client = app.client({ era });

    expect(await client.listResources()).toEqual([
      { uri: 'orders://all', name: 'all', title: 'All orders', mimeType: 'text/csv', size: 12 },
    ]);
    expect(await client.listResourceTemplates()).toEqual([
      { uriTemplate: 'orders://{id}', name: 'order', description: 'One order', annotations: { priority: 1 } },
    ]);
  });

  it('are read by their URI, or by one that fits a template, with its variables decoded', async () => {
    await using app = await serve({ providers: [Orders] });
    const client = app.client({ era });

    expect(await client.read('orders://all')).toEqual({
      contents: [{ uri: 'orders://all', mimeType: 'text/csv', text: 'id,total\n7,5' }],
    });
    expect(await client.read('orders://a%20b')).toEqual({
      contents: [{ uri: 'orders://a%20b', mimeType: 'application/json', text: '{"id":"a b"}' }],
    });
  });

  it.each(['orders://..', 'orders://..%2Fsecret', 'orders://a%2F%2E%2E%2Fb', 'orders://a%5C..', 'orders://a%00'])(
    'is not matched by a value that leads out of its place: %s',
    async (uri) => {
      await using app = await serve({ providers: [Orders] });

      await expect(app.client({ era }).read(uri)).rejects.toMatchObject({ ...NOT_FOUND, data: { uri } });
    },
  );

  it('is matched by a value that merely holds dots', async () => {
    await using app = await serve({ providers: [Orders] });

    const { contents } = await app.client({ era }).read('orders://..a%2Fb...');

    expect(contents).toMatchObject([{ text: '{"id":"..a/b..."}' }]);
  });

  const bytes = new Uint8Array([0, 255, 104, 105]);
  const cases: [string, () => unknown, object][] = [
    ['text', () => 'hi', { mimeType: 'text/plain', text: 'hi' }],
    ['empty text', () => '', { mimeType: 'text/plain', text: '' }],
    ['an object', () => ({ a: 1 }), { mimeType: 'application/json', text: '{"a":1}' }],
    ['a number', () => 0, { mimeType: 'application/json', text: '0' }],
    ['a Uint8Array', () => bytes, { mimeType: 'application/octet-stream', blob: 'AP9oaQ==' }],
    ['a part of a Uint8Array', () => bytes.subarray(2), { mimeType: 'application/octet-stream', blob: 'aGk=' }],
    ['a Buffer', () => Buffer.from('hi'), { mimeType: 'application/octet-stream', blob: 'aGk=' }],
    ['a promise', () => Promise.resolve('later'), { mimeType: 'text/plain', text: 'later' }],
  ];

  it.each(cases)('may be %s', async (_what, handler, expected) => {
    await using app = await serve({});
    app.get(McpRegistry).addResource({ uri: 'any://thing', name: 'thing', handler });

    expect(await app.client({ era }).read('any://thing')).toEqual({ contents: [{ uri: 'any://thing', ...expected }] });
  });

  it('may have several contents, with URIs and types of their own', async () => {
    const contents = [
      { uri: 'docs://a', mimeType: 'text/markdown', text: '# A' },
      { uri: 'docs://b', mimeType: 'image/png', blob: 'aGk=' },
    ];
    @Injectable()
    class Docs {
      @McpResource('docs://all')
      folder(): ReadResourceResult {
        return { contents };
      }
      @McpResource('docs://observed')
      observed(): Observable<string> {
        return of('seen');
      }
    }
    await using app = await serve({ providers: [Docs] });
    const client = app.client({ era });

    expect(await client.read('docs://all')).toEqual({ contents });
    expect((await client.read('docs://observed')).contents).toMatchObject([{ text: 'seen' }]);
  });

  it('that do not exist are an error that names them, never empty contents', async () => {
    @Injectable()
    class Empty {
      @McpResource('empty://null')
      none(): null {
        return null;
      }
      @McpResource('empty://contents')
      contents(): ReadResourceResult {
        return { contents: [] };
      }
    }
    await using app = await serve({ providers: [Orders, Empty] });
    const client = app.client({ era });

    for (const uri of ['orders://404', 'orders://7/lines', 'nothing://here', 'empty://null', 'empty://contents']) {
      await expect(client.read(uri)).rejects.toMatchObject({ ...NOT_FOUND, data: { uri } });
    }
  });

  it.each(['orders', '/etc/passwd', 'orders://a b', ''])(
    'are not looked for under "%s", which is no URI',
    async (uri) => {
      let ran = false;
      await using app = await serve({});
      app.get(McpRegistry).addResource({ uri: 'any://{+rest}', name: 'any', handler: () => (ran = true) });

      await expect(app.client({ era }).read(uri)).rejects.toMatchObject({
        code: -32602,
        message: 'params.uri must be an absolute URI.',
      });
      expect(ran).toBe(false);
    },
  );

  it('check the variables of their template by a schema', async () => {
    class PageInput {
      @IsInt()
      @Min(1)
      @Type(() => Number)
      page!: number;
    }
    let ran = 0;
    @Injectable()
    class Pages {
      @McpResource('pages://{page}')
      page({ page }: PageInput): string {
        ran++;
        return `page ${page + 1}`;
      }
    }
    await using app = await serve({ providers: [Pages] });
    const client = app.client({ era });

    expect((await client.read('pages://7')).contents).toMatchObject([{ text: 'page 8' }]);
    await expect(client.read('pages://seven')).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('- page: must be an integer number'),
    });
    expect(ran).toBe(1);
  });

  it('prefer a fixed URI to a template, and of two templates the one with more text of its own', async () => {
    await using app = await serve({});
    const registry = app.get(McpRegistry);
    const add = (uri: string): void =>
      void registry.addResource({ uri, name: uri.replace(/\W/g, ''), handler: () => uri });
    for (const uri of ['docs://{+any}', 'docs://api/{name}', 'docs://api/index']) add(uri);
    const client = app.client({ era });
    const read = async (uri: string) => (await client.read(uri)).contents[0];

    expect(await read('docs://api/index')).toMatchObject({ text: 'docs://api/index' });
    expect(await read('docs://api/users')).toMatchObject({ text: 'docs://api/{name}' });
    expect(await read('docs://guide/users')).toMatchObject({ text: 'docs://{+any}' });
  });

  it('give what stands beside the contents as well', async () => {
    await using app = await serve({});
    const result = { contents: [{ uri: 'a://b', text: 'c', _meta: { 'acme/a': 1 } }], _meta: { 'acme/b': 2 } };
    app.get(McpRegistry).addResource({ uri: 'a://b', name: 'b', handler: () => result });

    expect(await app.client({ era }).read('a://b')).toEqual(result);
  });
});

describe('the cache hint of a resource', () => {
  it('goes with its result in the stateless era alone; without one nothing may be kept', async () => {
    @Injectable()
    class Docs {
      @McpResource('docs://cached', { cache: { ttlMs: 5_000, scope: 'public' } })
      cached(): string {
        return '';
      }
      @McpResource('docs://plain')
      plain(): string {
        return '';
      }
    }
    await using app = await serve({ providers: [Docs] });
    const read = (era: 'stateless' | 'session', uri: string) => app.client({ era }).request('resources/read', { uri });

    expect(await read('stateless', 'docs://cached')).toMatchObject({ ttlMs: 5_000, cacheScope: 'public' });
    expect(await read('stateless', 'docs://plain')).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
    expect(Object.keys(await read('session', 'docs://cached'))).toEqual(['contents']);
  });
});
