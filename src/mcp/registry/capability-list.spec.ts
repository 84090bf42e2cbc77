import { describe, expect, it } from 'vitest';
import type { PromptCapability } from './capability.js';
import { CapabilityList } from './capability-list.js';
import { rulesFromOptions } from './capability-rules.js';
import type { Visibility } from './visibility.js';

function prompt(key: string, origin = `Class.${key}`): PromptCapability {
  return {
    kind: 'prompt',
    key,
    observed: { kind: 'prompt', key },
    origin,
    description: undefined,
    argumentNames: [],
    entry: { stateless: `"new ${key}"`, session: `"old ${key}"` },
    timeoutMs: undefined,
    rules: rulesFromOptions({}, origin),
    invoke: () => undefined,
  };
}

function listOf(keys: readonly string[], pageSize: number): CapabilityList<PromptCapability> {
  const list = new CapabilityList<PromptCapability>('prompt', pageSize);
  for (const key of keys) list.add(prompt(key));
  return list;
}

/** For callers who see these alone. */
function only(...keys: string[]): Visibility {
  return { key: keys.join(), sees: ({ key }) => keys.includes(key) };
}

/** All pages, from the first to the last. */
function walk(list: CapabilityList<PromptCapability>, visibility?: Visibility): string[][] {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = list.page('stateless', cursor, visibility);
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

describe('of a list that a caller sees in part', () => {
  const seen = only('b', 'd', 'e');
  const list = (): CapabilityList<PromptCapability> => listOf(['a', 'b', 'c', 'd', 'e', 'f'], 2);

  it('pages are as if there were nothing else', () => {
    expect(walk(list(), seen)).toEqual([['new b', 'new d'], ['new e']]);
    expect(list().page('session', undefined, seen)).toEqual(listOf(['b', 'd', 'e'], 2).page('session', undefined));
  });

  it('cursors name what is seen alone, and none leads to a page behind which all is hidden', () => {
    const { nextCursor } = list().page('session', undefined, seen);

    expect(Buffer.from(nextCursor ?? '', 'base64url').toString()).toBe('{"after":"d"}');
    expect(list().page('session', undefined, only('a', 'b')).nextCursor).toBeUndefined();
  });

  it('a cursor that names something hidden is like one that names nothing', () => {
    const cursor = (after: string): string => Buffer.from(JSON.stringify({ after })).toString('base64url');
    const page = { entries: '["new d","new e"]', nextCursor: undefined };

    expect(list().page('stateless', cursor('c'), seen)).toEqual(page);
    expect(list().page('stateless', cursor('bb'), seen)).toEqual(page);
  });

  it('a page is empty if nothing is seen', () => {
    expect(list().page('session', undefined, only())).toEqual({ entries: '[]', nextCursor: undefined });
  });

  it('pages are made once for all who see the same, and apart from those who do not', () => {
    const shared = list();
    const page = shared.page('session', undefined, only('b', 'd', 'e'));

    expect(shared.page('session', undefined, only('b', 'd', 'e'))).toBe(page);
    expect(shared.page('session', undefined, only('b')).entries).toBe('["old b"]');
    expect(shared.page('session', undefined).entries).toBe('["old a","old b"]');
    expect(shared.page('session', undefined, only('b', 'd', 'e'))).toBe(page);
  });

  it('pages are made anew when the list changes, of what is then seen', () => {
    const shared = list();
    shared.page('stateless', undefined, seen);
    shared.delete('d');

    expect(walk(shared, seen)).toEqual([['new b', 'new e']]);
  });

  it('a hundred sets are kept, and the one that came first goes', () => {
    const shared = list();
    const view = (name: number): Visibility => ({ key: String(name), sees: ({ key }) => key === 'a' });
    const first = shared.page('session', undefined, view(0));
    for (let name = 1; name < 100; name += 1) shared.page('session', undefined, view(name));
    const second = shared.page('session', undefined, view(1));
    expect(shared.page('session', undefined, view(0))).toBe(first);

    shared.page('session', undefined, view(100));

    expect(shared.page('session', undefined, view(1))).toBe(second);
    expect(shared.page('session', undefined, view(0))).not.toBe(first);
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
