import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import type { Json } from './json.js';

const SCHEMA = resolve(import.meta.dirname, '../../../helm/rookery/values.schema.json');

let compiled: ValidateFunction | undefined;

/** The schema as JSON. */
export function valuesSchema(): Record<string, Json> {
  return JSON.parse(readFileSync(SCHEMA, 'utf8')) as Record<string, Json>;
}

/**
 * What Helm says of values that the schema refuses: merged values, before anything is rendered.
 * @returns undefined if they are accepted
 */
export function schemaProblems(values: unknown): string | undefined {
  compiled ??= compile(valuesSchema());
  if (compiled(values)) return undefined;
  const problems = (compiled.errors ?? []).map(({ instancePath, message, params }) =>
    [`at '${instancePath}':`, message, JSON.stringify(params)].join(' '),
  );
  return `values don't meet the specifications of the schema(s):\n${problems.join('\n')}`;
}

/** Draft-07, all problems at a time, and formats count, as in Helm. @throws Error if the schema itself is wrong */
export function compile(schema: Record<string, unknown>): ValidateFunction {
  // Union types and `required` beside another branch's `properties` are fine in draft-07; all else strict mode knows
  // is a slip of the pen.
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allowUnionTypes: true,
  });
  ajvFormats.default(ajv);
  return ajv.compile(schema);
}
