import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CallClock } from './call-clock.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function clock(ms: number) {
  const onTimeout = vi.fn();
  return { onTimeout, clock: new CallClock(ms, onTimeout) };
}

it('runs out after its time, saying how long that was', () => {
  const { onTimeout } = clock(100);

  vi.advanceTimersByTime(99);
  expect(onTimeout).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onTimeout).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ name: 'CallTimedOut', timeoutMs: 100 }));
});

it('does not count the time of a pause', () => {
  const { onTimeout, clock: paused } = clock(100);

  vi.advanceTimersByTime(60);
  paused.pause();
  vi.advanceTimersByTime(10_000);
  paused.resume();
  vi.advanceTimersByTime(39);
  expect(onTimeout).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onTimeout).toHaveBeenCalledOnce();
});

it('goes on when the last of several pauses is over', () => {
  const { onTimeout, clock: paused } = clock(100);

  paused.pause();
  paused.pause();
  paused.resume();
  vi.advanceTimersByTime(1_000);
  expect(onTimeout).not.toHaveBeenCalled();
  paused.resume();
  vi.advanceTimersByTime(100);
  expect(onTimeout).toHaveBeenCalledOnce();
});

it('never runs out once it was stopped, even if a pause ends later', () => {
  const { onTimeout, clock: stopped } = clock(100);

  stopped.pause();
  stopped.stop();
  stopped.resume();
  vi.advanceTimersByTime(1_000);

  expect(onTimeout).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
