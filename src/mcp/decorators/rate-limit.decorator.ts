import { type Declaration, declaration } from './declaration.js';
import { placeOf, RATE_LIMITS, type RateLimitOptions, type RateLimitRule, rateLimitRule } from './limit-metadata.js';

/**
 * Limits how often a capability may be used: a token bucket, shared by all replicas. On a class or a module it holds for
 * each capability in it on its own. Several of these decorators must all be met. A call that is refused is answered
 * with 429 and `Retry-After`, before its handler runs.
 *
 * Anonymous callers have nothing to tell them apart, so that `per: 'principal'` counts all of them together; likewise
 * `per: 'tenant'` counts together those of an issuer who have no tenant.
 *
 * @throws Error at class definition when a value cannot be, naming class and method
 * @example
 * ```ts
 * @McpTool({ title: 'Send an invoice' })
 * @RateLimit({ perMinute: 10, burst: 3 })
 * @RateLimit({ perHour: 1_000, per: 'tenant' })
 * send(input: InvoiceInput): Promise<Receipt> { … }
 * ```
 */
export function RateLimit(options: RateLimitOptions): Declaration {
  return (target, methodName, descriptor) => {
    const rule = rateLimitRule(options, `${placeOf(target, methodName)}: @RateLimit()`);
    declaration<RateLimitRule>('RateLimit', RATE_LIMITS, rule)(target, methodName, descriptor);
  };
}
