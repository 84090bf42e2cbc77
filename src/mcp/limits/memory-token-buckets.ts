import { type BucketSpec, TOKEN_TOLERANCE, type TokenBuckets, type Verdict } from './token-buckets.port.js';

export interface MemoryTokenBucketsOptions {
  /** Buckets that are remembered. Default 100,000, some 25 MB. */
  readonly maxEntries?: number;
  /** Milliseconds by a clock that nobody sets. Default `performance.now`. */
  readonly now?: () => number;
}

/** A bucket as it was when something was taken last. */
interface Bucket {
  tokens: number;
  at: number;
  capacity: number;
  refillPerMs: number;
  /** Since it became the newest. */
  wasUsed: boolean;
}

const ALLOWED: Verdict = Object.freeze({ allowed: true });
/** How often full buckets are looked for, in milliseconds. */
const SWEEP_MS = 60_000;
/** The same, when there is no room for another one. Not each time: to look at all of them takes a while. */
const CROWDED_SWEEP_MS = 1_000;

/**
 * Buckets in the memory of one process: for one replica, for tests, and for while Redis is away. Those that are full
 * again are forgotten by and by, without timers. When there is no room, they go first, and then the oldest of those that
 * were not used again: whoever it belongs to finds it full.
 */
export class MemoryTokenBuckets implements TokenBuckets {
  /** The newest last. Use is only noted, which costs less than to move what is used to the end each time. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #maxEntries: number;
  readonly #now: () => number;
  #sweptAt: number;

  constructor(options: MemoryTokenBucketsOptions = {}) {
    this.#maxEntries = options.maxEntries ?? 100_000;
    this.#now = options.now ?? (() => performance.now());
    this.#sweptAt = this.#now();
  }

  /** Buckets that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  has(key: string): boolean {
    return this.#buckets.has(key);
  }

  take(specs: readonly BucketSpec[]): Verdict {
    const now = this.#now();
    let refused = -1;
    let retryAfterMs = 0;
    for (let i = 0; i < specs.length; i += 1) {
      const spec = specs[i]!;
      const missing = spec.cost - tokensIn(this.#buckets.get(spec.key), spec, now);
      if (missing <= TOKEN_TOLERANCE) continue;
      const waitMs = Math.max(1, Math.ceil((missing - TOKEN_TOLERANCE) / spec.refillPerMs));
      if (waitMs > retryAfterMs) [refused, retryAfterMs] = [i, waitMs];
    }
    if (refused >= 0) return { allowed: false, index: refused, retryAfterMs };
    for (let i = 0; i < specs.length; i += 1) this.#spend(specs[i]!, now);
    return ALLOWED;
  }

  /** Forgets buckets that are full. */
  sweep(): void {
    const now = this.#now();
    this.#sweptAt = now;
    for (const [key, { tokens, at, capacity, refillPerMs }] of this.#buckets) {
      if (tokens + (now - at) * refillPerMs >= capacity) this.#buckets.delete(key);
    }
  }

  #spend(spec: BucketSpec, now: number): void {
    const { key, capacity, refillPerMs, cost } = spec;
    const known = this.#buckets.get(key);
    const tokens = Math.max(0, tokensIn(known, spec, now) - cost);
    if (!known) {
      this.#makeRoom(now);
      this.#buckets.set(key, { tokens, at: now, capacity, refillPerMs, wasUsed: false });
      return;
    }
    known.tokens = tokens;
    known.at = now;
    known.capacity = capacity;
    known.refillPerMs = refillPerMs;
    known.wasUsed = true;
  }

  #makeRoom(now: number): void {
    const isCrowded = this.#buckets.size >= this.#maxEntries;
    if (now - this.#sweptAt >= (isCrowded ? CROWDED_SWEEP_MS : SWEEP_MS)) this.sweep();
    if (this.#buckets.size < this.#maxEntries) return;
    // A Map visits what is added to it on the way, so that the second time round one is found.
    for (const [key, bucket] of this.#buckets) {
      this.#buckets.delete(key);
      if (!bucket.wasUsed) return;
      bucket.wasUsed = false;
      this.#buckets.set(key, bucket);
    }
  }
}

/** What is in a bucket by now. */
function tokensIn(bucket: Bucket | undefined, { capacity, refillPerMs }: BucketSpec, now: number): number {
  if (!bucket) return capacity;
  // A clock that was set back all the same: nothing would come back until it is there again.
  if (bucket.at > now) bucket.at = now;
  return Math.min(capacity, bucket.tokens + (now - bucket.at) * refillPerMs);
}
