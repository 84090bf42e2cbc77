import 'reflect-metadata';
import { Allow } from 'class-validator';
import type { JsonSchema } from '../protocol/schema-source.js';

const API_FIELD = Symbol('rookery:api-field');

/**
 * Describes a DTO field to the model, and makes it part of the schema even without a class-validator decorator.
 *
 * @param description shown as the field's `description`.
 * @param extra further JSON Schema keywords (`examples`, `format`, `title`, `x-mcp-header` ...). They win over what
 *   the other decorators say, and are enforced like them.
 * @example @ApiField('Region that runs the query', { 'x-mcp-header': 'Region' }) @IsString() region!: string;
 */
export function ApiField(description: string, extra: JsonSchema = {}): PropertyDecorator {
  return (target, property) => {
    if (typeof property === 'symbol')
      throw new Error(`ApiField: ${target.constructor.name} has a symbol property; JSON has none. Use a string name.`);
    Reflect.defineMetadata(API_FIELD, { description, ...extra }, target, property);
    Allow()(target, property);
  };
}

/** The keywords that `@ApiField` put on a property, of the class itself or inherited. */
export function apiFieldOf(prototype: object, property: string): JsonSchema | undefined {
  return Reflect.getMetadata(API_FIELD, prototype, property) as JsonSchema | undefined;
}
