import type { ConcurrencyRule, RateLimitRule } from '../decorators/limit-metadata.js';
import { type Principal, oncePerPrincipal } from '../protocol/principal.js';
import { type AbortableCall, type BulkheadRule, Bulkheads, type Release, requireRunning } from './bulkheads.js';
import { shortHash } from './caller-keys.js';
import { LimitExceeded } from './limit-exceeded.error.js';
import { LimitedCaller, NOTHING, type Takings, nameOf } from './limited-caller.js';
import type { LimitRules, LimitedCapability } from './limited-capability.js';
import type { TokenBuckets, Verdict } from './token-buckets.port.js';

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

/** A capability that may have bulkheads. */
export interface BoundCapability extends Pick<LimitedCapability, 'kind' | 'key'> {
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
  /** Aborts waiting. Default: nothing does. */
  readonly call?: AbortableCall | undefined;
}

/** A call that may run. */
export interface Admission {
  /** To be called when it has ended, however it did; needs no `this`. Does nothing when it is called again. */
  readonly release: () => void;
}

/** Nothing is held, nothing is released. */
const FREE: Admission = Object.freeze({ release: () => undefined });
/** When a call ends nobody knows; this is when to ask again, in milliseconds. */
const CROWDED_RETRY_MS = 1_000;

/** A call on its way in, and what it holds already. */
class Attempt implements Admission {
  #first: Release | undefined;
  #others: Release[] | undefined;

  /** @param isBound whether the limits of its caller are to be met */
  constructor(
    readonly call: LimitedCall,
    readonly caller: LimitedCaller,
    readonly isBound: boolean,
  ) {}

