import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../protocol/schema-source.js';
import { quickCheck } from './quick-check.js';

const closed = (properties: Record<string, JsonSchema>, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const bound = fc.integer({ min: -3, max: 6 });
const property = fc.oneof(
  fc.record({ type: fc.constantFrom('string', 'integer', 'number', 'boolean', 'null') }),
  fc.record({ type: fc.constantFrom('integer', 'number', ['number', 'null']), minimum: bound, maximum: bound }),
  fc.record({ type: fc.constantFrom('string', ['string', 'null']), minLength: fc.nat(4), maxLength: fc.nat(6) }),
  fc.record({ type: fc.constant('string'), enum: fc.constant(['a', 'b', '']) }),
);
const value = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'abc', 'abcd', '😀😀', '😀😀😀😀', null, true, 0, -0, 1, 1.5, -3, Infinity, [], {}),
  fc.jsonValue({ maxDepth: 1 }),
);
const name = fc.constantFrom('a', 'b', 'toString');

describe('a quick check', () => {
  it('accepts nothing that Ajv refuses', () => {
    const ajv = new Ajv2020({ strict: false, ownProperties: true });
    const schemas = fc
      .dictionary(name, property)
      .chain((properties) => fc.subarray(Object.keys(properties)).map((required) => closed(properties, required)));
    fc.assert(
      fc.property(schemas, fc.array(fc.dictionary(name, value), { minLength: 20, maxLength: 20 }), (schema, values) => {
        const check = ajv.compile(schema);
        const fits = quickCheck(schema)!;

        for (const each of values) if (fits(each)) expect([each, check(each)]).toEqual([each, true]);
      }),
      { numRuns: 300 },
    );
  });

  it.each(['minimum', 'maximum', 'minLength', 'maxLength'])('is not made of a %s that is no number', (keyword) => {
    const type = keyword.endsWith('Length') ? 'string' : 'integer';
    expect(quickCheck(closed({ a: { type, [keyword]: '0 || (globalThis.taken = true)' } }))).toBeUndefined();
  });

  it('accepts what callers mostly send', () => {
    const fits = quickCheck(
      closed(
        {
          city: { type: 'string', minLength: 1, maxLength: 5, description: 'City' },
          days: { type: 'integer', minimum: 1, maximum: 14, default: 1 },
          unit: { type: 'string', enum: ['c', 'f'] },
          more: { type: ['boolean', 'null'] },
        },
        ['city', 'unit'],
      ),
    )!;

    expect(fits({ unit: 'f', city: 'Rome', days: 14 })).toBe(true);
    expect(fits({ city: 'a', unit: 'c', more: null })).toBe(true);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a list', []],
    ['a text', 'a'],
    ['what lacks something', {}],
    ['what inherits it', Object.create({ a: 'x' })],
    ['what holds more', { a: 'x', b: 1 }],
    ['what holds something with a name of its prototype', JSON.parse('{"a":"x","__proto__":1}')],
    ['what holds undefined', { a: undefined }],
    ['another type', { a: 1 }],
  ])('does not accept %s', (_name, given) => {
    expect(quickCheck(closed({ a: { type: 'string' } }, ['a']))!(given)).toBe(false);
  });

  it.each([
    ['patterns', closed({ a: { type: 'string', pattern: 'x' } })],
    ['formats', closed({ a: { type: 'string', format: 'date' } })],
    ['branches', { ...closed({ a: { type: 'string' } }), anyOf: [{ required: ['a'] }] }],
    ['references', closed({ a: { $ref: '#/$defs/b' } })],
    ['constants that are no scalars', closed({ a: { type: 'string', enum: [{}] } })],
    ['anything else that is not known', closed({ a: { type: 'string', multipleOf: 2 } })],
    ['what may hold more', { type: 'object', properties: { a: { type: 'string' } } }],
  ])('is not there for %s', (_name, schema: JsonSchema) => {
    expect(quickCheck(schema)).toBeUndefined();
  });
});
