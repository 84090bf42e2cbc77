import type { KeyObject } from 'node:crypto';
import { ASYMMETRIC_ALGORITHMS, type AsymmetricAlgorithm } from './oauth-options.js';

export const MIN_RSA_BITS = 2_048;
const CURVES: Readonly<Record<string, AsymmetricAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** Whether a key is long enough to be trusted (RFC 7518 section 3.3). */
export function isStrongEnough({ asymmetricKeyDetails }: KeyObject): boolean {
  const bits = asymmetricKeyDetails?.modulusLength;
  return bits === undefined || bits >= MIN_RSA_BITS;
}

/** What a key can be used with; nothing for kinds that no accepted algorithm has. */
export function algorithmsOf(key: KeyObject): readonly AsymmetricAlgorithm[] {
  const type = key.asymmetricKeyType;
  if (type === 'rsa') return ASYMMETRIC_ALGORITHMS.filter((algorithm) => !algorithm.startsWith('ES'));
  if (type === 'rsa-pss') return ASYMMETRIC_ALGORITHMS.filter((algorithm) => algorithm.startsWith('PS'));
  const curve = type === 'ec' ? CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] : undefined;
  return curve ? [curve] : [];
}