  add(release: Release): void {
    if (!this.#first) this.#first = release;
    else (this.#others ??= []).push(release);
  }

  readonly release = (): void => {
    const [first, others] = [this.#first, this.#others];
    this.#first = this.#others = undefined;
    first?.();
    if (others) for (const release of others) release();
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
  readonly #callerOf: (principal: Principal) => LimitedCaller;
  /** Whether callers have limits, whatever they call. */
  readonly #bindsCallers: boolean;
  readonly #perPrincipal: BulkheadRule | undefined;
  readonly #roundMs: number;

  constructor(options: CallLimitsOptions) {
    const { principal, tenant, maxCallsPerPrincipal: max } = options;
    this.#buckets = options.buckets;
    this.#callerOf = oncePerPrincipal((caller) => new LimitedCaller(caller, { principal, tenant }));
    this.#bindsCallers = principal !== undefined || tenant !== undefined || max !== undefined;
    this.#roundMs = options.roundMs ?? 600_000;
    this.#perPrincipal = max === undefined ? undefined : { max, queue: 0, queueMs: 0 };
  }

  /**
   * Lets a call in: at once where that can be decided at once. When no limit applies it costs next to nothing.
   * @throws LimitExceeded, or the signal's reason if that aborts; where it is decided later, rejects with them
   */
  admit(call: LimitedCall): Admission | Promise<Admission> {
    const { capability } = call;
    const bindsCaller = this.#bindsCallers && !call.callerCounted;
    const bindsCapability = capability !== undefined && hasLimits(capability.rules);
    if (!bindsCaller && !bindsCapability) return FREE;
    const caller = this.#callerOf(call.principal);
    const isBound = bindsCaller && !caller.isAnybody;
    if (!isBound && !bindsCapability) return FREE;

    const attempt = new Attempt(call, caller, isBound);
    try {
      if (call.call) requireRunning(call.call);
      if (isBound) this.#enterAsPrincipal(attempt);
      const taken = call.round === undefined ? this.#take(attempt) : this.#takeRound(attempt, call.round);
      const entered = taken instanceof Promise ? taken.then(() => this.#enter(attempt)) : this.#enter(attempt);
      return entered instanceof Promise ? late(attempt, entered) : attempt;
    } catch (error) {
      attempt.release();
      throw error;
    }
  }

  /** Whether any limit can apply to what has these rules, whoever calls it. */
  mayBind(rules?: LimitRules): boolean {
    return this.#bindsCallers || (rules !== undefined && hasLimits(rules));
  }

  /**
   * How many calls of capabilities run within their own bulkheads, and how many wait for one, on this replica.
   * @returns in the order of the capabilities
   */
  depths(capabilities: readonly BoundCapability[]): { running: number; waiting: number }[] {
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

  #enterAsPrincipal(attempt: Attempt): void {
    if (!this.#perPrincipal) return;
    // Without a queue it never waits.
    const release = this.bulkheads.enter(attempt.caller.bulkhead, this.#perPrincipal);
    if (typeof release !== 'function') throw new LimitExceeded('concurrency', 'principal', CROWDED_RETRY_MS);
    attempt.add(release);
  }

  /** A further round takes from the buckets of the capability only if it is none, or was here before. */
  async #takeRound(attempt: Attempt, round: string): Promise<void> {
    const isLimited = (attempt.call.capability?.rules.rateLimits.length ?? 0) > 0;
    const key = `round:${shortHash(round)}`;
    const once = { key, capacity: 1, refillPerMs: 1 / this.#roundMs, cost: 1 };
    const isFirst = !isLimited || (await this.#buckets.take([once])).allowed;
    await this.#take(attempt, isFirst);
  }

  /** @param isCounted whether the limits of the capability were met before */
  #take(attempt: Attempt, isCounted = false): void | Promise<void> {
    const { buckets, scopes } = takingsOf(attempt, isCounted);
    if (buckets.length === 0) return;
    const verdict = this.#buckets.take(buckets);
    if (!(verdict instanceof Promise)) return requireAllowed(verdict, scopes);
    return verdict.then((known) => {
      requireAllowed(known, scopes);
      if (attempt.call.call) requireRunning(attempt.call.call);
    });
  }

  /** Enters all bulkheads of the capability, one after the other: always in this order, so that no two calls can block. */
  #enter(attempt: Attempt, from = 0): void | Promise<void> {
    const { capability, call } = attempt.call;
    if (!capability || capability.rules.concurrency.length === 0) return;
    const { concurrency } = capability.rules;
    const { bulkheads } = attempt.caller.shareOf(capability);
    const admitted = (release: Release | undefined): void => {
      if (!release) throw new LimitExceeded('concurrency', capability.kind, CROWDED_RETRY_MS);
      attempt.add(release);
    };
    for (let i = from; i < concurrency.length; i += 1) {
      const release = this.bulkheads.enter(bulkheads[i]!, concurrency[i]!, call);
      if (release instanceof Promise) {
        return release.then((known) => {
          admitted(known);
          if (call) requireRunning(call);
          return this.#enter(attempt, i + 1);
        });
      }
      admitted(release);
    }
  }
}

function hasLimits({ rateLimits, concurrency }: LimitRules): boolean {
  return rateLimits.length > 0 || concurrency.length > 0;
}

/** An attempt that is decided later: one that fails gives back what it holds. */
function late(attempt: Attempt, entered: Promise<void>): Promise<Admission> {
  return entered.then(
    () => attempt,
    (error: unknown) => {
      attempt.release();
      throw error;
    },
  );
}

function takingsOf({ call: { capability }, caller, isBound }: Attempt, isCounted: boolean): Takings {
  if (!capability || isCounted || capability.rules.rateLimits.length === 0) return isBound ? caller.takings : NOTHING;
  const share = caller.shareOf(capability);
  return isBound ? share.together : share.alone;
}

/** @param scopes of whom each of the buckets was */
function requireAllowed(verdict: Verdict, scopes: readonly string[]): void {
  if (!verdict.allowed) throw new LimitExceeded('rate', scopes[verdict.index] ?? 'principal', verdict.retryAfterMs);
}
