import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GracefulStop } from './graceful-stop.js';
import { RunningCalls } from './running-calls.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A stop whose every step is noted. */
function stopping(
  times: { drainDelayMs?: number; drainGraceMs?: number; streamsTakeMs?: number; readersTakeMs?: number } = {},
) {
  const { drainDelayMs = 0, drainGraceMs = 25_000, streamsTakeMs = 0, readersTakeMs = 0 } = times;
  const steps: string[] = [];
  const calls = new RunningCalls();
  const streams = {
    drain: async (withinMs: number) => {
      steps.push(`streams within ${withinMs}`);
      if (streamsTakeMs > 0) await new Promise((resolve) => setTimeout(resolve, streamsTakeMs));
    },
  };
  const logger = { warn: vi.fn() };
  const stop = new GracefulStop({
    options: { drainDelayMs, drainGraceMs, drainStreamsMs: 5_000 },
    streams,
    calls,
    logger,
  });
  stop.watch({
    announceClose: () => steps.push('announce'),
    closeListener: async () => void steps.push('close listener'),
    answered: async () => {
      if (readersTakeMs > 0) await new Promise((resolve) => setTimeout(resolve, readersTakeMs));
    },
    lastRequests: async () => void steps.push('last requests'),
    closeUnused: () => steps.push('close unused'),
    cutAll: () => steps.push('cut'),
  });
  return { stop, calls, steps, logger };
}

it('waits for nothing when nothing is there', async () => {
  const { stop, steps } = stopping();

  expect(stop.draining).toBe(false);
  const drained = stop.drain();
  expect(stop.draining).toBe(true);
  await drained;

  expect(steps).toEqual(['announce', 'streams within 5000', 'close listener', 'last requests', 'close unused']);
  stop.close();
  expect(vi.getTimerCount()).toBe(0);
});

it('happens once, however often it is asked for', async () => {
  const { stop, steps } = stopping({ drainDelayMs: 10 });

  const both = Promise.all([stop.drain(), stop.drain()]);
  await vi.advanceTimersByTimeAsync(10);
  await both;
  await stop.drain();

  expect(steps.filter((step) => step === 'announce')).toHaveLength(1);
});

it('goes on taking connections for a while, and ends the streams meanwhile', async () => {
  const { stop, steps } = stopping({ drainDelayMs: 3_000 });

  const drained = stop.drain();
  await vi.advanceTimersByTimeAsync(2_999);
  expect(steps).toEqual(['announce', 'streams within 5000']);
  await vi.advanceTimersByTimeAsync(1);
  await drained;

  expect(steps).toEqual(['announce', 'streams within 5000', 'close listener', 'last requests', 'close unused']);
});

it('waits for calls until they are done', async () => {
  const { stop, calls, steps, logger } = stopping();
  const entry = calls.enter();
  const call = { stop: vi.fn() };
  entry.runs(call);

  const drained = stop.drain();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(steps.at(-1)).toBe('close listener');
  entry.leave();
  await drained;

  expect(call.stop).not.toHaveBeenCalled();
  expect(logger.warn).not.toHaveBeenCalled();
});

it('takes last requests when all is answered: a stream that ends now has not told its client to go elsewhere', async () => {
  const { stop, calls, steps } = stopping({ streamsTakeMs: 1_000 });
  const entry = calls.enter();

  const drained = stop.drain();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(steps).not.toContain('last requests');
  entry.leave();
  await drained;

  expect(steps.slice(-2)).toEqual(['last requests', 'close unused']);
});

it('waits until what was answered has been read', async () => {
  const { stop, steps } = stopping({ readersTakeMs: 3_000 });

  const drained = stop.drain();
  await vi.advanceTimersByTimeAsync(2_999);
  expect(steps.at(-1)).toBe('close listener');
  await vi.advanceTimersByTimeAsync(10_000);
  await drained;

  expect(steps).not.toContain('cut');
});

it('does not wait for ever for who does not read', async () => {
  const { stop, steps } = stopping({ drainGraceMs: 1_000, readersTakeMs: 1_000_000 });

  const drained = stop.drain();
  await vi.advanceTimersByTimeAsync(3_000);
  await drained;

  expect(steps.slice(-3)).toEqual(['cut', 'last requests', 'close unused']);
});

it('stops calls when the time is over, and says how many', async () => {
  const { stop, calls, steps, logger } = stopping({ drainGraceMs: 1_000 });
  for (let count = 0; count < 2; count++) {
    const entry = calls.enter();
    entry.runs({ stop: () => entry.leave() });
  }

  const drained = stop.drain();
  await vi.advanceTimersByTimeAsync(1_000);
  await drained;

  expect(logger.warn).toHaveBeenCalledExactlyOnceWith(
    'Calls that were not done 1000 ms after the stop began: 2. They were stopped.',
  );
  expect(steps.at(-1)).toBe('close unused');
});

it('does not wait for ever for a call that cannot be stopped', async () => {
  const { stop, calls, steps } = stopping({ drainGraceMs: 1_000 });
  calls.enter();

  const drained = stop.drain();
  await vi.advanceTimersByTimeAsync(3_000);
  await drained;

  expect(steps.slice(-3)).toEqual(['cut', 'last requests', 'close unused']);
});

it('gives calls the whole delay, if that is longer than their time', async () => {
  const { stop, calls } = stopping({ drainDelayMs: 2_000, drainGraceMs: 1_000 });
  const call = { stop: vi.fn() };
  calls.enter().runs(call);

  void stop.drain();
  await vi.advanceTimersByTimeAsync(1_999);
  expect(call.stop).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);

  expect(call.stop).toHaveBeenCalledOnce();
});

it('gives streams no more time than calls', async () => {
  const { stop, steps } = stopping({ drainGraceMs: 0 });

  await stop.drain();

  expect(steps).toContain('streams within 0');
});

it('bounds what comes after the last call too, until the server has closed', async () => {
  const { stop, calls, steps } = stopping({ drainGraceMs: 1_000 });
  await stop.drain();
  const late = { stop: vi.fn() };
  calls.enter().runs(late);

  await vi.advanceTimersByTimeAsync(1_000);
  expect(late.stop).toHaveBeenCalledOnce();
  stop.close();
  await vi.advanceTimersByTimeAsync(10_000);

  expect(steps).not.toContain('cut');
});

it('stops without a server: an application context has none', async () => {
  const { calls } = stopping();
  const streams = { drain: async () => undefined };
  const options = { drainDelayMs: 0, drainGraceMs: 0, drainStreamsMs: 0 };

  await new GracefulStop({ options, streams, calls, logger: { warn: vi.fn() } }).drain();
});
