import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BucketSpec, TokenBuckets, Verdict } from '../../src/mcp/limits/token-buckets.port.js';
import { eventually } from '../support/eventually.js';

/** Two replicas over one backend (the same object twice where the adapter is process-local). */
export interface TokenBucketsHarness {
  readonly buckets: TokenBuckets;
  readonly peer: TokenBuckets;
  /** Moves the clock, which stands still otherwise. */
  advance(ms: number): void;
  /** Whether anything is kept of a bucket. */
  remembers(key: string): Promise<boolean>;
  close(): void | Promise<void>;
}

export interface TokenBucketsLimits {
  /** By a clock that only the test moves, or by the adapter's own. */
  readonly clock: 'test' | 'own';
}

/** Ten at once, and one in 100 ms after that. */
const TEN: BucketSpec = { key: 'ten', capacity: 10, refillPerMs: 0.01, cost: 1 };
/** Two at once, and one a second. */
const TWO: BucketSpec = { key: 'two', capacity: 2, refillPerMs: 0.001, cost: 1 };
/** Full again within a moment. */
const FAST: BucketSpec = { key: 'fast', capacity: 1, refillPerMs: 0.05, cost: 1 };
/** Full again in an hour. */
const SLOW: BucketSpec = { key: 'slow', capacity: 1, refillPerMs: 1 / 3_600_000, cost: 1 };

const ALLOWED = { allowed: true };

/** The behaviour of every adapter of the port. */
export function describeTokenBuckets(
  name: string,
  factory: (limits: TokenBucketsLimits) => Promise<TokenBucketsHarness>,
): void {
  describe(`TokenBuckets: ${name}`, () => {
    let harness: TokenBucketsHarness;
    let buckets: TokenBuckets;
    let peer: TokenBuckets;

    beforeEach(async () => {
      harness = await factory({ clock: 'test' });
      ({ buckets, peer } = harness);
    });
    afterEach(() => harness.close());

    const takeTimes = async (times: number, ...specs: BucketSpec[]): Promise<Verdict[]> => {
      const verdicts: Verdict[] = [];
      for (let i = 0; i < times; i += 1) verdicts.push(await buckets.take(specs));
      return verdicts;
    };

    it('gives a burst at once, and then says when there is more', async () => {
      const verdicts = await takeTimes(11, TEN);
      expect(verdicts.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => ALLOWED));
      expect(verdicts[10]).toEqual({ allowed: false, index: 0, retryAfterMs: 100 });
    });

    it('allows at the moment it named, and not a millisecond before', async () => {
      await takeTimes(10, TEN);
      harness.advance(30);
      expect(await buckets.take([TEN])).toEqual({ allowed: false, index: 0, retryAfterMs: 70 });
      harness.advance(69);
      expect(await buckets.take([TEN])).toEqual({ allowed: false, index: 0, retryAfterMs: 1 });
      harness.advance(1);
      expect(await buckets.take([TEN])).toEqual(ALLOWED);
    });

    it('gives back with time as much as is due, even in many small parts', async () => {
      await takeTimes(10, TEN);
      for (let i = 0; i < 300; i += 1) {
        harness.advance(1);
        if (i % 100 === 50) expect(await peer.take([TEN])).toMatchObject({ allowed: i > 100 });
      }
      expect((await takeTimes(2, TEN)).map(({ allowed }) => allowed)).toEqual([true, false]);
    });

    it('never holds more than its capacity', async () => {
      await takeTimes(1, TWO);
      harness.advance(3_600_000);
      expect((await takeTimes(3, TWO)).map(({ allowed }) => allowed)).toEqual([true, true, false]);
    });

    it('takes as much as a call costs', async () => {
      expect(await buckets.take([{ ...TEN, cost: 7 }])).toEqual(ALLOWED);
      expect(await buckets.take([{ ...TEN, cost: 7 }])).toEqual({ allowed: false, index: 0, retryAfterMs: 400 });
      expect(await buckets.take([{ ...TEN, cost: 3 }])).toEqual(ALLOWED);
    });

    it('takes from no bucket when one of them has too little', async () => {
      await takeTimes(2, TWO);
      const refused = await takeTimes(5, TEN, TWO);
      expect(refused).toEqual(Array.from({ length: 5 }, () => ({ allowed: false, index: 1, retryAfterMs: 1_000 })));
      expect((await takeTimes(11, TEN)).filter(({ allowed }) => allowed)).toHaveLength(10);
    });

    it('names the bucket that takes longest, when several have too little', async () => {
      await takeTimes(10, TEN);
      await takeTimes(2, TWO);
      expect(await buckets.take([TEN, TWO])).toEqual({ allowed: false, index: 1, retryAfterMs: 1_000 });
      expect(await buckets.take([TWO, TEN])).toEqual({ allowed: false, index: 0, retryAfterMs: 1_000 });
      harness.advance(950);
      await takeTimes(9, TEN);
      expect(await buckets.take([TWO, { ...TEN, cost: 2 }])).toEqual({ allowed: false, index: 1, retryAfterMs: 150 });
    });

    it('keeps buckets apart, whatever their keys hold', async () => {
      const keys = ['a', 'a:b', '{a}', 'a}', 'ä', ''];
      for (const key of keys) await takeTimes(2, { ...TWO, key });
      for (const key of keys) expect(await buckets.take([{ ...TWO, key }])).toMatchObject({ allowed: false });
    });

    it('allows a call that takes from nothing', async () => {
      expect(await buckets.take([])).toEqual(ALLOWED);
    });

    it('counts exactly, however many take at once and wherever', async () => {
      const both = [TEN, { ...TEN, key: 'other' }];
      const takers = Array.from({ length: 50 }, async (_, i) => (i % 2 ? buckets : peer).take(both));
      const verdicts = await Promise.all(takers);
      expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(10);
      expect(verdicts.filter(({ allowed }) => !allowed)).toHaveLength(40);
    });

    it('goes on when its clock is set back', async () => {
      await takeTimes(2, TWO);
      harness.advance(-3_600_000);
      await takeTimes(1, TWO);
      harness.advance(1_000);
      expect((await takeTimes(2, TWO)).map(({ allowed }) => allowed)).toEqual([true, false]);
    });

    it('obeys a limit that has become smaller', async () => {
      await takeTimes(1, TEN);
      const smaller = { ...TEN, capacity: 3, refillPerMs: 0.001 };
      const verdicts = await takeTimes(4, smaller);
      expect(verdicts.at(-1)).toEqual({ allowed: false, index: 0, retryAfterMs: 1_000 });
      expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(3);
    });

    describe('by its own clock', () => {
      beforeEach(async () => {
        await harness.close();
        harness = await factory({ clock: 'own' });
        ({ buckets, peer } = harness);
      });

      it('forgets a bucket once it is full again, and not before', async () => {
        await buckets.take([FAST, SLOW]);
        await eventually(async () => expect(await harness.remembers('fast')).toBe(false));
        expect(await harness.remembers('slow')).toBe(true);
      });

      it('gives back with time', async () => {
        await buckets.take([FAST]);
        await eventually(async () => expect(await peer.take([FAST])).toEqual(ALLOWED));
      });
    });
  });
}
