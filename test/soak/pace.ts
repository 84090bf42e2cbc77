import { until } from '../support/cluster/until.js';

/** Lets clients work, and stops them between two pieces of work: phases must not reach into each other. */
export class Pace {
  private resume: (() => void) | undefined;
  private opened: Promise<void> = Promise.resolve();
  private active = 0;
  private over = false;

  constructor() {
    this.pause();
  }

  /** Works for as long as the run lasts, a piece at a time. @param pauseMs between two of them */
  async loop(work: () => Promise<void>, pauseMs: () => number): Promise<void> {
    for (;;) {
      await this.opened;
      if (this.over) return;
      this.active += 1;
      try {
        await work();
      } finally {
        this.active -= 1;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs()));
    }
  }

  open(): void {
    this.resume?.();
  }

  /** Resolves when nobody works any more. @returns how many did not stop in time */
  async close(withinMs: number): Promise<number> {
    this.pause();
    await until('nobody works', () => this.active === 0, { withinMs }).catch(() => undefined);
    return this.active;
  }

  /** Ends the loops. */
  end(): void {
    this.over = true;
    this.open();
  }

  private pause(): void {
    if (this.over) return;
    this.opened = new Promise((resolve) => (this.resume = resolve));
  }
}
