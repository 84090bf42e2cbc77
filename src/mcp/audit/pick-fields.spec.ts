import { describe, expect, it } from 'vitest';
import { pickFields } from './pick-fields.js';

const ARGS = { orderId: 'A-7', customer: { id: 9, vip: true, note: null }, items: ['x'], card: '4111' };

describe('pickFields', () => {
  it('takes what is at the paths, and nothing else', () => {
    expect(pickFields(ARGS, ['orderId', 'customer.id', 'customer.vip', 'customer.note'])).toEqual({
      orderId: 'A-7',
      'customer.id': 9,
      'customer.vip': true,
      'customer.note': null,
    });
  });

  it.each(['customer', 'items', 'nothing', 'orderId.length', 'customer.toString', '__proto__.id', 'items.length.x'])(
    'leaves %s out, which is not there or not a single value',
    (path) => expect(pickFields(ARGS, [path])).toBeUndefined(),
  );

  it('takes nothing of arguments that are no object', () => {
    expect([undefined, null, 'text', 7].map((args) => pickFields(args, ['length', 'x']))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('cuts strings at 256 characters', () => {
    const fields = pickFields({ note: 'n'.repeat(300), fits: 'f'.repeat(256) }, ['note', 'fits']);
    expect(fields).toEqual({ note: `${'n'.repeat(255)}…`, fits: 'f'.repeat(256) });
  });

  it('takes 32 fields at most', () => {
    const args = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, i]));
    expect(Object.keys(pickFields(args, Object.keys(args))!)).toHaveLength(32);
  });

  it('takes a field called __proto__ as any other', () => {
    const args = JSON.parse('{"__proto__":"x"}') as unknown;
    expect(JSON.stringify(pickFields(args, ['__proto__']))).toBe('{"__proto__":"x"}');
  });
});
