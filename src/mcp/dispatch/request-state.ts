import { createHash } from 'node:crypto';
import { McpError } from '../protocol/errors.js';
import { assertKeyRing, type KeyRing } from './key-ring.js';

export interface RequestStateSealerOptions {
  /** Or where to get them, asked until it has them: keys that replicas share may lie across the network. */
  readonly keys: KeyRing | (() => Promise<KeyRing>);
  /** How long sealed state can be opened. Milliseconds; default 10 minutes. */
  readonly ttlMs?: number;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** Longest sealed state, in characters (all of them ASCII). */
export const MAX_SEALED_LENGTH = 256 * 1024;

interface Sealed {
  readonly state: unknown;
  /** SHA-256 of the binding, base64url. */
  readonly binding: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** One text for every cause: a client learns nothing from it but what to do. */
const REFUSAL = 'The request state is not valid for this request. Repeat the request without requestState.';

/**
 * Seals what has to survive between the rounds of a request into an opaque text that the client carries
 * (2026-07-28 basic/patterns/mrtr, "Server Requirements"): a compact JWE (RFC 7516), `dir` and `A256GCM`. Only the
 * same caller can use it, on the same request, until it expires. It is not single use: see the warning there.
 *
 * Of jose only what that takes is loaded, and by the first that has something to seal or open, which most servers never do.
 *
 * A random 96-bit IV per seal allows some 2^32 seals with one key (NIST SP 800-38D, section 8.3); change it before.
 */
export class RequestStateSealer {
  readonly #getKeys: () => Promise<KeyRing>;
  #keys: KeyRing | undefined;
  readonly #ttlMs: number;
  readonly #now: () => number;

  /** @throws Error when the key ring is empty, or a key has a wrong length or an id that is taken or unusable */
  constructor({ keys, ttlMs = 10 * 60_000, now = Date.now }: RequestStateSealerOptions) {
    if (typeof keys === 'function') this.#getKeys = keys;
    else {
      assertKeyRing(keys);
      this.#keys = [...keys];
      this.#getKeys = async () => keys;
    }
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  /**
   * @param state JSON
   * @param binding what the state belongs to, see `requestBinding`
   * @throws RangeError when the sealed state would be longer than 256 KiB
   * @throws McpError `UNAVAILABLE` when the keys cannot be had
   */
  async seal(state: object, binding: string): Promise<string> {
    const [key] = await this.#keyRing();
    if (!key) throw new Error('unreachable: an empty key ring is refused');
    const { CompactEncrypt } = await import('jose/jwe/compact/encrypt');
    const content: Sealed = { state, binding: sha256(binding), expiresAt: this.#now() + this.#ttlMs };
    const sealed = await new CompactEncrypt(Buffer.from(JSON.stringify(content)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: key.id })
      .encrypt(key.secret);
    if (sealed.length > MAX_SEALED_LENGTH) {
      throw new RangeError('The answers and effects of a call exceed 256 KiB when sealed. Keep less in call.once().');
    }
    return sealed;
  }

  /**
   * @typeParam State what was sealed; the seal is the proof of it
   * @throws McpError `INVALID_PARAMS`, with one and the same message, when the state was altered, has expired, is too
   *   long, was sealed by an unknown key or is bound to something else; `cause` tells which, for the log
   * @throws McpError `UNAVAILABLE` when the keys cannot be had
   */
  async open<State extends object>(sealed: string, binding: string): Promise<State> {
    const keys = await this.#keyRing();
    try {
      return (await this.#opened(sealed, binding, keys)) as State;
    } catch (cause) {
      throw new McpError('INVALID_PARAMS', REFUSAL, undefined, { cause });
    }
  }

  async #keyRing(): Promise<KeyRing> {
    if (this.#keys) return this.#keys;
    const keys = await this.#getKeys();
    assertKeyRing(keys);
    this.#keys = keys;
    return keys;
  }

  async #opened(sealed: string, binding: string, keys: KeyRing): Promise<unknown> {
    if (sealed.length > MAX_SEALED_LENGTH) throw new Error('Longer than 256 KiB.');
    assertCanonical(sealed);
    const { compactDecrypt } = await import('jose/jwe/compact/decrypt');
    const { plaintext } = await compactDecrypt(sealed, ({ kid }) => secretOf(keys, kid), {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
      maxDecompressedLength: 0,
    });
    const content = JSON.parse(Buffer.from(plaintext).toString()) as Sealed;
    if (this.#now() >= content.expiresAt) throw new Error('Expired.');
    if (content.binding !== sha256(binding)) throw new Error('Bound to another caller or another request.');
    return content.state;
  }
}

function secretOf(keys: KeyRing, kid: string | undefined): Uint8Array {
  const key = keys.find(({ id }) => id === kid);
  if (!key) throw new Error('Sealed by a key that is not in the key ring.');
  return key.secret;
}

/**
 * The last character of a base64url text can have bits to spare, which decoders ignore; the sealed text would then
 * have other spellings (RFC 4648, section 3.5).
 */
function assertCanonical(sealed: string): void {
  for (const part of sealed.split('.')) {
    if (Buffer.from(part, 'base64url').toString('base64url') !== part) throw new Error('Not canonical base64url.');
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
