import type { JsonSchema, StandardSchema } from '../protocol/schema-source.js';

/** The part of the Standard JSON Schema specification that Rookery reads: https://standardschema.dev/json-schema */
export interface JsonSchemaConverter {
  readonly input: (options: { readonly target: string }) => unknown;
  readonly output: (options: { readonly target: string }) => unknown;
}

/**
 * Pairs a Standard Schema whose vendor cannot write JSON Schema itself (Valibot, for one) with a JSON Schema for it.
 *
 * @param schema validates at run time.
 * @param jsonSchema what clients see: JSON Schema 2020-12, for input and output alike.
 * @example withJsonSchema(Refund, toJsonSchema(Refund)) // toJsonSchema from @valibot/to-json-schema
 */
export function withJsonSchema<Input, Output>(
  schema: StandardSchema<Input, Output>,
  jsonSchema: JsonSchema | object,
): StandardSchema<Input, Output> {
  const convert = () => jsonSchema;
  const converter: JsonSchemaConverter = { input: convert, output: convert };
  return {
    '~standard': { ...schema['~standard'], jsonSchema: converter } as StandardSchema<Input, Output>['~standard'],
  };
}
