import { describe, expect, it } from 'vitest';
import type { PromptCapability } from './capability.js';
import { CapabilityList } from './capability-list.js';

function prompt(key: string, origin = `Class.${key}`): PromptCapability {
  return {
    kind: 'prompt',
    key,
    origin,
    description: undefined,
    argumentNames: [],
    entry: { stateless: `"new ${key}"`, session: `"old ${key}"` },
    timeoutMs: undefined,
    invoke: () => undefined,
  };
}

function listOf(keys: readonly string[], pageSize: number): CapabilityList<PromptCapability> {
  const list = new CapabilityList<PromptCapability>('prompt', pageSize);
  for (const key of keys) list.add(prompt(key));
  return list;
}

/** All pages, from the first to the last. */
function walk(list: CapabilityList<PromptCapability>): string[][] {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = list.page('stateless', cursor);
    pages.push(JSON.parse(page.entries) as string[]);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return pages;
}

describe('pages', () => {
  it('go by key, whatever the order of registration', () => {
    expect(walk(listOf(['b', 'a', 'Z', 'ä', 'aa'], 2))).toEqual([['new Z', 'new a'], ['new aa', 'new b'], ['new ä']]);
  });

  it.each([
    [0, 1],
    [1, 1],
    [3, 1],
    [4, 2],
  ])('of %i entries, three a page, are %i', (count, pages) => {
    const keys = ['a', 'b', 'c', 'd'].slice(0, count);

    expect(walk(listOf(keys, 3))).toHaveLength(pages);
  });

  it('carry the entries of the era', () => {
    expect(listOf(['a'], 2).page('session', undefined).entries).toBe('["old a"]');
  });

  it('are made once', () => {
    const list = listOf(['a', 'b', 'c'], 2);
    const { nextCursor } = list.page('session', undefined);

    expect(list.page('session', undefined)).toBe(list.page('session', undefined));
    expect(list.page('session', nextCursor)).toBe(list.page('session', nextCursor));
  });

  it('are made anew when the list changes', () => {
    const list = listOf(['a'], 2);
    list.page('stateless', undefined);

    list.add(prompt('b'));
    expect(walk(list)).toEqual([['new a', 'new b']]);
    list.delete('a');
    expect(walk(list)).toEqual([['new b']]);
  });
});

describe('a cursor', () => {
  it('outlives changes of the list: nothing is skipped and nothing comes twice', () => {
    const list = listOf(['b', 'd', 'f', 'h'], 2);
    const { nextCursor } = list.page('stateless', undefined);

    list.add(prompt('a'));
    list.add(prompt('e'));
    list.delete('d');

    expect(list.page('stateless', nextCursor).entries).toBe('["new e","new f"]');
  });

  it('behind the last entry yields an empty page', () => {
    const list = listOf(['a', 'b', 'c'], 2);
    const { nextCursor } = list.page('stateless', undefined);
    list.delete('c');

    expect(list.page('stateless', nextCursor)).toEqual({ entries: '[]', nextCursor: undefined });
  });

  it.each([
    '',
    'x',
    '💥',
    'e30',
    'bnVsbA',
    Buffer.from('{"after":7}').toString('base64url'),
    `${Buffer.from('{"after":"a"}').toString('base64url')}=`,
  ])('that was not issued here is refused: "%s"', (cursor) => {
    expect(() => listOf(['a'], 2).page('stateless', cursor)).toThrow(
      expect.objectContaining({ reason: 'INVALID_PARAMS' }),
    );
  });
});

describe('a key', () => {
  it('that is taken is refused, naming both places', () => {
    expect(() => listOf(['a'], 2).add(prompt('a', 'Other.a'))).toThrow(/Class\.a and Other\.a.*Rename/);
    expect(() => listOf(['a'], 2).add(prompt('a'))).toThrow(/Provide the class in one module/);
  });

  it('is found, and is gone when deleted', () => {
    const list = listOf(['__proto__', 'a'], 2);

    expect(list.get('__proto__')?.key).toBe('__proto__');
    expect(list.get('toString')).toBeUndefined();
    expect([list.delete('a'), list.delete('a')]).toEqual([true, false]);
    expect(list.all().map(({ key }) => key)).toEqual(['__proto__']);
  });
});
