import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SessionCount } from './session-count.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('is asked for once in five seconds, however often it is wanted', async () => {
  let sessions = 1;
  const count = vi.fn(async () => sessions++);
  const counted = new SessionCount({ count });

  const first = [await counted.get(), await counted.get()];
  vi.advanceTimersByTime(4_999);
  const later = await counted.get();
  vi.advanceTimersByTime(1);

  expect([...first, later, await counted.get()]).toEqual([1, 1, 1, 2]);
  expect(count).toHaveBeenCalledTimes(2);
});

it('is not waited for longer than half a second', async () => {
  const counted = new SessionCount({ count: () => new Promise<number>(() => undefined) });

  const waiting = counted.get();
  await vi.advanceTimersByTimeAsync(500);

  expect(await waiting).toBeUndefined();
});

it('is not known when the store is away, or does not count', async () => {
  const away = new SessionCount({ count: () => Promise.reject(new Error('away')) });

  expect(await away.get()).toBeUndefined();
  expect(await new SessionCount({}).get()).toBeUndefined();
});
