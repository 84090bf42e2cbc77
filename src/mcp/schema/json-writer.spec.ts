import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../protocol/schema-source.js';
import { jsonWriter } from './json-writer.js';

class Weather {}
const PLAIN: ReadonlySet<unknown> = new Set([Weather.prototype]);

const closed = (properties: Record<string, JsonSchema>, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const SCALARS: Record<string, JsonSchema> = {
  text: { type: 'string', maxLength: 40 },
  whole: { type: 'integer' },
  number: { type: ['number', 'null'] },
  flag: { type: 'boolean' },
  'a "name"': { type: 'string', enum: ['a', '"b"'] },
};
const write = (properties: Record<string, JsonSchema>, value: object, required?: readonly string[]) =>
  jsonWriter(closed(properties, required), PLAIN)?.(value);
/** What JSON makes of a value, twice. */
const written = (value: object) => {
  const json = JSON.stringify(value);
  return { json, quoted: JSON.stringify(json).slice(1, -1) };
};

const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ maxLength: 300 }));
const names = ['a', 'b', 'c'];

describe('what a writer writes', () => {
  it.each([
    ['scalars', { text: 'a', whole: -0, number: 1e-7, flag: false, 'a "name"': '"b"' }],
    ['null', { text: '', whole: 1, number: null, flag: true, 'a "name"': 'a' }],
    ['what has to be escaped, twice', { text: 'a"\\\n\u2028', whole: 1, number: 1e21, flag: true, 'a "name"': 'a' }],
    ['characters of two units, and halves', { text: '😀\ud83d', whole: 1, number: 0, flag: true, 'a "name"': 'a' }],
  ])('is what JSON writes: %s', (_name, value) => {
    expect(write(SCALARS, value)).toEqual(written(value));
    expect(write(SCALARS, Object.assign(new Weather(), value))).toEqual(written(value));
  });

  it('is what JSON writes, whatever the texts are, and whichever of them are there', () => {
    const some = fc.record({ a: texts, b: texts, c: fc.double({ noNaN: true, noDefaultInfinity: true }) }, {
      requiredKeys: [],
    }); // prettier-ignore
    const properties = { a: { type: 'string' }, b: { type: 'string' }, c: { type: 'number' } };
    fc.assert(
      fc.property(some, fc.subarray(names), (given, required) => {
        const value = Object.fromEntries(
          names.filter((name) => name in given).map((name) => [name, given[name as 'a']]),
        );
        const fits = required.every((name) => name in value);

        expect(write(properties, value, required)).toEqual(fits ? written(value) : undefined);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves out what is undefined and may be', () => {
    const value = Object.assign(new Weather(), { a: undefined, b: 'x', c: undefined });
    const properties = { a: { type: 'string' }, b: { type: 'string' }, c: { type: 'integer' } };

    expect(write(properties, value, [])).toEqual({ json: '{"b":"x"}', quoted: '{\\"b\\":\\"x\\"}' });
    expect(write(properties, { a: undefined }, [])).toEqual({ json: '{}', quoted: '{}' });
  });

  it('is what was read, once', () => {
    let reads = 0;
    const value = { get text() { reads += 1; return `read ${reads}`; } }; // prettier-ignore

    expect(write({ text: { type: 'string' } }, value)?.json).toBe('{"text":"read 1"}');
    expect(reads).toBe(1);
  });
});

describe('a writer leaves to others', () => {
  it.each([
    ['what lacks something', {}],
    ['what holds more', { a: 'x', b: 1 }],
    ['what holds undefined where something must be', { a: undefined }],
    ['a value of another type', { a: 1 }],
    ['a value that is too long', { a: 'xxxx' }],
    ['what inherits the property', Object.create({ a: 'x' })],
    ['what is not enumerable', Object.defineProperty({}, 'a', { value: 'x' })],
    ['an instance of another class', new (class { a = 'x'; })()], // prettier-ignore
    ['what has no prototype', Object.assign(Object.create(null) as object, { a: 'x' })],
    ['what knows its JSON', { a: 'x', toJSON: () => 'asked' }],
    ['what inherits its JSON', Object.setPrototypeOf({ a: 'x' }, { toJSON: () => 'asked' })],
    ['an array', ['x']],
  ])('%s', (_name, value: object) => {
    expect(write({ a: { type: 'string', maxLength: 3 } }, value)).toBeUndefined();
  });

  it('numbers that JSON does not know', () => {
    for (const a of [NaN, Infinity, -Infinity]) expect(write({ a: { type: 'number' } }, { a })).toBeUndefined();
  });

  it('properties in another order', () => {
    const properties = { a: { type: 'integer' }, b: { type: 'integer' } };

    expect(write(properties, { b: 1, a: 2 })).toBeUndefined();
  });
});

it.each([
  ['is open', { ...closed({ a: { type: 'string' } }), additionalProperties: undefined }],
  ['is no object', { type: 'string' }],
  ['has no properties', closed({})],
  ['says more of the object', { ...closed({ a: { type: 'string' } }), minProperties: 1 }],
  ['says more of a property', closed({ a: { type: 'string', pattern: 'x' } })],
  ['says nothing of a property', closed({ a: {} })],
  ['holds an object', closed({ a: { type: 'object' } })],
  ['holds texts that may be null', closed({ a: { type: ['string', 'null'] } })],
  ['requires what it does not know', closed({ a: { type: 'string' } }, ['b'])],
  [
    'has a name that JSON alone can give',
    closed(JSON.parse('{"__proto__":{"type":"string"}}') as Record<string, JsonSchema>),
  ],
  ['has a constructor', closed({ constructor: { type: 'string' } })],
])('there is no writer for a schema that %s', (_name, schema: JsonSchema) => {
  expect(jsonWriter(schema, PLAIN)).toBeUndefined();
});
