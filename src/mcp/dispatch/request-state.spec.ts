import { randomBytes } from 'node:crypto';
import { CompactEncrypt } from 'jose';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { McpError } from '../protocol/errors.js';
import type { KeyRing, SealingKey } from './key-ring.js';
import { RequestStateSealer } from './request-state.js';

const MESSAGE = 'The request state is not valid for this request. Repeat the request without requestState.';
const OLD: SealingKey = { id: 'old', secret: new Uint8Array(32).fill(1) };
const NEW: SealingKey = { id: 'new', secret: new Uint8Array(32).fill(2) };
const STATE = { answers: { confirm: { action: 'accept', content: { ok: true } } }, effects: { refund: null, n: 0.1 } };

async function refusalOf(opening: Promise<unknown>): Promise<McpError> {
  const error: unknown = await opening.then(
    () => new Error('it was opened'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof McpError)) throw error;
  return error;
}

describe('RequestStateSealer', () => {
  let now = 0;
  let sealer: RequestStateSealer;

  beforeAll(() => {
    sealer = new RequestStateSealer({ keys: [NEW, OLD], now: () => now });
  });

  it('opens what it sealed', async () => {
    expect(await sealer.open(await sealer.seal(STATE, 'b'), 'b')).toEqual({
      answers: { confirm: { action: 'accept', content: { ok: true } } },
      effects: { refund: null, n: 0.1 },
    });
  });

  it('shows nothing but the names of the key and the algorithms', async () => {
    const parts = (await sealer.seal(STATE, 'b')).split('.');
    expect(JSON.parse(Buffer.from(parts[0]!, 'base64url').toString())).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: 'new',
    });
    expect(Buffer.from(parts.join(''), 'base64url').toString('latin1')).not.toContain('confirm');
  });

  it('seals the same state differently each time', async () => {
    expect(await sealer.seal(STATE, 'b')).not.toBe(await sealer.seal(STATE, 'b'));
  });

  it('opens on every replica that has the key, also once another key seals', async () => {
    const sealed = await new RequestStateSealer({ keys: [OLD], now: () => now }).seal(STATE, 'b');
    expect(await sealer.open(sealed, 'b')).toEqual(STATE);
  });

  it('opens until 10 minutes have passed', async () => {
    const sealed = await sealer.seal(STATE, 'b');
    now += 10 * 60_000 - 1;
    expect(await sealer.open(sealed, 'b')).toEqual(STATE);
    now += 1;
    expect((await refusalOf(sealer.open(sealed, 'b'))).cause).toEqual(new Error('Expired.'));
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    ['presented with another request or by another caller', () => sealer.seal(STATE, 'other'), /^Bound to another/],
    ['sealed by an unknown key', () => stranger('unknown').seal(STATE, 'b'), /not in the key ring/],
    ['sealed by a stranger in the name of a known key', () => stranger('new').seal(STATE, 'b'), /decryption/],
    ['of no sense', async () => 'nonsense', /Invalid Compact JWE/],
    ['empty', async () => '', /Invalid Compact JWE/],
    ['too long', async () => 'A'.repeat(256 * 1024 + 1), /^Longer than 256 KiB/],
    [
      'encrypted with an algorithm of its own choice',
      () => foreign({ alg: 'dir', enc: 'A128CBC-HS256' }),
      /not allowed/,
    ],
    ['wrapped with an algorithm of its own choice', () => foreign({ alg: 'A256KW', enc: 'A256GCM' }), /not allowed/],
    ['without the name of a key', () => foreign({ alg: 'dir', enc: 'A256GCM', kid: undefined }), /not in the key ring/],
  ])('refuses state that is %s, with one message and the cause for the log', async (_, sealing, cause) => {
    const error = await refusalOf(sealer.open(await sealing(), 'b'));
    expect(error.toWire()).toEqual({ code: -32602, message: MESSAGE });
    expect((error.cause as Error).message).toMatch(cause);
  });

  it('refuses state in which any single character was changed, removed or added', async () => {
    const sealed = await sealer.seal(STATE, 'b');
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: sealed.length - 1 }),
        fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ', ''),
        fc.boolean(),
        async (at, character, insert) => {
          const changed = sealed.slice(0, at) + character + sealed.slice(insert ? at : at + 1);
          fc.pre(changed !== sealed);
          expect((await refusalOf(sealer.open(changed, 'b'))).message).toBe(MESSAGE);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('refuses every other spelling of the last character of each part', async () => {
    const parts = (await sealer.seal(STATE, 'b')).split('.');
    for (const [index, part] of parts.entries()) {
      for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
        const changed = parts.with(index, part.slice(0, -1) + last);
        if (part.endsWith(last)) continue;
        expect((await refusalOf(sealer.open(changed.join('.'), 'b'))).message).toBe(MESSAGE);
      }
    }
  });

  it('seals no state that it would not open again for its length', async () => {
    const large = { answers: {}, effects: { blob: 'x'.repeat(190_000) } };
    expect(await sealer.open(await sealer.seal(large, 'b'), 'b')).toEqual(large);
    await expect(sealer.seal({ blob: 'x'.repeat(200_000) }, 'b')).rejects.toThrow(
      new RangeError('The answers and effects of a call exceed 256 KiB when sealed. Keep less in call.once().'),
    );
  });

  it.each<[string, SealingKey[], string]>([
    ['no key', [], 'The key ring is empty. Give it at least one key.'],
    [
      'a key of another length',
      [{ id: 'a', secret: new Uint8Array(16) }],
      'Key "a" has 16 bytes and needs 32. Make one with: openssl rand -base64 32',
    ],
    ['two keys of one name', [OLD, OLD], 'Key id "old" occurs twice. Give each key its own id.'],
  ])('does not start with %s', (_, keys, message) => {
    expect(() => new RequestStateSealer({ keys })).toThrow(new Error(message));
  });
});

/** A sealer with a secret of its own. */
function stranger(id: string): RequestStateSealer {
  return new RequestStateSealer({ keys: [{ id, secret: new Uint8Array(32).fill(9) }] });
}

/** A token that a holder of the key could have made for another purpose. */
function foreign(header: { alg: string; enc: string; kid?: string | undefined }): Promise<string> {
  const { kid = 'kid' in header ? undefined : 'new' } = header;
  return new CompactEncrypt(Buffer.from('{}'))
    .setProtectedHeader({ alg: header.alg, enc: header.enc, ...(kid && { kid }) })
    .encrypt(NEW.secret);
}

describe('keys that have to be fetched', () => {
  it('are asked for until they are there, and then kept', async () => {
    const ring = [{ id: 'k1', secret: randomBytes(32) }];
    const keys = vi.fn<() => Promise<KeyRing>>().mockRejectedValueOnce(new McpError('UNAVAILABLE', 'away'));
    keys.mockResolvedValue(ring);
    const sealer = new RequestStateSealer({ keys });

    await expect(sealer.seal({ n: 1 }, 'b')).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    const sealed = await sealer.seal({ n: 1 }, 'b');

    expect(await new RequestStateSealer({ keys: ring }).open(sealed, 'b')).toEqual({ n: 1 });
    await sealer.open(sealed, 'b');
    expect(keys).toHaveBeenCalledTimes(2);
  });

  it('say so when they cannot be had, rather than that the state is wrong', async () => {
    const sealer = new RequestStateSealer({ keys: () => Promise.reject(new McpError('UNAVAILABLE', 'away')) });
    await expect(sealer.open('a.b.c.d.e', 'b')).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
  });
});
