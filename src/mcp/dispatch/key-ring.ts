import { randomBytes } from 'node:crypto';

/** A key that seals request state. */
export interface SealingKey {
  /** Names the key in what it sealed: 1 to 64 letters, digits, `.`, `_` or `-`. Not secret. */
  readonly id: string;
  /** 32 random bytes. */
  readonly secret: Uint8Array;
}

/** The first key seals, all of them open: put a new key first, and drop the old one once its state has expired. */
export type KeyRing = readonly SealingKey[];

const SECRET_BYTES = 32;
const KEY_ID = /^[\w.-]{1,64}$/;

/**
 * Reads a key ring from configuration: `id:secret`, several separated by commas, each secret 32 bytes in Base64
 * (`openssl rand -base64 32`) or base64url. With nothing configured it makes a random key, which neither another
 * replica nor the next start of this one knows: a call that waits for input then has to begin anew.
 *
 * @throws Error that says which key is wrong and how to make one; it never holds a secret
 */
export function keyRingFromConfig(value: string | undefined): KeyRing {
  const text = value?.trim() ?? '';
  const keys = text === '' ? [randomKey()] : text.split(',').map(parseKey);
  assertKeyRing(keys);
  return Object.freeze(keys);
}

/** @throws Error that says what is wrong with the key ring */
export function assertKeyRing(keys: KeyRing): void {
  if (keys.length === 0) throw new Error('The key ring is empty. Give it at least one key.');
  const ids = new Set<string>();
  for (const { id, secret } of keys) {
    if (!KEY_ID.test(id)) {
      throw new Error(`Key id ${JSON.stringify(id)} is not usable. Use 1 to 64 letters, digits, ".", "_" or "-".`);
    }
    if (ids.has(id)) throw new Error(`Key id "${id}" occurs twice. Give each key its own id.`);
    ids.add(id);
    if (secret.byteLength !== SECRET_BYTES) {
      throw new Error(
        `Key "${id}" has ${secret.byteLength} bytes and needs 32. Make one with: openssl rand -base64 32`,
      );
    }
  }
}

function randomKey(): SealingKey {
  return { id: `random-${randomBytes(6).toString('base64url')}`, secret: randomBytes(SECRET_BYTES) };
}

function parseKey(entry: string, index: number): SealingKey {
  const colon = entry.indexOf(':');
  // Not even a part of the entry is shown: without its colon it may be all secret.
  if (colon < 0) throw new Error(`Key ${index + 1} of the key ring is not of the form "id:secret".`);

  const id = entry.slice(0, colon).trim();
  const secret = entry.slice(colon + 1).trim();
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(secret)) {
    throw new Error(`The secret of key ${index + 1} is not Base64. Make one with: openssl rand -base64 32`);
  }
  return { id, secret: Buffer.from(secret, 'base64') };
}
