import type { RateLimitRule } from '../decorators/limit-metadata.js';
import type { Principal } from '../protocol/principal.js';
import { CallerKeys, isAnybody, shortHash } from './caller-keys.js';
import type { LimitedCapability } from './limited-capability.js';
import type { BucketSpec } from './token-buckets.port.js';

/** How often callers may call, whatever they call. */
export interface CallerRules {
  readonly principal: RateLimitRule | undefined;
  readonly tenant: RateLimitRule | undefined;
}

/** What a call takes from, in one go. */
export interface Takings {
  readonly buckets: readonly BucketSpec[];
  /** Of whom each of the buckets is. */
  readonly scopes: readonly string[];
}

/** What the calls of a capability by a caller are held to. */
export interface CapabilityShare {
  /** What the capability limits. */
  readonly alone: Takings;
  /** The same, behind what the caller is limited to. */
  readonly together: Takings;
  /** Keys of its bulkheads, in their order. */
  readonly bulkheads: readonly string[];
}

export const NOTHING: Takings = Object.freeze({ buckets: [], scopes: [] });
/** Names that may stand in a key as they are, to be found there by people: those of most tools. */
const PLAIN = /^[\w.-]{1,128}$/;

/** A caller as limits see it. Keys and buckets are the same at each of its calls, so they are made for the first. */
export class LimitedCaller {
  /** True for whoever was not asked for a name: the limits of callers do not bind it. */
  readonly isAnybody: boolean;
  /** What each of its calls takes from. */
  readonly takings: Takings;
  readonly #keys: CallerKeys;
  #shares: WeakMap<LimitedCapability, CapabilityShare> | undefined;

  constructor(principal: Principal, rules: CallerRules) {
    this.isAnybody = isAnybody(principal);
    this.#keys = new CallerKeys(principal);
    this.takings = this.isAnybody ? NOTHING : this.#takings(rules, principal.tenant !== undefined);
  }

  /** Key of what bounds the calls that it has running. */
  get bulkhead(): string {
    return this.#keys.principal();
  }

  shareOf(capability: LimitedCapability): CapabilityShare {
    const known = this.#shares?.get(capability);
    if (known) return known;
    const share = this.#share(capability);
    (this.#shares ??= new WeakMap()).set(capability, share);
    return share;
  }

  #takings({ principal, tenant }: CallerRules, hasTenant: boolean): Takings {
    const buckets: BucketSpec[] = [];
    const scopes: string[] = [];
    if (principal) {
      scopes.push('principal');
      buckets.push(bucketOf(this.#keys.principal(), principal));
    }
    if (tenant && hasTenant) {
      scopes.push('tenant');
      buckets.push(bucketOf(this.#keys.tenant(), tenant));
    }
    return { buckets, scopes };
  }

  #share(capability: LimitedCapability): CapabilityShare {
    const { kind, rules } = capability;
    const keyOf = (index: number, per: RateLimitRule['per']): string =>
      `${nameOf(capability)}:${index}:${this.#keys.sharing(per)}`;
    const buckets = rules.rateLimits.map((rule, i) => bucketOf(keyOf(i, rule.per), rule));
    const scopes = buckets.map(() => kind);
    const { takings } = this;
    return {
      alone: { buckets, scopes },
      together: { buckets: [...takings.buckets, ...buckets], scopes: [...takings.scopes, ...scopes] },
      bulkheads: rules.concurrency.map(({ per }, i) => keyOf(i, per)),
    };
  }
}

/** Names a capability in keys. */
export function nameOf({ kind, key }: Pick<LimitedCapability, 'kind' | 'key'>): string {
  // URIs may hold anything and be long.
  return `${kind}:${PLAIN.test(key) ? key : `~${shortHash(key)}`}`;
}

function bucketOf(key: string, { burst, amount, perMs }: RateLimitRule): BucketSpec {
  return { key, capacity: burst, refillPerMs: amount / perMs, cost: 1 };
}
