import { createRequire } from 'node:module';
import * as cv from 'class-validator';
import type * as WholeLibrary from 'class-validator-jsonschema';
import { getMetadataSchema } from 'class-validator-jsonschema/build/decorators.js';
import { defaultConverters } from 'class-validator-jsonschema/build/defaultConverters.js';
import type { JsonSchema } from '../protocol/schema-source.js';
import type { Constraint } from './dto-metadata.js';

type Convert = JsonSchema | ((constraint: Constraint, options: object) => JsonSchema | undefined);

const STRING: JsonSchema = { type: 'string' };
const DATE: JsonSchema = { type: 'string', format: 'date-time' };

/**
 * Where class-validator-jsonschema 5.2 says something else than class-validator 0.15 checks.
 * docs/decisions/0002-dto-to-json-schema.md has the measurements.
 */
const CORRECTIONS: Record<string, Convert> = {
  [cv.ValidationTypes.CUSTOM_VALIDATION]: {},
  [cv.IS_DEFINED]: {},
  [cv.IS_EMPTY]: {},
  [cv.IS_NOT_EMPTY]: { minLength: 1 },
  [cv.EQUALS]: ({ constraints }) => (isPrimitive(constraints[0]) ? { const: constraints[0] } : {}),
  [cv.IS_IN]: ({ constraints }) => oneOfValues(constraints[0] as unknown[]),
  [cv.IS_ENUM]: ({ constraints }) => oneOfValues(enumValues(constraints[0] as Record<string, unknown>)),
  [cv.IS_DATE]: DATE,
  [cv.MIN_DATE]: DATE,
  [cv.MAX_DATE]: DATE,
  [cv.IS_DATE_STRING]: DATE,
  [cv.IS_ISO8601]: DATE,
  [cv.IS_URL]: { type: 'string', format: 'uri' },
  [cv.IS_IP]: ({ constraints }) => ipFormat(constraints[0]),
  [cv.MATCHES]: ({ constraints }) =>
    patternKeyword(constraints[0] as RegExp | string, constraints[1] as string | undefined),
  [cv.CONTAINS]: ({ constraints }) => ({ type: 'string', pattern: escape(String(constraints[0])) }),
  [cv.NOT_CONTAINS]: ({ constraints }) => ({ type: 'string', not: { pattern: escape(String(constraints[0])) } }),
  [cv.IS_BOOLEAN_STRING]: { type: 'string', enum: ['true', 'false', '1', '0'] },
  [cv.IS_BASE64]: { type: 'string', contentEncoding: 'base64' },
  [cv.IS_JSON]: { type: 'string', contentMediaType: 'application/json' },
  [cv.ARRAY_UNIQUE]: ({ constraints }) => (constraints?.[0] ? { type: 'array' } : { type: 'array', uniqueItems: true }),
  // The library's patterns are narrower than the checks, or its formats are not JSON Schema's.
  ...Object.fromEntries(
    [
      cv.IS_NUMBER_STRING,
      cv.IS_ALPHA,
      cv.IS_ALPHANUMERIC,
      cv.IS_HEX_COLOR,
      cv.IS_HEXADECIMAL,
      cv.IS_MONGO_ID,
      cv.IS_SURROGATE_PAIR,
      cv.IS_FULL_WIDTH,
      cv.IS_HALF_WIDTH,
      cv.IS_MULTIBYTE,
      cv.IS_CREDIT_CARD,
      cv.IS_CURRENCY,
      cv.IS_ISBN,
      cv.IS_ISIN,
      cv.IS_MOBILE_PHONE,
      cv.IS_FQDN,
    ].map((name) => [name, STRING]),
  ),
};

/** The JSON Schema keywords of one class-validator decorator; none for a constraint only code can check. */
export function constraintKeywords(constraint: Constraint): JsonSchema {
  if (constraint.type === cv.ValidationTypes.WHITELIST || constraint.type === cv.ValidationTypes.CONDITIONAL_VALIDATION)
    return {};
  const convert = converterOf(constraint.name ?? constraint.type);
  const keywords = typeof convert === 'function' ? convert({ ...constraint, target: Anonymous }, {}) : convert;
  return constraint.each ? { items: keywords, type: 'array' } : (keywords ?? {});
}

function converterOf(name: string): Convert {
  const known = [CORRECTIONS, defaultConverters as Record<string, Convert>].find((all) => Object.hasOwn(all, name));
  return known?.[name] ?? {};
}

/** Stands in for the DTO, of which the library would read more than the one constraint. */
class Anonymous {}

/** Applies `@JSONSchema` of class-validator-jsonschema to what the other decorators said about a property. */
export function applyJsonSchemaDecorator(
  target: abstract new (...args: never[]) => object,
  property: string,
  schema: JsonSchema,
): JsonSchema {
  const said = getMetadataSchema(target.prototype as object, property);
  if (typeof said !== 'function' && Object.keys(said).length === 0) return schema;
  const type = cv.ValidationTypes.WHITELIST;
  const marker = { type, target, propertyName: property } as unknown as Constraint;
  const { validationMetadataArrayToSchemas } = wholeLibrary();
  const schemas = validationMetadataArrayToSchemas([marker], { additionalConverters: { [type]: schema } });
  return (Object.values(schemas)[0]?.properties?.[property] ?? {}) as JsonSchema;
}

/** Loaded, with what it needs itself, by whoever decorates with `@JSONSchema`; the other decorators do without. */
function wholeLibrary(): typeof WholeLibrary {
  return createRequire(import.meta.url)('class-validator-jsonschema') as typeof WholeLibrary;
}

function isPrimitive(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function oneOfValues(values: readonly unknown[]): JsonSchema {
  if (!values.every(isPrimitive)) return {};
  const types = new Set(values.map((value) => (Number.isInteger(value) ? 'integer' : typeof value)));
  return types.size === 1 ? { type: [...types][0], enum: values } : { enum: values };
}

/** A numeric TypeScript enum also maps its numbers back to names; those are no values. */
function enumValues(entity: Record<string, unknown>): unknown[] {
  return Object.keys(entity)
    .filter((key) => typeof entity[entity[key] as string] !== 'number')
    .map((key) => entity[key]);
}

function ipFormat(version: unknown): JsonSchema {
  return version === undefined || version === null
    ? STRING
    : { type: 'string', format: `ipv${version as string | number}` };
}

/** A pattern clients can compile: JSON Schema knows no flags, and validators compile with `u`. */
function patternKeyword(pattern: RegExp | string, modifiers?: string): JsonSchema {
  const source = typeof pattern === 'string' ? pattern : pattern.source;
  const flags = typeof pattern === 'string' ? (modifiers ?? '') : pattern.flags;
  if (/[^gdu]/.test(flags)) return STRING;
  try {
    new RegExp(source, 'u');
    return { type: 'string', pattern: source };
  } catch {
    return STRING;
  }
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
