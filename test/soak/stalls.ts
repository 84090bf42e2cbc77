import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Redis } from 'ioredis';

/** Shorter ones are not told, in milliseconds. */
const WORTH_TELLING_MS = 200;
/** What Redis has to be started with to know. */
export const STALL_ARGS = ['--latency-monitor-threshold', String(WORTH_TELLING_MS)] as const;

/**
 * How long this program and Redis stood still: on a machine with too much to do, commands that take longer than a
 * second fail although nothing is wrong.
 */
export class Stalls {
  private readonly own = monitorEventLoopDelay();

  constructor(private readonly redisUrl: string) {
    this.own.enable();
  }

  /** The longest of each kind since it was last asked, in words. */
  async take(): Promise<string[]> {
    const ownMs = this.own.max / 1e6;
    this.own.reset();
    const own = ownMs < WORTH_TELLING_MS ? [] : [`this program stood still for up to ${ownMs.toFixed(0)} ms`];
    const redis = new Redis(this.redisUrl);
    try {
      const events = (await redis.call('LATENCY', 'LATEST')) as [
        event: string,
        at: number,
        last: number,
        max: number,
      ][];
      await redis.call('LATENCY', 'RESET');
      return [...own, ...events.map(([event, , , max]) => `Redis stood still for up to ${max} ms (${event})`)];
    } finally {
      redis.disconnect();
    }
  }

  stop(): void {
    this.own.disable();
  }
}
