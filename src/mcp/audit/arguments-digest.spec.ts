import { describe, expect, it } from 'vitest';
import { argumentsDigest, assertDigestKey } from './arguments-digest.js';

const KEY = Buffer.alloc(32, 7);

describe('argumentsDigest', () => {
  it('is the SHA-256 of the arguments as canonical JSON', () => {
    // printf '{"a":1,"b":[true,null]}' | sha256sum
    expect(argumentsDigest({ b: [true, null], a: 1 })).toBe(
      'sha256:1cc69c7fa23616ca2ec3ee70d24390a6225c8832db8a4c814c7e0e7f942f8668',
    );
  });

  it('does not depend on the order of names, but on that of lists', () => {
    expect(argumentsDigest({ a: 1, b: { c: 2, d: 3 } })).toBe(argumentsDigest({ b: { d: 3, c: 2 }, a: 1 }));
    expect(argumentsDigest([1, 2])).not.toBe(argumentsDigest([2, 1]));
  });

  it('differs by key, and says that there is one', () => {
    const digest = argumentsDigest({ a: 1 }, KEY);
    expect(digest).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
    expect(digest).not.toBe(argumentsDigest({ a: 1 }, Buffer.alloc(32, 8)));
  });

  it('is null without arguments, which is not the same as empty ones', () => {
    expect(argumentsDigest(undefined)).toBeNull();
    expect(argumentsDigest({})).toMatch(/^sha256:/);
  });

  it('says so instead of throwing when the arguments are no plain JSON', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect([cycle, { n: 1n }, [Number.NaN]].map((args) => argumentsDigest(args))).toEqual(
      Array.from({ length: 3 }, () => 'unreadable'),
    );
  });

  it('refuses a key that is too short', () => {
    expect(() => assertDigestKey(Buffer.alloc(31))).toThrow(
      'The digest key of the audit trail has 31 bytes and needs 32 at least. Make one with: openssl rand -base64 32',
    );
    expect(() => assertDigestKey(KEY)).not.toThrow();
  });
});
