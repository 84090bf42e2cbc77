import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestBinding } from './request-binding.js';

const bind = (params: Record<string, unknown> | undefined): string => requestBinding('ada', 'tools/call', params);

describe('requestBinding', () => {
  it('is the SHA-256 of caller, method and params in canonical JSON', () => {
    // printf '["ada","tools/call",{"arguments":{"a":[1,null,"x"],"b":true},"name":"refund"}]' | openssl dgst -sha256 -binary | basenc --base64url
    expect(bind({ name: 'refund', arguments: { b: true, a: [1, null, 'x'] } })).toBe(
      'nMQSLitaJ1d7ucVXDyP4bJBMDW3rQimT5bxCuI9x0Mo',
    );
  });

  it('does not depend on the order of members, at any depth', () => {
    expect(bind({ a: { b: 1, c: [{ d: 1, e: 2 }] }, f: 1 })).toBe(bind({ f: 1, a: { c: [{ e: 2, d: 1 }], b: 1 } }));
  });

  it('does not depend on what a retry changes', () => {
    expect(bind({ name: 'x', _meta: { progressToken: 2 }, inputResponses: { a: {} }, requestState: 'y' })).toBe(
      bind({ name: 'x' }),
    );
  });

  it('takes params that are absent for params that are empty', () => {
    expect(bind(undefined)).toBe(bind({}));
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['another value', { a: 1 }, { a: 2 }],
    ['another type', { a: 1 }, { a: '1' }],
    ['another order of items', { a: [1, 2] }, { a: [2, 1] }],
    ['a member more', { a: {} }, { a: { b: null } }],
    ['a name that looks like two members', { 'a":1,"b': 2 }, { a: 1, b: 2 }],
    ['what a retry changes, but deeper', { a: { _meta: 1 } }, { a: { _meta: 2 } }],
    ['an own member called __proto__', JSON.parse('{"a":{"__proto__":1}}') as Record<string, unknown>, { a: {} }],
  ])('differs for %s', (_, one, other) => {
    expect(bind(one)).not.toBe(bind(other));
  });

  it('differs for another caller and another method', () => {
    expect(requestBinding('eve', 'tools/call', {})).not.toBe(requestBinding('ada', 'tools/call', {}));
    expect(requestBinding('ada', 'prompts/get', {})).not.toBe(requestBinding('ada', 'tools/call', {}));
  });

  it('is the same for equal JSON and for nothing else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same = bind({ a }) === bind({ a: JSON.parse(JSON.stringify(b)) as unknown });
        expect(same).toBe(JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
      }),
    );
  });

  it('refuses params that are nested too deeply, instead of overflowing the stack', () => {
    const nested = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;
    expect(() => bind({ nested })).toThrow('The params are nested more than 256 levels deep. Flatten them.');
  });
});

/** Members in order of name, as far as JavaScript keeps an order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
