import type { JsonSchema, StandardIssue, StandardResult, StandardSchema } from '../protocol/schema-source.js';
import type { CompiledSchema, SchemaIssue, Validation } from './compiled-schema.js';
import { convertJsonSchema } from './compile-json-schema.js';
import { boundIssues, formatPath } from './issues.js';
import { isJsonObject, toJson } from './json.js';
import { assertCompiles } from './json-schema-validator.js';
import type { JsonSchemaConverter } from './with-json-schema.js';

const TARGET = 'draft-2020-12';
const DIALECT = /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

/** Compiles a Standard Schema. Its vendor writes the JSON Schema at boot and validates at run time. */
export function compileStandardSchema(
  source: StandardSchema,
  where: string,
  direction: 'input' | 'output',
): CompiledSchema {
  const jsonSchema = convertStandardSchema(source, where, direction);
  // The vendor validates; clients compile what they are shown.
  assertCompiles(jsonSchema, where);
  const standard = source['~standard'];
  return {
    jsonSchema,
    validate(value) {
      const result = standard.validate(value);
      return result instanceof Promise
        ? result.then((settled) => toValidation(settled, direction))
        : toValidation(result, direction);
    },
  };
}

/** The vendor's JSON Schema for one direction, frozen, without a `$schema` that says 2020-12. */
export function convertStandardSchema(
  source: StandardSchema,
  where: string,
  direction: 'input' | 'output',
): JsonSchema {
  const converter = converterOf(source);
  if (!converter) {
    throw new Error(
      `${where}: ${source['~standard'].vendor} schemas cannot write their own JSON Schema. ` +
        'Wrap the schema: withJsonSchema(schema, jsonSchema); for Valibot, toJsonSchema of @valibot/to-json-schema writes it.',
    );
  }
  const { $schema, ...rest } = converted(converter, where, direction);
  const schema =
    $schema === undefined || (typeof $schema === 'string' && DIALECT.test($schema)) ? rest : { $schema, ...rest };
  return convertJsonSchema(schema, where);
}

function converterOf(source: StandardSchema): JsonSchemaConverter | undefined {
  return (source['~standard'] as { jsonSchema?: JsonSchemaConverter }).jsonSchema;
}

function converted(converter: JsonSchemaConverter, where: string, direction: 'input' | 'output'): JsonSchema {
  let schema: unknown;
  try {
    schema = converter[direction]({ target: TARGET });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${where}: the schema has no JSON Schema: ${reason}. Use a type that JSON can carry, or withJsonSchema(schema, jsonSchema).`,
      { cause },
    );
  }
  if (!isJsonObject(schema))
    throw new Error(
      `${where}: the schema's own conversion gave no JSON Schema object. Use withJsonSchema(schema, jsonSchema).`,
    );
  return schema;
}

function toValidation(result: StandardResult<unknown>, direction: 'input' | 'output'): Validation {
  if (result.issues) return { ok: false, issues: boundIssues(result.issues.map(toIssue)) };
  return { ok: true, value: direction === 'output' ? toJson(result.value) : result.value };
}

function toIssue({ message, path = [] }: StandardIssue): SchemaIssue {
  const segments = path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
  return { path: formatPath(segments), message };
}
