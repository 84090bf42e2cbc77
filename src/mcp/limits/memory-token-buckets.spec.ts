import { expect, it } from 'vitest';
import { MemoryTokenBuckets } from './memory-token-buckets.js';
import type { BucketSpec } from './token-buckets.port.js';

/** The behaviour of the port is in test/contract; here is what it costs. */

/** One call, and the next one so many milliseconds later. */
const oneIn = (ms: number, key: string): BucketSpec => ({ key, capacity: 1, refillPerMs: 1 / ms, cost: 1 });

function crowded(maxEntries: number) {
  let time = 0;
  const buckets = new MemoryTokenBuckets({ maxEntries, now: () => time });
  return { buckets, advance: (ms: number) => (time += ms) };
}

it('remembers no more buckets than it may', () => {
  const { buckets } = crowded(100);

  for (let i = 0; i < 1_000; i += 1) buckets.take([oneIn(60_000, `b${i}`)]);

  expect(buckets.size).toBe(100);
});

it('forgets those that are full first, when there is no room', () => {
  const { buckets, advance } = crowded(3);
  buckets.take([oneIn(60_000, 'slow')]);
  buckets.take([oneIn(100, 'fast')]);
  buckets.take([oneIn(60_000, 'slow too')]);

  advance(1_000);
  buckets.take([oneIn(60_000, 'new')]);

  expect(['slow', 'fast', 'slow too', 'new'].filter((key) => buckets.has(key))).toEqual(['slow', 'slow too', 'new']);
});

it('forgets the one that was not used for the longest time, when none is full', () => {
  const { buckets } = crowded(2);
  const first = { ...oneIn(60_000, 'first'), capacity: 9 };
  buckets.take([first]);
  buckets.take([oneIn(60_000, 'second')]);
  buckets.take([first]);

  buckets.take([oneIn(60_000, 'third')]);

  expect(['first', 'second', 'third'].filter((key) => buckets.has(key))).toEqual(['first', 'third']);
});

it('gives memory back by and by, without being full', () => {
  const { buckets, advance } = crowded(1_000);
  for (let i = 0; i < 500; i += 1) buckets.take([oneIn(100, `b${i}`)]);

  advance(60_000);
  buckets.take([oneIn(100, 'new')]);

  expect(buckets.size).toBe(1);
});

it('remembers nothing of a call that is refused', () => {
  const { buckets } = crowded(1_000);
  buckets.take([oneIn(60_000, 'empty')]);

  expect(buckets.take([oneIn(60_000, 'empty'), oneIn(60_000, 'other')])).toMatchObject({ allowed: false });

  expect(buckets.has('other')).toBe(false);
});
