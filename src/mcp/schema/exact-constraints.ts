import * as cv from 'class-validator';
import type { JsonSchema } from '../protocol/schema-source.js';
import type { Constraint } from './dto-metadata.js';
import { isJsonObject } from './json.js';

const SCALARS: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean', 'null']);

/** Whether a value of the schema holds nothing that could be changed. */
export function isScalar(schema: unknown): boolean {
  if (!isJsonObject(schema)) return false;
  const { type, enum: values } = schema;
  if ('const' in schema) return typeof schema['const'] !== 'object';
  if (Array.isArray(values)) return values.every((value) => typeof value !== 'object' || value === null);
  return type !== undefined && [type].flat().every((each) => SCALARS.has(each));
}

/**
 * Whether every JSON value that fits a schema meets a constraint of class-validator. The schema is the one that values
 * are checked by, in which `@ApiField` may have overruled what the constraint itself says.
 */
export function guarantees(schema: JsonSchema, { name, each, constraints = [] }: Constraint): boolean {
  const rule = GUARANTEES[name ?? ''];
  if (!rule) return false;
  if (!each) return rule(schema, constraints as unknown[]);
  return schema['type'] === 'array' && isJsonObject(schema['items']) && rule(schema['items'], constraints as unknown[]);
}

/** Whether a constraint is class-validator's own, and not a team's of the same name: both say the same of samples. */
export function isGenuine({ name, constraintCls, constraints = [] }: Constraint): boolean {
  const { instance } = cv.getMetadataStorage().getTargetValidatorConstraints(constraintCls)[0]!;
  const own = (cv as unknown as Record<string, (value: unknown, ...constraints: unknown[]) => boolean>)[name ?? ''];
  if (!own) return false;
  const samples = [...SAMPLES, ...(constraints as unknown[]).flat()];
  return samples.every((value) => {
    const details = { value, constraints, object: {}, property: '', targetName: '' };
    return instance.validate(value, details) === own(value, ...(constraints as unknown[]));
  });
}

const SAMPLES = ['', 'a', 'x'.repeat(1_000), 0, 1, -1, 1.5, 1e9, -1e9, true, false, null, undefined, [], [1, 2], {}];

type Rule = (schema: JsonSchema, constraints: readonly unknown[]) => boolean;

const GUARANTEES: Readonly<Record<string, Rule>> = {
  [cv.IS_STRING]: isText,
  [cv.IS_BOOLEAN]: ({ type }) => type === 'boolean',
  [cv.IS_ARRAY]: ({ type }) => type === 'array',
  [cv.IS_INT]: (schema) => schema['type'] === 'integer' && isBounded(schema),
  [cv.IS_NUMBER]: (schema, [options]) => isDefaults(options) && isNumeric(schema) && isBounded(schema),
  [cv.MIN]: (schema, [least]) => isNumeric(schema) && atLeast(schema['minimum'], least),
  [cv.MAX]: (schema, [most]) => isNumeric(schema) && atMost(schema['maximum'], most),
  [cv.MAX_LENGTH]: (schema, [most]) => isText(schema) && atMost(schema['maxLength'], most),
  [cv.IS_IN]: ({ enum: values }, [allowed]) => isWithin(values, allowed),
  [cv.IS_ENUM]: ({ enum: values }, [entity]) => isJsonObject(entity) && isWithin(values, Object.values(entity)),
  [cv.ARRAY_MIN_SIZE]: ({ type, minItems }, [least]) => type === 'array' && atLeast(minItems, least),
  [cv.ARRAY_MAX_SIZE]: ({ type, maxItems }, [most]) => type === 'array' && atMost(maxItems, most),
  [cv.ARRAY_NOT_EMPTY]: ({ type, minItems }) => type === 'array' && atLeast(minItems, 1),
  [cv.IS_NOT_EMPTY]: (schema) => isText(schema) && atLeast(schema['minLength'], 1),
};

function isText({ type }: JsonSchema): boolean {
  return type === 'string';
}

function isNumeric({ type }: JsonSchema): boolean {
  return type === 'number' || type === 'integer';
}

/** JSON.parse makes Infinity of 1e999, which Ajv takes for a number, and for an integer, unless there is a bound. */
function isBounded({ minimum, maximum }: JsonSchema): boolean {
  return Number.isFinite(minimum) && Number.isFinite(maximum);
}

function isDefaults(options: unknown): boolean {
  return options === undefined || (isJsonObject(options) && Object.keys(options).length === 0);
}

function atLeast(bound: unknown, least: unknown): boolean {
  return typeof bound === 'number' && typeof least === 'number' && bound >= least;
}

function atMost(bound: unknown, most: unknown): boolean {
  return typeof bound === 'number' && typeof most === 'number' && bound <= most;
}

function isWithin(values: unknown, allowed: unknown): boolean {
  return Array.isArray(values) && Array.isArray(allowed) && values.every((value) => allowed.includes(value));
}
