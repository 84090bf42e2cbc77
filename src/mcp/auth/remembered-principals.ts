import type { Principal } from '../protocol/principal.js';
import type { Clocks } from './clocks.js';
import { ExpiringMap } from './expiring-map.js';

export interface RememberedPrincipalsOptions extends Clocks {
  /** Tokens that are remembered at most; 0 remembers none. */
  readonly max: number;
  /** Milliseconds. */
  readonly ttlMs: number;
  readonly clockSkewMs: number;
}

/** What was found out about tokens, by their digest: for a while, and never beyond the end of the token. */
export class RememberedPrincipals {
  private readonly principals: ExpiringMap<Principal>;

  constructor(private readonly options: RememberedPrincipalsOptions) {
    this.principals = new ExpiringMap(options.max, options.monotonic);
  }

  get(digest: string): Principal | undefined {
    const principal = this.principals.get(digest);
    const { now, clockSkewMs } = this.options;
    // Its end is a time of day, so it is compared with the clock that tells that.
    return principal && now() < (principal.expiresAt ?? Infinity) + clockSkewMs ? principal : undefined;
  }

  set(digest: string, principal: Principal): void {
    this.principals.set(digest, principal, this.options.ttlMs);
  }

  clear(): void {
    this.principals.clear();
  }
}
