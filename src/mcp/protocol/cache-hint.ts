/** How long, and by whom, a result may be kept (2026-07-28 server/utilities/caching). */
export interface CacheHint {
  /** Milliseconds the client may take the result for fresh. Default 0. */
  readonly ttlMs?: number;
  /** `public` only if the result is the same for every caller. Default `private`. */
  readonly scope?: 'public' | 'private';
}
