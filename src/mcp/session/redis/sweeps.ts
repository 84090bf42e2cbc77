import type { LoggerService } from '@nestjs/common';
import { McpError } from '../../protocol/errors.js';

/** A sweep that must come soon comes at a random moment within so many milliseconds: all replicas have the same reason. */
const SPREAD_MS = 250;

/** Lets everyone who depends on messages look at the truth: now and then, and when messages were lost. */
export class Sweeps {
  readonly #sweepers: (() => Promise<void>)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(
    private readonly everyMs: number,
    private readonly logger: Pick<LoggerService, 'error'>,
  ) {}

  add(sweeper: () => Promise<void>): void {
    this.#sweepers.push(sweeper);
  }

  /** Sweeps now and then from now on. */
  start(): void {
    if (this.#closed || this.everyMs === 0) return;
    const afterMs = this.everyMs * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => void this.sweep().then(() => this.start()), afterMs).unref();
  }

  soon(): void {
    if (this.everyMs === 0) return;
    setTimeout(() => void this.sweep(), Math.random() * SPREAD_MS).unref();
  }

  /** Never rejects. */
  async sweep(): Promise<void> {
    if (this.#closed) return;
    // One that is under way may have looked before what this one is for.
    this.#again = this.#running !== undefined;
    this.#running ??= this.#sweepAll().finally(() => (this.#running = undefined));
    await this.#running;
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #sweepAll(): Promise<void> {
    do {
      this.#again = false;
      for (const sweeper of this.#sweepers) {
        await sweeper().catch((cause: unknown) => {
          if (!(cause instanceof McpError)) this.logger.error('A sweep failed; this is a defect of Rookery.', cause);
        });
      }
    } while (this.#again && !this.#closed);
  }
}
