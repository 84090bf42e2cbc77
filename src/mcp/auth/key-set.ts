import { createPublicKey, KeyObject } from 'node:crypto';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWK } from 'jose';
import { IssuerUnavailable } from './issuer-unavailable.error.js';
import type { TokenHeader } from './jwt-parts.js';
import { algorithmsOf, isStrongEnough } from './key-strength.js';

/** Keys without an id that may be tried for one token. */
const MAX_CANDIDATES = 8;

/** The keys that an issuer published at one time. */
export class KeySet {
  private readonly match: ReturnType<typeof createLocalJWKSet>;

  /** @throws IssuerUnavailable for what is no key set, or has no key that any token could be verified with */
  constructor(text: string) {
    let keySet: JSONWebKeySet;
    try {
      keySet = JSON.parse(text) as JSONWebKeySet;
      this.match = createLocalJWKSet(keySet);
    } catch {
      throw new IssuerUnavailable('its key set is not a JSON Web Key Set (RFC 7517 section 5)');
    }
    if (!keySet.keys.some(verifies)) throw new IssuerUnavailable('its key set has no key that can be used');
  }

  /**
   * @returns none when it has no such key
   * @throws IssuerUnavailable when the key cannot be used
   */
  async matching({ alg, kid }: TokenHeader): Promise<readonly KeyObject[]> {
    try {
      return strong([await this.match({ alg, ...(kid !== undefined && { kid }) })]);
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) {
        const candidates = [];
        for await (const key of error) if (candidates.push(key) >= MAX_CANDIDATES) break;
        return strong(candidates);
      }
      if (error instanceof errors.JWKSNoMatchingKey) return [];
      throw new IssuerUnavailable('a key of its key set cannot be used');
    }
  }
}

function verifies(jwk: JWK): boolean {
  const { use = 'sig', key_ops: operations = ['verify'] } = jwk;
  try {
    if (use !== 'sig' || !operations.includes('verify')) return false;
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    const algorithms: readonly string[] = algorithmsOf(key);
    return isStrongEnough(key) && algorithms.includes(jwk.alg ?? algorithms[0]!);
  } catch {
    return false;
  }
}

function strong(keys: readonly Parameters<typeof KeyObject.from>[0][]): KeyObject[] {
  return keys.map((key) => KeyObject.from(key)).filter(isStrongEnough);
}
