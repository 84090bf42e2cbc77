import type { JsonSchema } from '../protocol/schema-source.js';
import type { CompiledSchema } from './compiled-schema.js';
import { deepFreeze, isJsonObject, toJson } from './json.js';
import { jsonWriter } from './json-writer.js';
import { compileValidator } from './json-schema-validator.js';
import { assertBounded } from './schema-walk.js';

const NO_CLASSES: ReadonlySet<unknown> = new Set();

/**
 * Compiles a plain JSON Schema: 2020-12, or draft-07 when `$schema` says so. Clients see the document verbatim.
 * The handler receives the caller's value unchanged; `default` stays the annotation that the specification makes it.
 * Output is checked, and sent, as what JSON makes of the handler's value.
 */
export function compileJsonSchema(source: JsonSchema, where: string, direction: 'input' | 'output'): CompiledSchema {
  const jsonSchema = convertJsonSchema(source, where);
  const check = compileValidator(jsonSchema, where);
  return {
    jsonSchema,
    validate(given) {
      const value = direction === 'output' ? toJson(given) : given;
      const issues = check(value);
      return issues.length === 0 ? { ok: true, value } : { ok: false, issues };
    },
    write: direction === 'output' ? jsonWriter(jsonSchema, NO_CLASSES) : undefined,
  };
}

/** A frozen copy of a schema, in bounds and free of anything JSON cannot carry. */
export function convertJsonSchema(source: JsonSchema, where: string): JsonSchema {
  if (!isJsonObject(source))
    throw new Error(
      `${where}: a schema must be a class, a Standard Schema or a JSON Schema object, not ${String(source)}.`,
    );
  assertBounded(source, where);
  return deepFreeze(copyOf(source, where));
}

function copyOf(source: JsonSchema, where: string): JsonSchema {
  try {
    return toJson(source) as JsonSchema;
  } catch (cause) {
    throw new Error(`${where}: the JSON Schema is not JSON (a cycle or a BigInt). Write it as plain data.`, { cause });
  }
}
