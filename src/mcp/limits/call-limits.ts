import type { ConcurrencyRule, RateLimitRule } from '../decorators/limit-metadata.js';
import type { Principal } from '../protocol/principal.js';
import { type BulkheadRule, Bulkheads, type Release } from './bulkheads.js';
import { type CallerKeys, callerKeysOf, isAnybody, shortHash } from './caller-keys.js';
import { LimitExceeded } from './limit-exceeded.error.js';
import type { BucketSpec, TokenBuckets, Verdict } from './token-buckets.port.js';

export interface CallLimitsOptions {
  readonly buckets: TokenBuckets;
  /** How often one principal may call, whatever it calls. `per` says nothing here. Default: no limit. */
  readonly principal?: RateLimitRule | undefined;
  /** How often all of one tenant may. `per` says nothing here. Default: no limit. */
  readonly tenant?: RateLimitRule | undefined;
  /** Calls that one principal may have running on this replica. Default: no limit. */
  readonly maxCallsPerPrincipal?: number | undefined;
  /** Milliseconds for which a round can go on with an earlier one. Default 600,000. */
  readonly roundMs?: number | undefined;
}

/** What is called, as far as limits go. */
export interface LimitedCapability {
  /** `tool`, `resource` and so on; callers and the audit read it. */
  readonly kind: string;
  /** Tells it apart from others of its kind, on all replicas alike. */
  readonly key: string;
  readonly rateLimits: readonly RateLimitRule[];
  readonly concurrency: readonly ConcurrencyRule[];
}

export interface LimitedCall {
  readonly principal: Principal;
  /** Default: nothing that has limits of its own, such as a list. */
  readonly capability?: LimitedCapability | undefined;
  /** True if the limits of the caller have been met already, and those of the capability alone are left. */
  readonly callerCounted?: boolean | undefined;
  /**
   * What proves that this is a further round of a call that was counted when it began (`requestState`, opened). The
   * same proof is good once: whoever repeats it calls again.
   */
  readonly round?: string | undefined;
  /** Aborts waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** A call that may run. */
export interface Admission {
  /** To be called when it has ended, however it did; needs no `this`. Does nothing when it is called again. */
  readonly release: () => void;
}

/** Nothing is held, nothing is released. */
const FREE: Admission = Object.freeze({ release: () => undefined });
/** Names that may stand in a key as they are, to be found there by people: those of most tools. */
const PLAIN = /^[\w.-]{1,128}$/;
/** When a call ends nobody knows; this is when to ask again, in milliseconds. */
const CROWDED_RETRY_MS = 1_000;

/** A call on its way in, and what it holds already. */
class Attempt implements Admission {
  readonly caller: CallerKeys;
  #releases: Release[] | undefined;

  constructor(readonly call: LimitedCall) {
    this.caller = callerKeysOf(call.principal);
  }

  add(release: Release): void {
    (this.#releases ??= []).push(release);
  }

  readonly release = (): void => {
    const releases = this.#releases;
    this.#releases = undefined;
    if (releases) for (const release of releases) release();
  };
}

/**
 * All limits that a call must meet before its handler runs, in the order of what they cost: how many the principal has
 * running, how often (all token buckets in one go), and how many of the capability run, for which it may wait.
 *
 * Anonymous callers are not one principal, nor one tenant: the limits of those do not bind them. What a capability
 * limits by principal or tenant binds all of them together, for want of a better name.
 */
export class CallLimits {
  /** Of this replica; to be looked at. */
  readonly bulkheads = new Bulkheads();
  readonly #buckets: TokenBuckets;
  readonly #principal: RateLimitRule | undefined;
  readonly #tenant: RateLimitRule | undefined;
  readonly #perPrincipal: BulkheadRule | undefined;
  readonly #roundMs: number;

  constructor(options: CallLimitsOptions) {
    const { maxCallsPerPrincipal: max } = options;
    this.#buckets = options.buckets;
    this.#principal = options.principal;
    this.#tenant = options.tenant;
    this.#roundMs = options.roundMs ?? 600_000;
    this.#perPrincipal = max === undefined ? undefined : { max, queue: 0, queueMs: 0 };
  }

