import { isJsonObject } from './json.js';

/**
 * True only of a schema that surely is one of 2020-12, and that Ajv surely compiles: it has nothing but keywords known
 * here, each with a value that the meta-schema allows. Almost all schemas are such. Of any other, which may be sound
 * as well, Ajv has the say, for which it compiles the meta-schema: the dearest schema of all at a start.
 *
 * @param schema bounded, as it nests no deeper than it may
 */
export function isSoundSchema(schema: unknown): boolean {
  return isJsonObject(schema) && Object.entries(schema).every(([keyword, value]) => KEYWORDS.get(keyword)?.(value));
}

type Allows = (value: unknown) => boolean;

const isAnything: Allows = () => true;
const isText: Allows = (value) => typeof value === 'string';
const isFlag: Allows = (value) => typeof value === 'boolean';
const isNumber: Allows = (value) => Number.isFinite(value);
const isCount: Allows = (value) => Number.isInteger(value) && (value as number) >= 0;
const isSchema: Allows = (value) => typeof value === 'boolean' || isSoundSchema(value);
const isSchemas: Allows = (value) => Array.isArray(value) && value.length > 0 && value.every(isSchema);
const isNames: Allows = (value) =>
  Array.isArray(value) && value.every(isText) && new Set<unknown>(value).size === value.length;

const TYPES: ReadonlySet<unknown> = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']);
const isTypes: Allows = (value) =>
  TYPES.has(value) ||
  (isNames(value) && (value as unknown[]).length > 0 && (value as unknown[]).every((type) => TYPES.has(type)));

/** Without a name that is more than a name to the language. */
const isSchemasByName: Allows = (value) =>
  isJsonObject(value) && !Object.hasOwn(value, '__proto__') && Object.values(value).every(isSchema);

const isPattern: Allows = (value) => {
  if (typeof value !== 'string') return false;
  try {
    new RegExp(value, 'u');
    return true;
  } catch {
    return false;
  }
};

/** Not among them: what points elsewhere or can be pointed at, and what Ajv has rules of its own for. */
const KEYWORDS: ReadonlyMap<string, Allows> = new Map([
  ['title', isText],
  ['description', isText],
  ['$comment', isText],
  ['default', isAnything],
  ['examples', Array.isArray],
  ['deprecated', isFlag],
  ['readOnly', isFlag],
  ['writeOnly', isFlag],
  ['x-mcp-header', isAnything],
  ['type', isTypes],
  ['const', isAnything],
  // JSON Schema allows an empty one, Ajv does not.
  ['enum', (value) => Array.isArray(value) && value.length > 0],
  ['format', isText],
  ['contentEncoding', isText],
  ['contentMediaType', isText],
  ['pattern', isPattern],
  ['minLength', isCount],
  ['maxLength', isCount],
  ['minimum', isNumber],
  ['maximum', isNumber],
  ['exclusiveMinimum', isNumber],
  ['exclusiveMaximum', isNumber],
  ['multipleOf', (value) => isNumber(value) && (value as number) > 0],
  ['items', isSchema],
  ['minItems', isCount],
  ['maxItems', isCount],
  ['uniqueItems', isFlag],
  ['properties', isSchemasByName],
  ['required', isNames],
  ['additionalProperties', isSchema],
  ['minProperties', isCount],
  ['maxProperties', isCount],
  ['not', isSchema],
  ['allOf', isSchemas],
  ['anyOf', isSchemas],
  ['oneOf', isSchemas],
] satisfies [string, Allows][]);
