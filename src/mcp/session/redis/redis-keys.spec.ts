import { expect, it } from 'vitest';
import { RedisKeys } from './redis-keys.js';

const keys = new RedisKeys('p:');
/** What Redis Cluster takes the slot from: all between the first brace and the next closing one, if it is something. */
const tagOf = (key: string): string | undefined => /\{(.+?)\}/.exec(key)?.[1];

it.each(['c0ffee', '}x', '{}', 'a}{b', 'a b', 'ü:%'])('puts all keys of the session %j into one slot', (id) => {
  const all = [
    keys.session(id),
    keys.subscriptions(id),
    keys.watchers(id),
    keys.asks(id),
    keys.streams(id),
    keys.stream(id, '}s{'),
    keys.streamMeta(id, 's'),
  ];

  expect(new Set(all).size).toBe(all.length);
  expect(new Set(all.map(tagOf))).toEqual(new Set([encodeURIComponent(id)]));
  for (const key of all) expect(key.startsWith(keys.ofSession(id))).toBe(true);
});

it('gives each session, owner and replica its own', () => {
  expect(keys.session('a')).not.toBe(keys.session('b'));
  expect(keys.sessionsOf('ada')).not.toBe(keys.sessionsOf('eve'));
  expect(keys.sessionsOf('ada')).not.toContain('ada');
  expect(keys.inbox('r1')).toBe('p:inbox:r1');
});

it('refuses a prefix that would change the slot', () => {
  expect(() => new RedisKeys('a{b}')).toThrow('must not hold braces');
});
