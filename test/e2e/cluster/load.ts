import { setTimeout as delay } from 'node:timers/promises';

/** Something done again and again beside a test, each time under a number of its own; counts how often it failed. */
export class Load {
  private readonly loops: Promise<void>[] = [];
  private over = false;
  /** How often it was done, with success or without. */
  done = 0;
  readonly failures: string[] = [];

  /** @param everyMs pause of each loop after each time */
  constructor(
    private readonly work: (n: number) => Promise<unknown>,
    { loops = 1, everyMs = 20 }: { loops?: number; everyMs?: number } = {},
  ) {
    for (let loop = 0; loop < loops; loop++) this.loops.push(this.run(everyMs));
  }

  /** Lets what is under way end, and begins nothing more. */
  async stop(): Promise<void> {
    this.over = true;
    await Promise.all(this.loops);
  }

  private async run(everyMs: number): Promise<void> {
    while (!this.over) {
      const n = (this.done += 1);
      await this.work(n).catch((error: unknown) => {
        const { message, cause } = error as Error;
        this.failures.push(`${n}: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}`);
      });
      await delay(everyMs);
    }
  }
}
