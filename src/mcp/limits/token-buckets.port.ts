/** A bucket of tokens that fills up with time, and what a call takes from it. A bucket nobody knows yet is full. */
export interface BucketSpec {
  /** Which bucket; no other one of the same call has this key. It ends up in names of Redis keys. */
  readonly key: string;
  /** Most tokens in it. */
  readonly capacity: number;
  /** Tokens that come back in a millisecond. More than 0. */
  readonly refillPerMs: number;
  /** Tokens that the call takes; no more than the capacity. */
  readonly cost: number;
}

export type Verdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      /** Which of the buckets had too little in it; of several, the one that takes longest to have enough. */
      readonly index: number;
      /** Milliseconds, whole and at least 1, until it has enough, if nobody else takes from it. */
      readonly retryAfterMs: number;
    };

/** Counts calls against limits on how often. */
export interface TokenBuckets {
  /**
   * Takes from all buckets of a call, or, if one has too little in it, from none.
   * @throws McpError `UNAVAILABLE` when the buckets cannot be reached; it may have taken all the same
   */
  take(buckets: readonly BucketSpec[]): Promise<Verdict> | Verdict;
}

export const TokenBuckets = Symbol('TokenBuckets');

/** Of what is taken and given back in parts, so much may be missing: rounding errors add up to less. */
export const TOKEN_TOLERANCE = 1e-9;
