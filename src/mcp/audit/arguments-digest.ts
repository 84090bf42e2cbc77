import { createHmac, hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/** Bytes a key must have: those of the hash (RFC 2104, 3). */
const MIN_KEY_BYTES = 32;

/** @throws Error if the key is too short */
export function assertDigestKey(key: Uint8Array): void {
  if (key.byteLength >= MIN_KEY_BYTES) return;
  throw new Error(
    `The digest key of the audit trail has ${key.byteLength} bytes and needs ${MIN_KEY_BYTES} at least. ` +
      'Make one with: openssl rand -base64 32',
  );
}

/**
 * Lets two calls be compared without saying what was in them. Equal arguments have equal digests, whatever the order of
 * their names. Without a key, whoever reads the digest can find short arguments by trying; with one only its holders.
 *
 * @returns null without arguments, `unreadable` for what is no plain JSON. Never throws
 */
export function argumentsDigest(args: unknown, key?: Uint8Array): string | null {
  if (args === undefined) return null;
  try {
    const text = canonicalJson(args);
    if (key) return `hmac-sha256:${createHmac('sha256', key).update(text).digest('hex')}`;
    return `sha256:${hash('sha256', text)}`;
  } catch {
    return 'unreadable';
  }
}
