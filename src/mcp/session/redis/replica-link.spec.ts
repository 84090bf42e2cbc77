import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ReplicaLink } from './replica-link.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A link that beats once a second, to a Redis that takes a millisecond and passes on what a test says. */
async function setup() {
  const wakeUp = vi.fn();
  const redis = { away: false };
  const commands = {
    defineCommand: () => undefined,
    del: async () => 1,
    rookeryBeat: async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (redis.away) throw new Error('away');
    },
  };
  const subscriber = Object.assign(new EventEmitter(), { subscribe: async () => 2, disconnect: () => undefined });
  const link = new ReplicaLink(
    { commands: commands as unknown as Redis, subscriber: subscriber as unknown as Redis },
    {
      keyPrefix: 'test:',
      logger: SILENT,
      beatMs: 1_000,
      sweepMs: 0,
      telemetry: { redisCommand: () => () => undefined, wakeUp },
    },
  );
  const started = link.start();
  await vi.advanceTimersByTimeAsync(1);
  await started;
  const hear = (beat: number): boolean => subscriber.emit('message', '', JSON.stringify(['beat', String(beat)]));
  return { link, redis, hear, wakeUp };
}

/** Of the next beats: each comes a second after the answer to the one before. */
const beats = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 1_001);

it('a beat that comes back after others were sent shows how slow messages are', async () => {
  const { link, hear, wakeUp } = await setup();
  await beats(2);

  hear(1);
  hear(2);
  hear(2);

  expect(wakeUp.mock.calls).toEqual([[2_003], [1_002]]);
  expect(link.wakeUpMs).toBe(1_002);
  await link.close();
});

it('a beat that nobody has waited for any more, or that was never sent, is not measured', async () => {
  const { link, hear, wakeUp } = await setup();
  await beats(60);

  hear(1);
  hear(1_000);
  hear(2);

  expect(wakeUp).toHaveBeenCalledTimes(1);
  await link.close();
});

it('what was measured is not shown any more once Redis is away, nor once messages stay away', async () => {
  const { link, redis, hear } = await setup();
  hear(1);
  const [answered, heard] = [link.latencyMs, link.wakeUpMs];
  await beats(4);
  const deaf = [link.latencyMs, link.wakeUpMs];
  hear(5);
  redis.away = true;
  await beats(1);

  expect([answered, heard]).toEqual([1, 1]);
  expect(deaf).toEqual([1, undefined]);
  expect([link.available, link.latencyMs, link.wakeUpMs]).toEqual([false, undefined, undefined]);
  await link.close();
});
