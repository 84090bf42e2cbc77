import { hash } from 'node:crypto';
import type { LimitSharing } from '../decorators/limit-metadata.js';
import { ANONYMOUS, type Principal } from '../protocol/principal.js';

/** Characters of a hash that are kept: 132 bits, so that nobody can find two callers that share them. */
const HASH_LENGTH = 22;

/** Whoever was not asked for a name: many callers, who have nothing in common but this. */
export function isAnybody(principal: Principal): boolean {
  const { issuer, subject, client, tenant } = principal;
  return issuer === ANONYMOUS.issuer && subject === ANONYMOUS.subject && client === undefined && tenant === undefined;
}

/**
 * What stands for a caller in keys: hashes, so that what is kept under them holds no personal data, and nothing that a
 * name may hold can make one key look like another.
 */
export class CallerKeys {
  readonly #principal: Principal;
  #principalKey: string | undefined;
  #tenantKey: string | undefined;

  constructor(principal: Principal) {
    this.#principal = principal;
  }

  /** Of the principal, whatever client acts for it. */
  principal(): string {
    // Not the client: whoever can register clients could have as many limits as he likes.
    const { issuer, subject, tenant } = this.#principal;
    return (this.#principalKey ??= `principal:${shortHash(JSON.stringify([issuer, subject, tenant ?? null]))}`);
  }

  /** Of its tenant, or of all of its issuer who have none. Tenants of two issuers are two, whatever they are called. */
  tenant(): string {
    const { issuer, tenant } = this.#principal;
    return (this.#tenantKey ??= `tenant:${shortHash(JSON.stringify([issuer, tenant ?? null]))}`);
  }

  /** Of those whose calls count together. */
  sharing(per: LimitSharing): string {
    switch (per) {
      case 'principal':
        return this.principal();
      case 'tenant':
        return this.tenant();
      case 'everyone':
        return 'everyone';
    }
  }
}

/** Stands for a text of any length and kind. */
export function shortHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, HASH_LENGTH);
}
