import { Type } from 'class-transformer';
import {
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { SchemaSource } from '../protocol/schema-source.js';
import { ApiField } from './api-field.decorator.js';
import { compileSchema } from './compile-schema.js';
import { toElicitationSchema } from './elicitation-schema.js';

const elicitation = (source: SchemaSource) =>
  toElicitationSchema(compileSchema(source, 'Tools.run question', 'input').jsonSchema, 'Tools.run question');

describe('toElicitationSchema', () => {
  it('keeps what a client can show of a DTO', () => {
    class Confirm {
      @ApiField('Really?') @IsBoolean() confirmed: boolean = false;
      @IsOptional() @MaxLength(200) @Matches(/^\S/) reason?: string;
      @IsInt() @Min(1) @Max(9) copies!: number;
      @IsEmail() mail!: string;
      @IsIn(['low', 'high']) level!: string;
      @IsArray() @ArrayMinSize(1) @IsIn(['a', 'b'], { each: true }) parts!: string[];
    }
    expect(elicitation(Confirm)).toEqual({
      type: 'object',
      properties: {
        confirmed: { type: 'boolean', description: 'Really?', default: false },
        reason: { type: 'string', maxLength: 200 },
        copies: { type: 'integer', minimum: 1, maximum: 9 },
        mail: { type: 'string', format: 'email' },
        level: { type: 'string', enum: ['low', 'high'] },
        parts: { type: 'array', minItems: 1, items: { type: 'string', enum: ['a', 'b'] } },
      },
      required: ['copies', 'mail', 'level', 'parts'],
    });
  });

  it('takes a Zod schema', () => {
    const source = z.object({
      email: z.email(),
      age: z.int().min(18),
      level: z.enum(['low', 'high']),
      tags: z.array(z.enum(['a', 'b'])).max(2),
    });
    expect(elicitation(source)['properties']).toEqual({
      email: { type: 'string', format: 'email' },
      age: { type: 'integer', minimum: 18, maximum: 9007199254740991 },
      level: { type: 'string', enum: ['low', 'high'] },
      tags: { type: 'array', maxItems: 2, items: { type: 'string', enum: ['a', 'b'] } },
    });
  });

  it('keeps titled choices, single and multiple, and legacy names', () => {
    const options = [
      { const: 'r', title: 'Red' },
      { const: 'b', title: 'Blue' },
    ];
    const properties = {
      one: { type: 'string', title: 'Colour', oneOf: options, default: 'r' },
      many: { type: 'array', items: { anyOf: options }, minItems: 1, maxItems: 2, default: ['b'], uniqueItems: true },
      legacy: { type: 'string', enum: ['r', 'b'], enumNames: ['Red', 'Blue'] },
    };
    expect(
      elicitation({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', properties }),
    ).toEqual({
      type: 'object',
      properties: {
        ...properties,
        many: { type: 'array', items: { anyOf: options }, minItems: 1, maxItems: 2, default: ['b'] },
      },
    });
  });

  it('leaves out a format that clients do not know', () => {
    expect(
      elicitation({ type: 'object', properties: { id: { type: 'string', format: 'uuid', 'x-mcp-header': 'Id' } } })[
        'properties'
      ],
    ).toEqual({ id: { type: 'string' } });
  });

  it('refuses a nested DTO, naming the property', () => {
    class Address {
      @IsString() street!: string;
    }
    class Question {
      @ValidateNested() @Type(() => Address) address!: Address;
    }
    expect(() => elicitation(Question)).toThrow(
      'Tools.run question: the property "address" cannot be elicited. Use a string, number, integer, boolean, a choice of strings',
    );
  });

  it.each([
    ['a list of free text', { type: 'array', items: { type: 'string' } }],
    ['a union', { anyOf: [{ type: 'string' }, { type: 'number' }] }],
    ['a nullable type', { type: ['string', 'null'] }],
    ['a choice of numbers', { type: 'integer', enum: [1, 2] }],
    ['text with alternatives', { type: 'string', anyOf: [{ minLength: 9 }, { maxLength: 2 }] }],
    ['a reference', { $ref: '#' }],
    ['anything', {}],
    ['a boolean schema', true],
  ])('refuses %s', (_name, property) => {
    expect(() => elicitation({ type: 'object', properties: { field: property } })).toThrow(
      'the property "field" cannot be elicited.',
    );
  });

  it('refuses a schema without properties', () => {
    expect(() => elicitation({ type: 'object' })).toThrow('an elicitation asks for an object with properties.');
  });
});
