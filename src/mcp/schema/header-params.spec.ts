import { Type } from 'class-transformer';
import { IsInt, IsString, ValidateNested } from 'class-validator';
import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../protocol/schema-source.js';
import { ApiField } from './api-field.decorator.js';
import { compileSchema } from './compile-schema.js';
import { headerParams } from './header-params.js';

const region: JsonSchema = { type: 'string', 'x-mcp-header': 'Region' };
const withProperty = (property: JsonSchema): JsonSchema => ({ type: 'object', properties: { region: property } });

describe('headerParams', () => {
  it('finds annotated properties, nested ones too', () => {
    const schema = {
      type: 'object',
      properties: {
        region,
        tenant: { type: 'object', properties: { id: { type: 'integer', 'x-mcp-header': 'Tenant-Id' } } },
      },
    };
    expect(headerParams(schema, 'Tools.run')).toEqual([
      { header: 'mcp-param-region', name: 'Region', path: ['region'], type: 'string' },
      { header: 'mcp-param-tenant-id', name: 'Tenant-Id', path: ['tenant', 'id'], type: 'integer' },
    ]);
  });

  it('finds none in a schema without annotations, nor in data or in a property of that name', () => {
    const schema = {
      type: 'object',
      properties: { 'x-mcp-header': { type: 'string', default: { 'x-mcp-header': 'No' } } },
    };
    expect(headerParams(schema, 'Tools.run')).toEqual([]);
  });

  it('reaches into nested DTO classes', () => {
    class Tenant {
      @ApiField('Tenant', { 'x-mcp-header': 'Tenant' }) @IsInt() id!: number;
    }
    class Query {
      @ApiField('Region', { 'x-mcp-header': 'Region' }) @IsString() region!: string;
      @ValidateNested() @Type(() => Tenant) tenant!: Tenant;
    }
    const { jsonSchema } = compileSchema(Query, 'Tools.run input', 'input');
    expect(headerParams(jsonSchema, 'Tools.run').map(({ path, type }) => [path, type])).toEqual([
      [['region'], 'string'],
      [['tenant', 'id'], 'integer'],
    ]);
  });

  it.each(['', 'a b', 'a:b', 'a\r\nb', 'ä', 7, null])('refuses %j as a name', (name) => {
    expect(() => headerParams(withProperty({ type: 'string', 'x-mcp-header': name }), 'Tools.run')).toThrow(
      `Tools.run: x-mcp-header ${JSON.stringify(name)} at properties/region is no header name. Use letters, digits and hyphens, as "Region".`,
    );
  });

  it.each(['number', 'object', 'array', 'null', undefined, ['string', 'null']])('refuses the type %j', (type) => {
    expect(() => headerParams(withProperty({ type, 'x-mcp-header': 'Region' }), 'Tools.run')).toThrow(
      'Use exactly one of string, integer or boolean.',
    );
  });

  it('refuses two names that differ only in case, naming both properties', () => {
    const schema = { type: 'object', properties: { a: region, b: { type: 'string', 'x-mcp-header': 'REGION' } } };
    expect(() => headerParams(schema, 'Tools.run')).toThrow(
      'Tools.run: a and b are both mirrored into the header mcp-param-region.',
    );
  });

  it.each<[string, JsonSchema]>([
    ['the root', { type: 'object', 'x-mcp-header': 'Region' }],
    ['items', withProperty({ type: 'array', items: region })],
    ['prefixItems', withProperty({ type: 'array', prefixItems: [region] })],
    ['oneOf', withProperty({ oneOf: [region] })],
    ['anyOf', { type: 'object', anyOf: [withProperty(region)] }],
    ['allOf', { type: 'object', allOf: [withProperty(region)] }],
    ['not', withProperty({ not: region })],
    ['if', { type: 'object', if: withProperty(region) }],
    ['then', { type: 'object', then: withProperty(region) }],
    ['else', { type: 'object', else: withProperty(region) }],
    ['$defs', { type: 'object', $defs: { region } }],
    ['patternProperties', { type: 'object', patternProperties: { a: region } }],
    ['additionalProperties', { type: 'object', additionalProperties: region }],
    ['dependentSchemas', { type: 'object', dependentSchemas: { a: withProperty(region) } }],
  ])('refuses an annotation under %s', (_name, schema) => {
    expect(() => headerParams(schema, 'Tools.run')).toThrow(
      'cannot be reached through properties alone. Move it to a property of the root',
    );
  });
});
