import type { AccessChallenge } from '../protocol/access-challenge.js';
import type { Principal } from '../protocol/principal.js';

/** The part of a request that says who calls. */
export interface Credentials {
  /** Headers with lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Finds out who is calling. */
export interface Authenticator {
  /**
   * What callers that it takes for `ANONYMOUS` may use: all that asks for nothing, or what is `@Public()` alone.
   * Default `public`.
   */
  readonly anonymousMayUse?: 'all' | 'public';
  /** How callers are told what they lack. Default: by a bare `WWW-Authenticate: Bearer`. */
  readonly challenge?: AccessChallenge;

  /** Gets ready, before the first request. What it rejects with stops the start. */
  start?(): Promise<void>;

  /** Lets go of what it holds. */
  close?(): void | Promise<void>;

  /** @throws McpError `UNAUTHORIZED`; `UNAVAILABLE` when it cannot find out at the moment */
  authenticate(credentials: Credentials): Principal | Promise<Principal>;
}

export const Authenticator = Symbol('Authenticator');
