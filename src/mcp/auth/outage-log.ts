import type { LoggerService } from '@nestjs/common';

/** An outage is told once a minute, however many requests it hits. */
const REPEAT_MS = 60_000;

/** Tells operators about an outage without flooding their log. */
export class OutageLog {
  private lastWarning: number | undefined;

  /**
   * @param what is out, such as `Keys of issuer https://...`
   * @param now milliseconds by a clock that nobody sets
   */
  constructor(
    private readonly what: string,
    private readonly logger: Pick<LoggerService, 'log' | 'warn'>,
    private readonly now: () => number,
  ) {}

  failed(error: unknown, consequence: string): void {
    const now = this.now();
    if (this.lastWarning !== undefined && now < this.lastWarning + REPEAT_MS) return;
    this.lastWarning = now;
    const reason = error instanceof Error ? error.message : 'unknown reason';
    this.logger.warn(`${this.what}: not available, ${reason}. ${consequence}`);
  }

  succeeded(): void {
    if (this.lastWarning === undefined) return;
    this.lastWarning = undefined;
    this.logger.log(`${this.what}: available again.`);
  }
}