  /**
   * Lets a call in: at once where that can be decided at once. When no limit applies it costs next to nothing.
   * @throws LimitExceeded, or the signal's reason if that aborts; where it is decided later, rejects with them
   */
  admit(call: LimitedCall): Admission | Promise<Admission> {
    const { principal, capability } = call;
    const isBound = this.#bindsCallers && !call.callerCounted && !isAnybody(principal);
    if (!isBound && !capability?.rateLimits.length && !capability?.concurrency.length) return FREE;

    const attempt = new Attempt(call);
    const giveUp = (error: unknown): never => {
      attempt.release();
      throw error;
    };
    try {
      call.signal?.throwIfAborted();
      if (isBound) this.#enterAsPrincipal(attempt);
      const taken =
        call.round === undefined ? this.#take(attempt, isBound) : this.#takeRound(attempt, isBound, call.round);
      const entered = taken instanceof Promise ? taken.then(() => this.#enter(attempt)) : this.#enter(attempt);
      return entered instanceof Promise ? entered.then(() => attempt, giveUp) : attempt;
    } catch (error) {
      return giveUp(error);
    }
  }

  /** Whether any limit can apply to what has these rules, whoever calls it. */
  mayBind(rules?: Pick<LimitedCapability, 'rateLimits' | 'concurrency'>): boolean {
    return this.#bindsCallers || (rules !== undefined && (rules.rateLimits.length > 0 || rules.concurrency.length > 0));
  }

  /**
   * How many calls of capabilities run within their own bulkheads, and how many wait for one, on this replica.
   * @returns in the order of the capabilities
   */
  depths(capabilities: readonly Omit<LimitedCapability, 'rateLimits'>[]): { running: number; waiting: number }[] {
    const depths = capabilities.map(() => ({ running: 0, waiting: 0 }));
    const byName = new Map(capabilities.map((capability, i) => [nameOf(capability), { capability, depth: depths[i] }]));
    for (const { key, running, waiting } of this.bulkheads.depths()) {
      const [kind = '', name = '', index] = key.split(':', 3);
      const found = byName.get(`${kind}:${name}`);
      if (!found?.depth) continue;
      found.depth.waiting += waiting;
      // Who is in the last of several bulkheads is in all of them.
      if (Number(index) === found.capability.concurrency.length - 1) found.depth.running += running;
    }
    return depths;
  }

  get #bindsCallers(): boolean {
    return this.#principal !== undefined || this.#tenant !== undefined || this.#perPrincipal !== undefined;
  }

  #enterAsPrincipal(attempt: Attempt): void {
    if (!this.#perPrincipal) return;
    // Without a queue it never waits.
    const release = this.bulkheads.enter(attempt.caller.principal(), this.#perPrincipal);
    if (typeof release !== 'function') throw new LimitExceeded('concurrency', 'principal', CROWDED_RETRY_MS);
    attempt.add(release);
  }

  /** A further round takes from the buckets of the capability only if it is none, or was here before. */
  async #takeRound(attempt: Attempt, isBound: boolean, round: string): Promise<void> {
    const isLimited = (attempt.call.capability?.rateLimits.length ?? 0) > 0;
    const key = `round:${shortHash(round)}`;
    const once = { key, capacity: 1, refillPerMs: 1 / this.#roundMs, cost: 1 };
    const isFirst = !isLimited || (await this.#buckets.take([once])).allowed;
    await this.#take(attempt, isBound, isFirst ? [] : undefined);
  }

  #take(
    { call, caller }: Attempt,
    isBound: boolean,
    rateLimits: readonly RateLimitRule[] = call.capability?.rateLimits ?? [],
  ): void | Promise<void> {
    const { principal, capability, signal } = call;
    const buckets: BucketSpec[] = [];
    const scopes: string[] = [];
    if (isBound && this.#principal) {
      scopes.push('principal');
      buckets.push(bucketOf(caller.principal(), this.#principal));
    }
    if (isBound && this.#tenant && principal.tenant !== undefined) {
      scopes.push('tenant');
      buckets.push(bucketOf(caller.tenant(), this.#tenant));
    }
    if (capability) {
      for (const [i, rule] of rateLimits.entries()) {
        scopes.push(capability.kind);
        buckets.push(bucketOf(keyOf(capability, i, caller.sharing(rule.per)), rule));
      }
    }
    if (buckets.length === 0) return;

    const verdict = this.#buckets.take(buckets);
    if (!(verdict instanceof Promise)) return requireAllowed(verdict, scopes);
    return verdict.then((late) => {
      requireAllowed(late, scopes);
      signal?.throwIfAborted();
    });
  }

  /** Enters all bulkheads of the capability, one after the other: always in this order, so that no two calls can block. */
  #enter(attempt: Attempt, from = 0): void | Promise<void> {
    const { capability, signal } = attempt.call;
    if (!capability || capability.concurrency.length === 0) return;
    const admitted = (release: Release | undefined): void => {
      if (!release) throw new LimitExceeded('concurrency', capability.kind, CROWDED_RETRY_MS);
      attempt.add(release);
    };
    for (const [i, rule] of capability.concurrency.entries()) {
      if (i < from) continue;
      const key = keyOf(capability, i, attempt.caller.sharing(rule.per));
      const release = this.bulkheads.enter(key, rule, signal);
      if (release instanceof Promise) {
        return release.then((late) => {
          admitted(late);
          signal?.throwIfAborted();
          return this.#enter(attempt, i + 1);
        });
      }
      admitted(release);
    }
  }
}

function bucketOf(key: string, { burst, amount, perMs }: RateLimitRule): BucketSpec {
  return { key, capacity: burst, refillPerMs: amount / perMs, cost: 1 };
}

/** @param scopes of whom each of the buckets was */
function requireAllowed(verdict: Verdict, scopes: readonly string[]): void {
  if (!verdict.allowed) throw new LimitExceeded('rate', scopes[verdict.index] ?? 'principal', verdict.retryAfterMs);
}

/** Of one of the rules of a capability. */
function keyOf(capability: LimitedCapability, index: number, sharing: string): string {
  return `${nameOf(capability)}:${index}:${sharing}`;
}

function nameOf({ kind, key }: Pick<LimitedCapability, 'kind' | 'key'>): string {
  // URIs may hold anything and be long.
  return `${kind}:${PLAIN.test(key) ? key : `~${shortHash(key)}`}`;
}
