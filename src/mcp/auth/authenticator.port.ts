import type { Principal } from '../protocol/principal.js';

/** The part of a request that says who calls. */
export interface Credentials {
  /** Headers with lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Finds out who is calling. */
export interface Authenticator {
  /** @throws McpError `UNAUTHORIZED` */
  authenticate(credentials: Credentials): Principal | Promise<Principal>;
}

export const Authenticator = Symbol('Authenticator');
