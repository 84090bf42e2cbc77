import type { LoggerService } from '@nestjs/common';

/** A log line about the same trouble is written no more often than this, in milliseconds. */
const QUIET_MS = 10_000;
/** What a reconnect or some patience cures, as the reply of Redis begins. */
const PASSING = /^(LOADING|CLUSTERDOWN|MASTERDOWN|READONLY|TRYAGAIN|NOREPLICAS)/;

/** What is wrong with Redis, kept for those who ask, and told to the operator where no reconnecting will cure it. */
export class RedisComplaints {
  /** What was wrong the last time. */
  failure = 'Redis has not been reached yet.';
  readonly #lastLogged = new Map<string, number>();

  constructor(private readonly logger: Pick<LoggerService, 'error'>) {}

  /** Keeps what is wrong; what will not pass (a missing permission, no memory) goes to the log at once. */
  note(cause: unknown): void {
    const message = cause instanceof Error ? cause.message : String(cause);
    this.failure = message;
    const isReply = cause instanceof Error && cause.name === 'ReplyError';
    if (!isReply || PASSING.test(message)) return;
    this.complain(message.slice(0, message.indexOf(' ')), `Redis refused a command: ${message}`);
  }

  /** @param about the trouble as one word, of which nothing more is said for a while */
  complain(about: string, message: string): void {
    const now = performance.now();
    if (now - (this.#lastLogged.get(about) ?? -QUIET_MS) < QUIET_MS) return;
    this.#lastLogged.set(about, now);
    this.logger.error(message);
  }
}
