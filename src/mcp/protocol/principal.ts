import { readOnlySet } from './read-only-set.js';

/** Who is calling: what a verified credential says, never the credential itself. */
export interface Principal {
  /** Issuer of the identity (`iss`), or `anonymous` when nobody was asked. */
  readonly issuer: string;
  /** Subject (`sub`) at that issuer. */
  readonly subject: string;
  /** OAuth client (`client_id`/`azp`) that acts for the subject. */
  readonly client?: string;
  /** Tenant the call belongs to. */
  readonly tenant?: string;
  /** What the caller was granted (`scope`), the scopes that these imply included. */
  readonly scopes: ReadonlySet<string>;
  /** Roles of the subject. Default: none. */
  readonly roles?: ReadonlySet<string>;
  /** When the credential ends, in milliseconds since 1970. Default: not known; streams then outlive it. */
  readonly expiresAt?: number;
  /** The remaining claims, for a team's own decisions. */
  readonly claims: Readonly<Record<string, unknown>>;
}

export const ANONYMOUS: Principal = Object.freeze({
  issuer: 'anonymous',
  subject: 'anonymous',
  scopes: readOnlySet<string>([]),
  claims: Object.freeze({}),
});

/** True if nobody has said who is calling. */
export function isAnonymous({ issuer, subject }: Principal): boolean {
  return issuer === ANONYMOUS.issuer && subject === ANONYMOUS.subject;
}

/**
 * Works something out about principals, from its texts alone, once for each that is frozen: one that is remembered for a
 * token makes many calls.
 */
export function oncePerPrincipal<T>(workOut: (principal: Principal) => T): (principal: Principal) => T {
  const known = new WeakMap<Principal, T>();
  return (principal) => {
    const value = known.get(principal);
    if (value !== undefined) return value;
    const made = workOut(principal);
    if (Object.isFrozen(principal)) known.set(principal, made);
    return made;
  };
}

/**
 * The identity a session or a sealed request state belongs to: issuer, subject, client and tenant, never the bytes of
 * a token, so that a refreshed token goes on working.
 */
export const principalKey = oncePerPrincipal(({ issuer, subject, client, tenant }) =>
  JSON.stringify([issuer, subject, client ?? null, tenant ?? null]),
);
