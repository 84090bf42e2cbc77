import { describe, expect, it } from 'vitest';
import { keyRingFromConfig } from './key-ring.js';

const A = Buffer.alloc(32, 0xfb);
const B = Buffer.alloc(32, 2);

describe('keyRingFromConfig', () => {
  it('reads keys in the order they are written, the first one to seal', () => {
    const ring = keyRingFromConfig(`2026-07:${A.toString('base64')}, 2026-01:${B.toString('base64')}`);
    expect(ring.map(({ id, secret }) => [id, Buffer.from(secret).toString('hex')])).toEqual([
      ['2026-07', 'fb'.repeat(32)],
      ['2026-01', '02'.repeat(32)],
    ]);
  });

  it('reads base64url too, without padding', () => {
    const [key] = keyRingFromConfig(`a:${A.toString('base64url')}`);
    expect(Buffer.from(key!.secret).equals(A)).toBe(true);
  });

  it.each([undefined, '', '  '])('makes a random key when the value is %j', (value) => {
    const [[one], [other]] = [keyRingFromConfig(value), keyRingFromConfig(value)];
    expect(one!.secret.byteLength).toBe(32);
    expect(one!.id).toMatch(/^random-[\w-]{8}$/);
    expect(Buffer.from(one!.secret).equals(other!.secret)).toBe(false);
    expect(one!.id).not.toBe(other!.id);
  });

  it.each([
    ['nocolon', 'Key 1 of the key ring is not of the form "id:secret".'],
    [`a:${A.toString('base64')},`, 'Key 2 of the key ring is not of the form "id:secret".'],
    ['a:c2hvcnQ=', 'Key "a" has 5 bytes and needs 32. Make one with: openssl rand -base64 32'],
    ['a:', 'Key "a" has 0 bytes and needs 32. Make one with: openssl rand -base64 32'],
    ['a:s!cret', 'The secret of key 1 is not Base64. Make one with: openssl rand -base64 32'],
    [`:${A.toString('base64')}`, 'Key id "" is not usable. Use 1 to 64 letters, digits, ".", "_" or "-".'],
    [`a b:${A.toString('base64')}`, 'Key id "a b" is not usable. Use 1 to 64 letters, digits, ".", "_" or "-".'],
    [`a:${A.toString('base64')},a:${B.toString('base64')}`, 'Key id "a" occurs twice. Give each key its own id.'],
  ])('refuses %j', (value, message) => {
    expect(() => keyRingFromConfig(value)).toThrow(new Error(message));
  });
});
