import { afterEach, expect, it, vi } from 'vitest';
import { retryAfterSeconds, shuffled, spread } from './jitter.js';

afterEach(() => vi.restoreAllMocks());

it.each([
  [0, 1_000, 1],
  [0.5, 2_000, 2],
  [0.999_999, 3_000, 3],
])('spreads what clients wait: chance %d makes %d ms and %d s', (chance, ms, seconds) => {
  vi.spyOn(Math, 'random').mockReturnValue(chance);

  expect([spread(1_000), retryAfterSeconds()]).toEqual([ms, seconds]);
});

it('mixes, and loses nothing', () => {
  const ordered = Array.from({ length: 100 }, (_, index) => index);

  const mixed = shuffled(ordered);

  expect(mixed).not.toEqual(ordered);
  expect(mixed.toSorted((a, b) => a - b)).toEqual(ordered);
});
