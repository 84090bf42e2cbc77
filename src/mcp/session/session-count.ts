import { within } from '../protocol/within.js';
import type { SessionStore } from './session-store.port.js';

/** Milliseconds for which a count holds, however often it is asked for. */
const KEEP_MS = 5_000;
/** Milliseconds for which it is waited for. */
const WAIT_MS = 500;

/** How many sessions there are: for metrics and health alike, asked for so seldom that it costs the store next to nothing. */
export class SessionCount {
  private asked: Promise<number | undefined> | undefined;
  private askedAt = 0;

  constructor(private readonly store: Pick<SessionStore, 'count'>) {}

  /** `undefined` if the store is away, is too slow, or does not count. Never rejects. */
  get(): Promise<number | undefined> {
    const now = performance.now();
    if (!this.asked || now - this.askedAt >= KEEP_MS) {
      this.askedAt = now;
      this.asked = this.ask();
    }
    return within(WAIT_MS, this.asked);
  }

  private async ask(): Promise<number | undefined> {
    try {
      return await this.store.count?.();
    } catch {
      return undefined;
    }
  }
}
