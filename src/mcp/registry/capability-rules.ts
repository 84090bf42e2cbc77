import { type PolicyToken, readAccess } from '../decorators/access-metadata.js';
import { readAuditFields } from '../decorators/audit-fields.decorator.js';
import {
  type ConcurrencyOptions,
  type ConcurrencyRule,
  type RateLimitOptions,
  type RateLimitRule,
  concurrencyRule,
  rateLimitRule,
  readConcurrency,
  readRateLimits,
} from '../decorators/limit-metadata.js';
import type { AccessPolicy } from '../protocol/access-policy.port.js';
import { type AccessOptions, type AccessRule, accessFromOptions, compileAccess } from './access-rule.js';

/** What holds for the use of a capability, besides its schema: compiled at boot. */
export interface CapabilityRules {
  readonly access: AccessRule;
  /** All of them hold. */
  readonly rateLimits: readonly RateLimitRule[];
  /** All of them hold. */
  readonly concurrency: readonly ConcurrencyRule[];
  /** Paths of arguments that the audit may write down. */
  readonly auditFields: readonly string[];
}

/** What holds for a capability that is added at runtime; what decorators say for the others. */
export interface RuntimeRules {
  /** Who may use it. Default: whoever the server lets in. */
  readonly access?: AccessOptions;
  /** How often it may be used. Default: as often as the server lets anything be used. */
  readonly rateLimits?: readonly RateLimitOptions[];
  /** How often it may run at once. Default: no limit of its own. */
  readonly concurrency?: ConcurrencyOptions;
  /** Dotted paths of arguments that the audit may write down. Default: none. */
  readonly auditFields?: readonly string[];
}

/** Where the decorators of a handler can be: on its module, its class, and the method itself. */
export interface HandlerPlace {
  readonly module: object | undefined;
  readonly prototype: object;
  readonly methodName: string;
}

/**
 * What a handler's decorators say, those of its class and of its module included.
 * @throws Error when they contradict each other, or there is no such policy
 */
export function declaredRules(
  { module, prototype, methodName }: HandlerPlace,
  resolvePolicy: (token: PolicyToken) => AccessPolicy,
  origin: string,
): CapabilityRules {
  const levels = <T>(read: (holder: object, methodName?: string) => readonly T[]): (readonly T[])[] => [
    module ? read(module) : [],
    read(prototype.constructor),
    read(prototype, methodName),
  ];
  return Object.freeze({
    access: compileAccess(levels(readAccess), resolvePolicy, origin),
    rateLimits: levels(readRateLimits).flat(),
    // The narrow ones first: who waits for his own turn must not hold a place that others could have.
    concurrency: levels(readConcurrency).flat().sort(byBreadth),
    auditFields: levels(readAuditFields).flat(),
  });
}

function byBreadth(a: ConcurrencyRule, b: ConcurrencyRule): number {
  return Number(a.per === 'everyone') - Number(b.per === 'everyone');
}

/** @throws Error when they contradict themselves, or a value cannot be */
export function rulesFromOptions(options: RuntimeRules, origin: string): CapabilityRules {
  const { access, rateLimits = [], concurrency, auditFields = [] } = options;
  return Object.freeze({
    access: accessFromOptions(access, origin),
    rateLimits: rateLimits.map((each) => rateLimitRule(each, `${origin}: rateLimits`)),
    concurrency: concurrency ? [concurrencyRule(concurrency, `${origin}: concurrency`)] : [],
    auditFields,
  });
}
