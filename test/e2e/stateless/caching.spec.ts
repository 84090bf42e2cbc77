import { Injectable, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpModule, McpPrompt, McpResource, McpTool } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { type Json, statelessRequest } from '../../support/wire.js';
import { answerOf, refusalOf } from './requests.js';

@Injectable()
class Fixtures {
  @McpTool()
  first() {
    return 1;
  }

  @McpTool()
  second() {
    return 2;
  }

  @McpTool()
  third() {
    return 3;
  }

  @McpPrompt()
  ask() {
    return 'Ask.';
  }

  @McpPrompt()
  answer() {
    return 'Answer.';
  }

  @McpPrompt()
  agree() {
    return 'Agree.';
  }

  @McpResource('notes://plain')
  plain() {
    return 'Plain.';
  }

  @McpResource('notes://hinted', { cache: { ttlMs: 5_000, scope: 'public' } })
  hinted() {
    return 'Hinted.';
  }

  @McpResource('notes://timed', { cache: { ttlMs: 70 } })
  timed() {
    return 'Timed.';
  }

  @McpResource('pages://{number}', { cache: { ttlMs: 9 } })
  page({ number }: { number: string }) {
    return number;
  }

  @McpResource('books://{title}')
  book({ title }: { title: string }) {
    return title;
  }

  @McpResource('films://{title}')
  film({ title }: { title: string }) {
    return title;
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

const LISTS = [
  ['tools/list', 'tools', ['first', 'second', 'third']],
  ['prompts/list', 'prompts', ['agree', 'answer', 'ask']],
  ['resources/list', 'resources', ['hinted', 'plain', 'timed']],
  ['resources/templates/list', 'resourceTemplates', ['book', 'film', 'page']],
] as const;

async function resultOf(url: string, method: string, params: Json = {}): Promise<Json> {
  const { body } = await answerOf(await statelessRequest(url, method, params));
  return body['result'] as Json;
}

describe('cache hints', () => {
  it.each([...LISTS.map(([method]) => method), 'server/discover'])(
    'are on %s: not to be kept and private unless configured',
    async (method) => {
      await using app = await createMcpTestApp(FixtureModule);

      expect(await resultOf(app.url, method)).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
    },
  );

  it.each([...LISTS.map(([method]) => method), 'server/discover'])('are on %s as configured', async (method) => {
    const listCache = { ttlMs: 60_000, scope: 'public' } as const;
    await using app = await createMcpTestApp(FixtureModule, { options: { listCache } });

    expect(await resultOf(app.url, method)).toMatchObject({ ttlMs: 60_000, cacheScope: 'public' });
  });

  it.each([
    ['notes://plain', 0, 'private'],
    ['notes://hinted', 5_000, 'public'],
    ['notes://timed', 70, 'private'],
    ['pages://3', 9, 'private'],
  ])('are on what is read from %s: %i ms, %s', async (uri, ttlMs, cacheScope) => {
    await using app = await createMcpTestApp(FixtureModule);

    expect(await resultOf(app.url, 'resources/read', { uri })).toMatchObject({ ttlMs, cacheScope });
  });

  it.each([-1, 0.5, Number.NaN])('of %d ms for a resource stop the boot', async (ttlMs) => {
    class Wrong {
      note() {
        return 'Note.';
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Wrong.prototype, 'note')!;
    McpResource('notes://wrong', { cache: { ttlMs } })(Wrong.prototype, 'note', descriptor);

    const booting = createMcpTestApp({ module: class {}, providers: [Wrong] }, { logger: false });

    await expect(booting).rejects.toThrow('Wrong.note: cache.ttlMs');
  });

  it.each([-1, 0.5, Number.NaN])('of %d ms for the lists stop the boot', async (ttlMs) => {
    const booting = createMcpTestApp(McpModule.forRoot({ listCache: { ttlMs } }), { logger: false });

    await expect(booting).rejects.toThrow('listCache.ttlMs');
  });

  it('are the same on every page of a list', async () => {
    const options = { pageSize: 2, listCache: { ttlMs: 1_000, scope: 'public' } } as const;
    await using app = await createMcpTestApp(FixtureModule, { options });

    const first = await resultOf(app.url, 'tools/list');
    const second = await resultOf(app.url, 'tools/list', { cursor: first['nextCursor'] });

    expect([first['cacheScope'], second['cacheScope']]).toEqual(['public', 'public']);
  });
});

describe('pages', () => {
  it.each(LISTS)('of %s hold every entry once, and the last has no cursor', async (method, field, expected) => {
    await using app = await createMcpTestApp(FixtureModule, { options: { pageSize: 2 } });

    const first = await resultOf(app.url, method);
    const last = await resultOf(app.url, method, { cursor: first['nextCursor'] });

    const names = [first, last].map((page) => (page[field] as { name: string }[]).map(({ name }) => name));
    expect(names).toEqual([expected.slice(0, 2), expected.slice(2)]);
    expect(last).not.toHaveProperty('nextCursor');
  });

  it.each(LISTS)('of %s are not found under a cursor of another making', async (method) => {
    await using app = await createMcpTestApp(FixtureModule, { options: { pageSize: 2 } });

    for (const cursor of ['', '2', 'bm90aGluZw', 'eyJhZnRlciI6MX0', 7, null]) {
      const response = await statelessRequest(app.url, method, { cursor });
      expect(await refusalOf(response)).toEqual({ status: 200, code: -32602 });
    }
  });
});
