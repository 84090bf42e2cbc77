import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../protocol/schema-source.js';
import { compileSchema } from './compile-schema.js';

const compile = (schema: JsonSchema) => compileSchema(schema, 'Tools.run input', 'input');
const nest = (depth: number): JsonSchema =>
  depth === 0 ? { type: 'string' } : { type: 'object', properties: { a: nest(depth - 1) } };

describe('a plain JSON Schema', () => {
  it("keeps every keyword, frozen, and leaves the author's object alone", () => {
    const source = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'https://example.com/address',
      type: 'object',
      $defs: { street: { $anchor: 'street', type: 'string' } },
      properties: { street: { $ref: '#street' }, region: { type: 'string', 'x-mcp-header': 'Region' } },
      if: { required: ['street'] },
      then: { required: ['region'] },
      else: { minProperties: 0 },
      allOf: [{ maxProperties: 5 }],
      additionalProperties: false,
    };
    const { jsonSchema } = compile(source);
    expect(JSON.stringify(jsonSchema)).toBe(JSON.stringify(source));
    expect([Object.isFrozen(jsonSchema), Object.isFrozen(jsonSchema['allOf']), Object.isFrozen(source)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("hands over the caller's value itself and applies no defaults", () => {
    const value = {};
    const result = compile({ type: 'object', properties: { a: { type: 'string', default: 'x' } } }).validate(value);
    expect(result).toEqual({ ok: true, value: {} });
    expect((result as { value: unknown }).value).toBe(value);
  });

  it('explains what is wrong and where', () => {
    const schema = compile({
      type: 'object',
      properties: {
        items: {
          type: 'array',
          items: { type: 'object', properties: { sku: { type: 'string', pattern: '^[A-Z]+$' } } },
        },
        colour: { enum: ['red', 'blue'] },
        version: { const: 2 },
        mail: { type: 'string', format: 'email' },
        'a/b': { type: ['integer', 'null'] },
      },
      required: ['name'],
      additionalProperties: false,
    });
    expect(
      schema.validate({ items: [{ sku: 'a' }], colour: 'green', version: 1, mail: 'x', 'a/b': 'x', nam: 1 }),
    ).toEqual({
      ok: false,
      issues: [
        { path: 'name', message: 'is required' },
        { path: 'nam', message: 'is not a known property; known are items, colour, version, mail, a/b' },
        { path: 'items[0].sku', message: 'must match /^[A-Z]+$/' },
        { path: 'colour', message: 'must be one of "red", "blue"' },
        { path: 'version', message: 'must be 2' },
        { path: 'mail', message: 'must match format "email"' },
        { path: 'a/b', message: 'must be integer or null' },
      ],
    });
  });

  it('reads draft-07 when $schema says so', () => {
    const tuple = compile({
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { pair: { items: [{ type: 'string' }], additionalItems: false } },
    });
    expect(tuple.validate({ pair: ['a', 'b'] })).toMatchObject({ ok: false, issues: [{ path: 'pair' }] });
  });

  it('keeps two schemas with the same $id apart', () => {
    const make = (type: string) =>
      compile({
        $id: 'https://example.com/same',
        type: 'object',
        properties: { a: { $ref: 'https://example.com/same#/$defs/a' } },
        $defs: { a: { type } },
      });
    const [text, number] = [make('string'), make('number')];
    expect([text.validate({ a: 'x' }), number.validate({ a: 1 })]).toMatchObject([{ ok: true }, { ok: true }]);
    expect([text.validate({ a: 1 }), number.validate({ a: 'x' })]).toMatchObject([{ ok: false }, { ok: false }]);
  });

  it('keeps two embedded schemas with the same $id apart', () => {
    const make = (name: string, type: string) =>
      compile({
        type: 'object',
        properties: { a: { $ref: 'https://example.com/embedded' } },
        $defs: { one: {}, [name]: { $id: 'https://example.com/embedded', type } },
      });
    const [text, number] = [make('one', 'string'), make('two', 'number')];
    expect([text.validate({ a: 'x' }), number.validate({ a: 1 })]).toMatchObject([{ ok: true }, { ok: true }]);
    expect([text.validate({ a: 1 }), number.validate({ a: 'x' })]).toMatchObject([{ ok: false }, { ok: false }]);
  });

  it('does not resolve a dangling $ref by an $id of an earlier schema', () => {
    const id = 'https://example.com/earlier';
    compile({ type: 'object', $defs: { one: { $id: id, type: 'string' } } });
    expect(() => compile({ type: 'object', properties: { a: { $ref: id } }, $defs: { one: {} } })).toThrow(
      'cannot be resolved within the schema',
    );
  });

  it('does not take inherited members for properties', () => {
    expect(compile({ type: 'object', required: ['toString'] }).validate({})).toEqual({
      ok: false,
      issues: [{ path: 'toString', message: 'is required' }],
    });
  });
});

describe('a JSON Schema that stops the boot', () => {
  it.each<[string, JsonSchema, string]>([
    [
      'of another dialect',
      { $schema: 'http://json-schema.org/draft-04/schema#', type: 'object' },
      'Tools.run input: the JSON Schema dialect "http://json-schema.org/draft-04/schema#" is not supported. Use 2020-12',
    ],
    [
      'with a remote $ref',
      { type: 'object', properties: { a: { $ref: 'https://example.com/a.json' } } },
      'Tools.run input: $ref "https://example.com/a.json" cannot be resolved within the schema.',
    ],
    [
      'with a dangling $ref',
      { type: 'object', properties: { a: { $ref: '#/$defs/none' } } },
      'copy the target to $defs',
    ],
    [
      'with an unknown type',
      { type: 'object', properties: { a: { type: 'text' } } },
      'Tools.run input: the JSON Schema cannot be compiled',
    ],
    ['that nests too deep', nest(65), 'Tools.run input: the schema nests deeper than 64 levels.'],
    [
      'with too many subschemas',
      { type: 'object', anyOf: Array.from({ length: 5_000 }, () => ({})) },
      'has more than 5000 subschemas',
    ],
    [
      'without an object at its root',
      { type: 'string' },
      'Tools.run input: an input schema must have "type": "object" at its root.',
    ],
  ])('%s', (_name, schema, message) => {
    expect(() => compile(schema)).toThrow(message);
  });

  it('with a cycle of objects', () => {
    const cyclic: Record<string, unknown> = { type: 'object' };
    cyclic['properties'] = { self: cyclic };
    expect(() => compile(cyclic)).toThrow('nests deeper than 64 levels');
    expect(() => compile({ type: 'object', default: cyclic })).toThrow('is not JSON (a cycle or a BigInt)');
  });

  it('accepts 64 levels', () => {
    expect(compile(nest(64)).validate({})).toEqual({ ok: true, value: {} });
  });
});
