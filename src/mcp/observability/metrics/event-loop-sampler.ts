import { performance } from 'node:perf_hooks';

/** Milliseconds over which the utilisation is measured. */
const SAMPLE_MS = 5_000;

/** How busy the event loop of this process was lately. */
export class EventLoopSampler {
  private last = performance.eventLoopUtilization();
  private sampled: number | undefined;
  private readonly timer = setInterval(() => this.sample(), SAMPLE_MS).unref();

  /** Share of the time in which it was not idle, 0 to 1: over the last full five seconds; at first, since the start. */
  get utilization(): number {
    return this.sampled ?? performance.eventLoopUtilization(this.last).utilization;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private sample(): void {
    const now = performance.eventLoopUtilization();
    this.sampled = performance.eventLoopUtilization(now, this.last).utilization;
    this.last = now;
  }
}
