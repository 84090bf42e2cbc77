import type { JsonSchema, SchemaSource } from '../protocol/schema-source.js';
import type { CompiledSchema } from './compiled-schema.js';
import { compileDto } from './compile-dto.js';
import { compileJsonSchema } from './compile-json-schema.js';
import { compileStandardSchema } from './compile-standard-schema.js';
import { isDtoClass, isStandardSchema } from './schema-kind.js';

/**
 * Converts and compiles a schema, and finds all that is wrong with it. Everything costly happens here, once, at boot, and
 * `validate` of the result only checks; but what describes a value that is no object of scalars as it should be is
 * compiled for the first such value.
 *
 * @param source a DTO class, a Standard Schema or a plain JSON Schema.
 * @param where names class and method in error messages, as `RefundTools.refundOrder input`.
 * @param direction `input` for what a caller sends, `output` for what a handler returns.
 * @throws Error naming `where` and the fix, for a schema that cannot be used.
 */
export function compileSchema(source: SchemaSource, where: string, direction: 'input' | 'output'): CompiledSchema {
  const compiled = compile(source, where, direction);
  if (direction === 'input') assertObject(compiled.jsonSchema, where);
  return compiled;
}

function compile(source: SchemaSource, where: string, direction: 'input' | 'output'): CompiledSchema {
  if (isStandardSchema(source)) return compileStandardSchema(source, where, direction);
  if (isDtoClass(source)) return compileDto(source, where, direction);
  return compileJsonSchema(source, where, direction);
}

/** Arguments are named, so MCP requires `type: "object"` at the root of every input schema. */
function assertObject(schema: JsonSchema, where: string): void {
  if (schema['type'] === 'object') return;
  throw new Error(
    `${where}: an input schema must have "type": "object" at its root. Use an object schema; wrap a union in one of its properties.`,
  );
}
