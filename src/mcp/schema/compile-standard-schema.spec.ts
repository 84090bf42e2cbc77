import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { compileSchema } from './compile-schema.js';
import { isDtoClass, isStandardSchema } from './schema-kind.js';
import { withJsonSchema } from './with-json-schema.js';

describe('a Standard Schema', () => {
  it('of Zod shows the input type to callers and the output type to receivers', () => {
    const schema = z.object({ limit: z.number().default(5), when: z.string().optional() });
    expect(compileSchema(schema, 'Tools.run input', 'input').jsonSchema).toEqual({
      type: 'object',
      properties: { limit: { type: 'number', default: 5 }, when: { type: 'string' } },
    });
    expect(compileSchema(schema, 'Tools.run output', 'output').jsonSchema).toEqual({
      type: 'object',
      properties: { limit: { type: 'number', default: 5 }, when: { type: 'string' } },
      required: ['limit'],
      additionalProperties: false,
    });
  });

  it('of Zod yields parsed output and issues with their path', async () => {
    const { validate } = compileSchema(
      z.object({ items: z.array(z.object({ sku: z.string().transform((sku) => sku.trim()) })) }),
      'Tools.run input',
      'input',
    );
    expect(await validate({ items: [{ sku: ' a ' }] })).toEqual({ ok: true, value: { items: [{ sku: 'a' }] } });
    expect(await validate({ items: [{ sku: 1 }] })).toEqual({
      ok: false,
      issues: [{ path: 'items[0].sku', message: 'Invalid input: expected string, received number' }],
    });
  });

  it('may validate asynchronously', async () => {
    const { validate } = compileSchema(
      z.object({ name: z.string().refine(async (name) => name !== 'taken', 'Taken') }),
      'Tools.run input',
      'input',
    );
    expect(await validate({ name: 'taken' })).toEqual({ ok: false, issues: [{ path: 'name', message: 'Taken' }] });
  });

  it('of ArkType is a function with a schema', async () => {
    const { jsonSchema, validate } = compileSchema(
      type({ name: 'string >= 2', 'age?': 'number' }),
      'Tools.run input',
      'input',
    );
    expect(jsonSchema).toEqual({
      type: 'object',
      properties: { name: { type: 'string', minLength: 2 }, age: { type: 'number' } },
      required: ['name'],
    });
    expect(await validate({ name: 'x' })).toEqual({
      ok: false,
      issues: [{ path: 'name', message: 'name must be at least length 2 (was 1)' }],
    });
  });

  it('of Valibot needs a JSON Schema beside it, and says so', async () => {
    const schema = v.object({ name: v.string() });
    expect(() => compileSchema(schema, 'Tools.run input', 'input')).toThrow(
      'Tools.run input: valibot schemas cannot write their own JSON Schema. Wrap the schema: withJsonSchema(schema, jsonSchema); for Valibot, toJsonSchema of @valibot/to-json-schema writes it.',
    );
    const { jsonSchema, validate } = compileSchema(
      withJsonSchema(schema, { type: 'object', properties: { name: { type: 'string' } } }),
      'Tools.run input',
      'input',
    );
    expect(jsonSchema).toEqual({ type: 'object', properties: { name: { type: 'string' } } });
    expect(await validate({ name: 1 })).toEqual({
      ok: false,
      issues: [{ path: 'name', message: 'Invalid type: Expected string but received 1' }],
    });
  });

  it("with a type that JSON cannot carry stops the boot with the vendor's reason", () => {
    expect(() => compileSchema(z.object({ at: z.date() }), 'Tools.run input', 'input')).toThrow(
      'Tools.run input: the schema has no JSON Schema: Date cannot be represented in JSON Schema. Use a type that JSON can carry',
    );
  });

  it('is converted once, at boot', async () => {
    const input = vi.fn(() => ({ type: 'object' }));
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) => ({ value }),
        jsonSchema: { input, output: input },
      },
    };
    const { validate } = compileSchema(schema, 'Tools.run input', 'input');
    await validate({});
    await validate({});
    expect(input.mock.calls).toEqual([[{ target: 'draft-2020-12' }]]);
  });
});

describe('telling schemas apart', () => {
  class Dto {}
  it.each([
    ['a class', Dto, true, false],
    ['a Zod schema', z.object({}), false, true],
    ['an ArkType schema', type({}), false, true],
    ['a plain JSON Schema', { type: 'object' }, false, false],
    ['an arrow function', () => ({}), false, false],
    ['null', null, false, false],
  ])('%s', (_name, value, dto, standard) => {
    expect([isDtoClass(value), isStandardSchema(value)]).toEqual([dto, standard]);
  });
});
