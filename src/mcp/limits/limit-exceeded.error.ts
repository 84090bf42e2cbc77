import { McpError } from '../protocol/errors.js';

/** What a limit is of: a principal, a tenant, or a capability of some kind (`tool`, `resource` and so on). */
export type LimitScope = string;

/** A call that a limit refuses, before its handler runs. It goes on the wire as 429 with `Retry-After` (RFC 6585, 4). */
export class LimitExceeded extends McpError {
  /** Which limit, for the audit: `rate:principal`, `rate:tenant`, `rate:tool`, `concurrency:principal` and so on. */
  readonly rule: string;

  /** @param retryAfterMs milliseconds after which it is worth trying again */
  constructor(
    readonly limit: 'rate' | 'concurrency',
    readonly scope: LimitScope,
    readonly retryAfterMs: number,
  ) {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
    const wait = `Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`;
    super(
      'RATE_LIMITED',
      `${describe(limit, scope)} ${wait}`,
      { limit, scope, retryAfterMs },
      {
        headers: { 'retry-after': String(seconds) },
      },
    );
    this.name = 'LimitExceeded';
    this.rule = `${limit}:${scope}`;
  }
}

function describe(limit: 'rate' | 'concurrency', scope: LimitScope): string {
  if (limit === 'concurrency') {
    return scope === 'principal' ? 'You have too many calls running.' : `Too many calls of this ${scope} are running.`;
  }
  if (scope === 'principal') return 'You make too many calls.';
  return scope === 'tenant' ? 'Your tenant makes too many calls.' : `There are too many calls of this ${scope}.`;
}
