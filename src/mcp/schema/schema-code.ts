import type { JsonSchema } from '../protocol/schema-source.js';
import { isJsonObject } from './json.js';

/** Keywords that say nothing about which values fit. */
const ANNOTATIONS = [
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$comment',
  'x-mcp-header',
];
const SCALAR_KEYWORDS: ReadonlySet<string> = new Set([
  ...ANNOTATIONS,
  'type',
  'enum',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
]);
const OBJECT_KEYWORDS: ReadonlySet<string> = new Set([
  ...ANNOTATIONS,
  '$schema',
  'type',
  'properties',
  'required',
  'additionalProperties',
]);

/** What is said of one property of an object. */
export interface ObjectProperty {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

/**
 * The properties of a closed object whose schema says nothing but which there are, and which of them must be there.
 * @returns `undefined` for any other schema
 */
export function closedObject(schema: JsonSchema): readonly ObjectProperty[] | undefined {
  const { type, properties = {}, required = [], additionalProperties } = schema;
  if (type !== 'object' || additionalProperties !== false || !saysOnly(schema, OBJECT_KEYWORDS)) return undefined;
  if (!isJsonObject(properties) || !Array.isArray(required)) return undefined;
  const entries = Object.entries(properties);
  if (!required.every((name) => Object.hasOwn(properties, name as string))) return undefined;
  // Names that are more than names to the language.
  if (entries.some(([name, each]) => name === '__proto__' || name === 'constructor' || !isJsonObject(each)))
    return undefined;
  return entries.map(([name, each]) => ({
    name,
    schema: each as JsonSchema,
    isRequired: required.includes(name),
  }));
}

/**
 * JavaScript that is true only of values that fit the schema of a scalar; of some that fit it may be false, such as a
 * text whose characters would have to be counted.
 *
 * @param value an expression for the value
 * @returns `undefined` for a schema that says more
 */
export function scalarTest(schema: JsonSchema, value: string): string | undefined {
  const { type, enum: values } = schema;
  if (type === undefined || !saysOnly(schema, SCALAR_KEYWORDS)) return undefined;
  const tests = [type].flat().map((each) => typeTest(each, schema, value));
  if (tests.includes(undefined)) return undefined;
  const anyOf = `(${tests.join(' || ')})`;
  if (values === undefined) return anyOf;
  if (!Array.isArray(values) || values.some((each) => typeof each === 'object' && each !== null)) return undefined;
  return `${anyOf} && (${values.map((each) => `${value} === ${JSON.stringify(each)}`).join(' || ')})`;
}

function typeTest(type: unknown, schema: JsonSchema, value: string): string | undefined {
  const { minLength, maxLength, minimum, maximum } = schema as Readonly<Record<string, number | undefined>>;
  // A schema may come from elsewhere, and what is no number would become code.
  if (![minLength, maxLength, minimum, maximum].every((each) => each === undefined || Number.isFinite(each)))
    return undefined;
  const bounds = [
    ...(minimum === undefined ? [] : [`${value} >= ${minimum}`]),
    ...(maximum === undefined ? [] : [`${value} <= ${maximum}`]),
  ];
  switch (type) {
    case 'string':
      return all(
        `typeof ${value} === 'string'`,
        // A character has one or two units.
        ...(minLength === undefined ? [] : [`${value}.length >= ${2 * minLength - 1}`]),
        ...(maxLength === undefined ? [] : [`${value}.length <= ${maxLength}`]),
      );
    case 'integer':
      return all(`Number.isInteger(${value})`, ...bounds);
    case 'number':
      return all(`Number.isFinite(${value})`, ...bounds);
    case 'boolean':
      return `typeof ${value} === 'boolean'`;
    case 'null':
      return `${value} === null`;
    default:
      return undefined;
  }
}

function all(...tests: readonly string[]): string {
  return tests.length === 1 ? (tests[0] as string) : `(${tests.join(' && ')})`;
}

function saysOnly(schema: JsonSchema, keywords: ReadonlySet<string>): boolean {
  return Object.keys(schema).every((keyword) => keywords.has(keyword));
}

/** The function of some code: straight code for one shape, which is several times as fast as a loop over any. */
export function compileCode<F>(scope: Readonly<Record<string, unknown>>, code: string): F {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const compile = new Function(...Object.keys(scope), `"use strict"; return ${code};`) as (...values: unknown[]) => F;
  return compile(...Object.values(scope));
}
