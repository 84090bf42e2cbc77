import { type KeyObject, createHash, createPublicKey, sign, verify } from 'node:crypto';

/** Says what is signed, so that no signature made for something else with the same key can stand for one. */
const CONTEXT = 'rookery-audit-v1:';

/** The public part of a key as a start entry has it: its SPKI in Base64. */
export function exportPublicKey(key: KeyObject): string {
  // createPublicKey() refuses what is public already.
  const publicKey = key.type === 'public' ? key : createPublicKey(key);
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}

/**
 * Reads what {@link exportPublicKey} wrote.
 * @returns undefined if it is no Ed25519 key
 */
export function importPublicKey(text: unknown): KeyObject | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64'), type: 'spki', format: 'der' });
    return isEd25519(key) && exportPublicKey(key) === text ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Names a key: the first 16 hex digits of the SHA-256 of its public part. */
export function keyIdOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 16);
}

export function isEd25519(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ed25519';
}

/** @param hash of the entry, in hex */
export function signHash(hash: string, privateKey: KeyObject): string {
  return sign(null, Buffer.from(`${CONTEXT}${hash}`), privateKey).toString('base64');
}

export function isSignatureOf(hash: string, signature: unknown, publicKey: KeyObject): boolean {
  if (typeof signature !== 'string') return false;
  const bytes = Buffer.from(signature, 'base64');
  // Base64 has several spellings of the same bytes; only one is ours.
  return bytes.toString('base64') === signature && verify(null, Buffer.from(`${CONTEXT}${hash}`), publicKey, bytes);
}
