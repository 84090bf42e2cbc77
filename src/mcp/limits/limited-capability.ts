import type { ConcurrencyRule, RateLimitRule } from '../decorators/limit-metadata.js';

/** What is called, as far as limits go. What they need of it is worked out once for each caller. */
export interface LimitedCapability {
  /** `tool`, `resource` and so on; callers and the audit read it. */
  readonly kind: string;
  /** Tells it apart from others of its kind, on all replicas alike. */
  readonly key: string;
  readonly rules: LimitRules;
}

export interface LimitRules {
  readonly rateLimits: readonly RateLimitRule[];
  readonly concurrency: readonly ConcurrencyRule[];
}
