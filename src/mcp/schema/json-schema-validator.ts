import { Ajv, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { JsonSchema } from '../protocol/schema-source.js';
import type { SchemaIssue } from './compiled-schema.js';
import { ajvIssues } from './ajv-issues.js';
import { boundIssues } from './issues.js';
import { quickCheck } from './quick-check.js';
import { walkSchema } from './schema-walk.js';
import { isSoundSchema } from './sound-schema.js';

/** Says why a value does not match; an empty list means it does. The value is never changed. */
export type JsonSchemaValidator = (value: unknown) => readonly SchemaIssue[];

type Dialect = '2020-12' | 'draft-07';

const OPTIONS: Options = {
  strict: false,
  allErrors: true,
  verbose: true,
  ownProperties: true,
  discriminator: true,
  logger: false,
};

const NONE: readonly SchemaIssue[] = Object.freeze([]);
const shared: Partial<Record<Dialect | 'sound', Ajv>> = {};

/** Compiles a schema that is already bounded. Throws an error naming `where` for a schema that cannot be used. */
export function compileValidator(schema: JsonSchema, where: string): JsonSchemaValidator {
  const dialect = dialectOf(schema, where);
  const isSound = isSoundSchema(schema);
  const compile = () => compiled(schema, where, isSound ? (shared.sound ??= ajvForSound()) : ajvFor(schema, dialect));
  const fits = quickCheck(schema);
  if (!fits) return compile();
  // Only values that do not fit need Ajv, which takes much longer to compile a schema than all else.
  let issuesOf = isSound ? undefined : compile();
  return (value) => (fits(value) ? NONE : (issuesOf ??= compile())(value));
}

function compiled(schema: JsonSchema, where: string, ajv: Ajv): JsonSchemaValidator {
  try {
    const check = ajv.compile(schema);
    return (value) => (check(value) ? NONE : boundIssues(ajvIssues(check.errors ?? [], value)));
  } catch (error) {
    throw new Error(`${where}: ${reasonOf(error)}`, { cause: error });
  } finally {
    ajv.removeSchema(schema);
  }
}

/** Proves that clients can compile a schema that they are shown. @throws Error as {@link compileValidator} does */
export function assertCompiles(schema: JsonSchema, where: string): void {
  if (!isSoundSchema(schema)) compileValidator(schema, where);
}

/** Takes schemas as they are, without the meta-schema. */
function ajvForSound(): Ajv {
  return createAjv('2020-12', { ...OPTIONS, meta: false, validateSchema: false });
}

/**
 * Identifiers outlive the schema within their Ajv: a schema that has some gets an instance of its own, so that no other
 * can collide with them or resolve a dangling $ref by them.
 */
function ajvFor(schema: JsonSchema, dialect: Dialect): Ajv {
  return hasIdentifier(schema) ? createAjv(dialect) : (shared[dialect] ??= createAjv(dialect));
}

function createAjv(dialect: Dialect, options: Options = OPTIONS): Ajv {
  const ajv = dialect === '2020-12' ? new Ajv2020(options) : new Ajv(options);
  formats.default(ajv);
  return ajv;
}

function dialectOf(schema: JsonSchema, where: string): Dialect {
  const uri = schema['$schema'];
  if (uri === undefined) return '2020-12';
  const name = typeof uri === 'string' ? uri.replace(/#$/, '') : JSON.stringify(uri);
  if (name === 'https://json-schema.org/draft/2020-12/schema') return '2020-12';
  if (/^https?:\/\/json-schema\.org\/draft-07\/schema$/.test(name)) return 'draft-07';
  throw new Error(
    `${where}: the JSON Schema dialect ${JSON.stringify(uri)} is not supported. Use 2020-12 (leave $schema out) or draft-07.`,
  );
}

function hasIdentifier(schema: JsonSchema): boolean {
  for (const node of walkSchema(schema)) if ('$id' in node.schema) return true;
  return false;
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Ajv.MissingRefError) {
    return `$ref ${JSON.stringify(error.missingRef)} cannot be resolved within the schema. Schemas are never fetched: copy the target to $defs and point $ref there.`;
  }
  return `the JSON Schema cannot be compiled: ${message}. Correct the schema.`;
}
