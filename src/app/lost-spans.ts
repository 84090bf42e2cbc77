import type { LoggerService } from '@nestjs/common';
import type { DiagLogger } from '@opentelemetry/api';

/** Lines about the same trouble are written no more often than this, in milliseconds. */
const QUIET_MS = 60_000;

/** Counts spans that nobody will see, and says so: at once, then once a minute what has come together, and at the end. */
export class LostSpans {
  private count = 0;
  private reason = '';
  /** Runs for a minute after each line about lost spans. */
  private quiet: NodeJS.Timeout | undefined;
  private readonly saidAt = new Map<string, number>();

  /** @param receiver for people */
  constructor(
    private readonly logger: Pick<LoggerService, 'warn'>,
    private readonly receiver: string,
  ) {}

  add(spans: number, reason: string): void {
    this.count += spans;
    this.reason = reason;
    if (!this.quiet) this.tell();
  }

  /** Says what has not been said yet: nothing is sent any more. */
  end(): void {
    clearTimeout(this.quiet);
    this.quiet = undefined;
    if (this.count > 0) this.say();
  }

  /** What the SDK has to say. */
  get diagnostics(): DiagLogger {
    const warn = (message: string): void => {
      const dropped = /^Dropped (\d+) spans/.exec(message)?.[1];
      if (dropped !== undefined)
        return this.add(Number(dropped), 'more came than could be sent, and the queue was full');
      const text = message.slice(0, 500);
      this.diagnose(text);
    };
    const ignore = (): void => undefined;
    return { error: warn, warn, info: ignore, debug: ignore, verbose: ignore };
  }

  private tell(): void {
    this.quiet = undefined;
    if (this.count === 0) return;
    this.say();
    this.quiet = setTimeout(() => this.tell(), QUIET_MS).unref();
  }

  private say(): void {
    const { count, receiver, reason } = this;
    this.count = 0;
    this.logger.warn(`${count} spans could not be sent to ${receiver}: ${reason}. Requests are served all the same.`);
  }

  private diagnose(text: string): void {
    const now = performance.now();
    if (now - (this.saidAt.get(text) ?? -QUIET_MS) < QUIET_MS) return;
    // Texts may differ without end.
    if (this.saidAt.size >= 100) this.saidAt.clear();
    this.saidAt.set(text, now);
    this.logger.warn(`OpenTelemetry: ${text}`);
  }
}
