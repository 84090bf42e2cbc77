import { readDeclarations } from './declaration.js';

/** Whom a limit counts together. */
export type LimitSharing = 'principal' | 'tenant' | 'everyone';

/** What `@RateLimit()` is given. Exactly one of `perSecond`, `perMinute` and `perHour` must be there. */
export interface RateLimitOptions {
  /** Calls in a second, in the long run. More than 0; need not be whole. */
  readonly perSecond?: number;
  /** Calls in a minute, in the long run. More than 0; need not be whole. */
  readonly perMinute?: number;
  /** Calls in an hour, in the long run. More than 0; need not be whole. */
  readonly perHour?: number;
  /** Calls that may come at once after a pause; a whole number. Default: what the period gives, at least 1. */
  readonly burst?: number;
  /** Whose calls count together. Default `principal`. */
  readonly per?: LimitSharing;
}

/** What `@Concurrency()` is given. */
export interface ConcurrencyOptions {
  /** Calls that may run at once on one replica; a whole number, at least 1. */
  readonly max: number;
  /** Calls that may wait for one of them to end; a whole number. Default 0: more calls are refused at once. */
  readonly queue?: number;
  /** How long a call waits before it is refused. Milliseconds; default 1,000. */
  readonly queueMs?: number;
  /** Whose calls count together. Default `everyone`. */
  readonly per?: 'everyone' | 'principal';
}

/** A limit on how often. */
export interface RateLimitRule {
  /** The period, in milliseconds. */
  readonly perMs: number;
  /** Calls that a period gives. */
  readonly amount: number;
  /** Calls that may come at once. At least 1. */
  readonly burst: number;
  readonly per: LimitSharing;
}

/** A limit on how many at once. */
export interface ConcurrencyRule {
  readonly max: number;
  readonly queue: number;
  /** Milliseconds. */
  readonly queueMs: number;
  readonly per: 'everyone' | 'principal';
}

export const RATE_LIMITS = 'rookery:rate-limits';
export const CONCURRENCY = 'rookery:concurrency';

const PERIODS = [
  ['perSecond', 1_000],
  ['perMinute', 60_000],
  ['perHour', 3_600_000],
] as const;
const SHARINGS: readonly string[] = ['principal', 'tenant', 'everyone'] satisfies LimitSharing[];
/** What is used up must come back within this time, in milliseconds: 30 days. Until then it has to be remembered. */
const LONGEST_REFILL_MS = 30 * 24 * 3_600_000;
/** What a timer of Node can wait, in milliseconds. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** What a method, class or module declares; nothing if it says nothing. */
export function readRateLimits(holder: object, methodName?: string | symbol): readonly RateLimitRule[] {
  return readDeclarations<RateLimitRule>(RATE_LIMITS, holder, methodName);
}

/** What a method, class or module declares; nothing if it says nothing. */
export function readConcurrency(holder: object, methodName?: string | symbol): readonly ConcurrencyRule[] {
  return readDeclarations<ConcurrencyRule>(CONCURRENCY, holder, methodName);
}

/**
 * Checks options and fills in their defaults.
 * @param where they were given, for the error
 * @throws Error when a value cannot be
 */
export function rateLimitRule(options: RateLimitOptions, where: string): RateLimitRule {
  const given = PERIODS.filter(([name]) => options[name] !== undefined);
  const period = given[0];
  if (period === undefined || given.length > 1) {
    throw new Error(`${where} needs exactly one of perSecond, perMinute and perHour.`);
  }
  const [name, perMs] = period;
  const amount = options[name] ?? 0;
  if (!(Number.isFinite(amount) && amount > 0)) throw new Error(`${where}: ${name} must be a number above 0.`);
  const { burst = Math.max(1, amount), per = 'principal' } = options;
  if (options.burst !== undefined) requireWhole(options.burst, 1, Number.MAX_SAFE_INTEGER, `${where}: burst`);
  if (!SHARINGS.includes(per)) throw new Error(`${where}: per must be 'principal', 'tenant' or 'everyone'.`);
  if ((burst / amount) * perMs > LONGEST_REFILL_MS) {
    throw new Error(`${where} would need more than 30 days to give all its calls again. Raise ${name} or lower burst.`);
  }
  return Object.freeze({ perMs, amount, burst, per });
}

/**
 * Checks options and fills in their defaults.
 * @param where they were given, for the error
 * @throws Error when a value cannot be
 */
export function concurrencyRule(options: number | ConcurrencyOptions, where: string): ConcurrencyRule {
  const given = typeof options === 'number' ? { max: options } : options;
  const { max, queue = 0, queueMs = 1_000, per = 'everyone' } = given;
  requireWhole(max, 1, Number.MAX_SAFE_INTEGER, `${where}: max`);
  requireWhole(queue, 0, Number.MAX_SAFE_INTEGER, `${where}: queue`);
  requireWhole(queueMs, 1, LONGEST_WAIT_MS, `${where}: queueMs`);
  if (!['everyone', 'principal'].includes(per)) throw new Error(`${where}: per must be 'everyone' or 'principal'.`);
  return Object.freeze({ max, queue, queueMs, per });
}

/** Class and method, or class alone, that a decorator was put on. */
export function placeOf(target: object, methodName?: string | symbol): string {
  const holder = typeof target === 'function' ? target : target.constructor;
  return methodName === undefined ? holder.name : `${holder.name}.${String(methodName)}`;
}

function requireWhole(value: number, least: number, most: number, what: string): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new Error(`${what} must be a whole number from ${least} to ${most}.`);
}
