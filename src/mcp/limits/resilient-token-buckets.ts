import type { LoggerService } from '@nestjs/common';
import { McpError } from '../protocol/errors.js';
import type { MemoryTokenBuckets } from './memory-token-buckets.js';
import type { BucketSpec, TokenBuckets, Verdict } from './token-buckets.port.js';

export interface ResilientTokenBucketsOptions {
  /** The buckets of all replicas. */
  readonly shared: TokenBuckets;
  /** Those of this one. */
  readonly local: Pick<MemoryTokenBuckets, 'take'>;
  readonly logger: Pick<LoggerService, 'log' | 'warn'>;
  /** How often the shared ones are tried while they are away. Milliseconds; default 1,000. */
  readonly retryMs?: number;
  /** Milliseconds by a clock that nobody sets. Default `performance.now`. */
  readonly now?: () => number;
}

/**
 * Shared buckets, and local ones while those are away. No call waits to find out that they still are: the local ones
 * answer, and beside that one call in a while takes from the shared ones too.
 *
 * The local ones know what this replica let in before; of what the others did they know nothing, so that for as long as
 * the shared ones are away, each replica allows as much as all of them together otherwise.
 */
export class ResilientTokenBuckets implements TokenBuckets {
  readonly #options: ResilientTokenBucketsOptions;
  readonly #retryMs: number;
  readonly #now: () => number;
  #away = false;
  #retryAt = 0;
  /** Counts returns of the shared ones: what was asked before one says nothing about the time after it. */
  #era = 0;

  constructor(options: ResilientTokenBucketsOptions) {
    this.#options = options;
    this.#retryMs = options.retryMs ?? 1_000;
    this.#now = options.now ?? (() => performance.now());
  }

  /** True while the local buckets answer. */
  get isLocal(): boolean {
    return this.#away;
  }

  take(buckets: readonly BucketSpec[]): Promise<Verdict> | Verdict {
    if (!this.#away) return this.#takeShared(buckets);
    if (this.#now() >= this.#retryAt) void this.#retry(buckets);
    return this.#options.local.take(buckets);
  }

  async #takeShared(buckets: readonly BucketSpec[]): Promise<Verdict> {
    const { shared, local } = this.#options;
    const era = this.#era;
    try {
      const verdict = await shared.take(buckets);
      // Only to know of it, should they be needed.
      if (verdict.allowed) local.take(buckets);
      return verdict;
    } catch (error) {
      if (!(error instanceof McpError && error.reason === 'UNAVAILABLE')) throw error;
      if (era === this.#era) this.#leave();
      return local.take(buckets);
    }
  }

  /** Never rejects. */
  async #retry(buckets: readonly BucketSpec[]): Promise<void> {
    // Nobody else tries meanwhile.
    this.#retryAt = Number.POSITIVE_INFINITY;
    try {
      await this.#options.shared.take(buckets);
      this.#away = false;
      this.#era += 1;
      this.#options.logger.log('Rate limits are shared by all replicas again.');
    } catch {
      this.#retryAt = this.#now() + this.#retryMs;
    }
  }

  #leave(): void {
    if (this.#away) return;
    this.#away = true;
    this.#retryAt = this.#now() + this.#retryMs;
    this.#options.logger.warn('Rate limits cannot be shared at the moment: until they can, each replica has its own.');
  }
}
