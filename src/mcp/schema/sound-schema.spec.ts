import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { assertCompiles, compileValidator } from './json-schema-validator.js';
import { isSoundSchema } from './sound-schema.js';

const ORDER = {
  type: 'object',
  title: 'Order',
  properties: {
    id: { type: 'string', minLength: 1, maxLength: 40, pattern: '^o-\\d+$', description: 'Its number.' },
    amount: { type: ['number', 'null'], exclusiveMinimum: 0, multipleOf: 0.01, default: 1 },
    lines: { type: 'array', items: { anyOf: [{ const: 1 }, { enum: ['a', null] }] }, minItems: 1, uniqueItems: true },
    region: { type: 'string', format: 'uri', 'x-mcp-header': 'Region', examples: [] },
    rest: { type: 'object', additionalProperties: { not: { type: 'null' } } },
  },
  required: ['id', 'amount'],
  additionalProperties: false,
};

afterEach(() => vi.restoreAllMocks());

describe('isSoundSchema', () => {
  it('knows an ordinary schema', () => {
    expect(isSoundSchema(ORDER)).toBe(true);
  });

  it.each([
    ['a keyword it does not know', { requierd: ['id'] }],
    ['an identifier', { $id: 'order' }],
    ['a dialect', { $schema: 'https://json-schema.org/draft/2020-12/schema' }],
    ['a reference', { $ref: '#/$defs/Order', $defs: { Order: {} } }],
    ['a discriminator', { discriminator: { propertyName: 'kind' } }],
    ['a type that is none', { type: 'text' }],
    ['no types', { type: [] }],
    ['the same type twice', { type: ['string', 'string'] }],
    ['a title that is no text', { title: 1 }],
    ['a length below zero', { minLength: -1 }],
    ['half a length', { maxLength: 0.5 }],
    ['a bound that is a text', { minimum: '1' }],
    ['a multiple of nothing', { multipleOf: 0 }],
    ['a flag that is a text', { uniqueItems: 'true' }],
    ['no values', { enum: [] }],
    ['a pattern that is none', { pattern: '(' }],
    ['a pattern that needs to be without u', { pattern: '\\-' }],
    ['a pattern that the meta-schema refuses', { pattern: 'a\\Z' }],
    ['names that repeat', { required: ['id', 'id'] }],
    ['a list of schemas for a schema', { items: [{ type: 'string' }] }],
    ['no alternatives', { anyOf: [] }],
    ['a schema that is a text', { not: 'null' }],
    ['a property that is none', { properties: { id: 'string' } }],
    ['a property that is __proto__', { properties: JSON.parse('{ "__proto__": {} }') as unknown }],
    ['something wrong far down', { properties: { a: { items: { anyOf: [{ properties: { b: { type: 1 } } }] } } } }],
    ['an empty object in a list of names', { required: [{}] }],
  ])('leaves %s to Ajv', (_what, schema) => {
    expect(isSoundSchema(schema)).toBe(false);
  });

  it('says so of nothing that Ajv would refuse', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true, discriminator: true, logger: false });
    let sound = 0;

    fc.assert(
      fc.property(schemas, (schema) => {
        if (!isSoundSchema(schema)) return;
        sound += 1;
        expect(ajv.validateSchema(schema)).toBe(true);
        ajv.compile(schema);
        ajv.removeSchema(schema);
      }),
      { numRuns: 1_000 },
    );

    expect(sound).toBeGreaterThan(50);
  });
});

describe('a sound schema', () => {
  it('is compiled without the meta-schema, which nothing else is', () => {
    const validateSchema = vi.spyOn(Ajv2020.prototype, 'validateSchema');

    const check = compileValidator(ORDER, 'Tools.run input');
    expect(validateSchema).not.toHaveBeenCalled();
    expect(check({ id: 'o-1', amount: null })).toEqual([]);
    expect(check({ id: '1', amount: 0 }).map(({ path }) => path)).toEqual(['id', 'amount']);

    compileValidator({ ...ORDER, $comment: undefined }, 'Tools.run input');
    expect(validateSchema).toHaveBeenCalled();
  });

  it('of an object of scalars is not compiled before a value does not fit, and then once', () => {
    const compile = vi.spyOn(Ajv2020.prototype, 'compile');
    const point = {
      type: 'object',
      properties: { x: { type: 'number' } },
      required: ['x'],
      additionalProperties: false,
    };

    const check = compileValidator(point, 'Tools.run input');
    expect([check({ x: 1 }), check({ x: 2 })]).toEqual([[], []]);
    expect(compile).not.toHaveBeenCalled();

    expect([check({}), check({ x: '1' })]).toMatchObject([[{ path: 'x' }], [{ path: 'x' }]]);
    expect(compile).toHaveBeenCalledOnce();
  });

  it('is not compiled where nobody asks it', () => {
    const compile = vi.spyOn(Ajv2020.prototype, 'compile');

    assertCompiles(ORDER, 'Tools.run input');
    expect(compile).not.toHaveBeenCalled();

    expect(() => assertCompiles({ type: 'text' }, 'Tools.run input')).toThrow(
      'Tools.run input: the JSON Schema cannot be compiled: schema is invalid: data/type must be equal to one of the allowed values',
    );
  });
});

/** Schemas of all keywords that are known, and some that are not, with values of which many are right. */
const { schema: schemas } = fc.letrec<{ schema: object; value: unknown }>((tie) => ({
  schema: fc.dictionary(
    fc.constantFrom(
      ...['type', 'const', 'enum', 'format', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'items'],
      ...['exclusiveMinimum', 'multipleOf', 'minItems', 'uniqueItems', 'properties', 'required', 'not', 'allOf'],
      ...['additionalProperties', 'maxProperties', 'anyOf', 'oneOf', 'title', 'default', 'examples', 'readOnly'],
      ...['contentEncoding', '$ref', 'unknown'],
    ),
    tie('value'),
    { maxKeys: 3 },
  ),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('string', 'object', 'array', 'integer', 'date-time', '^a$', '(', '\\-', '\\Z', '[', '#/$defs/a'),
    fc.constantFrom(0, 1, -1, 0.5, true, false, null, Number.MAX_VALUE),
    fc.array(fc.constantFrom('string', 'null', 'a', 1, null), { maxLength: 3 }),
    tie('schema'),
    fc.array(tie('schema'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'constructor', 'toString', '$ref', ''), tie('schema'), { maxKeys: 2 }),
  ),
}));
