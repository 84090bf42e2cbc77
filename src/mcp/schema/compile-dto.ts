import { instanceToPlain, plainToInstance } from 'class-transformer';
import { validate, type ValidationError } from 'class-validator';
import type { DtoClass, JsonSchema } from '../protocol/schema-source.js';
import type { CompiledSchema, SchemaIssue, Validation } from './compiled-schema.js';
import { convertJsonSchema } from './compile-json-schema.js';
import {
  constraintsOf,
  type Direction,
  type Dto,
  hasConstraints,
  isCopiedAsIs,
  reflectedType,
  typeOf,
} from './dto-metadata.js';
import { dtoIssues } from './dto-issues.js';
import type { View } from './dto-property.js';
import { exactInstance, type MakeInstance } from './exact-instance.js';
import { dtoToJsonSchema } from './dto-to-json-schema.js';
import { boundIssues } from './issues.js';
import { plainJson, toJson } from './json.js';
import { jsonWriter } from './json-writer.js';
import { assertCompiles, compileValidator, type JsonSchemaValidator } from './json-schema-validator.js';
import { walkSchema } from './schema-walk.js';

const UNREADABLE: Validation = {
  ok: false,
  issues: [{ path: '', message: 'cannot be converted; check every value against the schema' }],
};
/** Issues that only the gate can tell: to a decorator a missing value is merely a wrong one, an unknown subtype no object. */
const STRUCTURAL = /^(is (required|not a known property)|must have a known ")/;

/**
 * Compiles a class-validator DTO.
 *
 * Input: the raw arguments pass a gate compiled from the same decorators (shape, unknown properties), then
 * class-transformer makes an instance and class-validator has the last word; a class that needs neither library for a
 * value that the gate accepts goes without. Output: what JSON makes of the handler's
 * value is checked against exactly the schema that clients see, and is the validated value.
 */
export function compileDto(dto: DtoClass, where: string, direction: Direction): CompiledSchema {
  const jsonSchema = convertDto(dto, where, direction);
  if (direction === 'output') {
    const plain = plainClasses(dto);
    const check = compileValidator(jsonSchema, where);
    const validate = outputValidator({ dto, jsonSchema, plain }, check);
    return { jsonSchema, validate, write: plain && jsonWriter(jsonSchema, plain) };
  }
  // The gate validates; clients compile what they are shown.
  assertCompiles(jsonSchema, where);
  const gate = convertDto(dto, where, 'gate');
  return {
    jsonSchema,
    validate: inputValidator(
      dto as Dto,
      compileValidator(gate, where),
      attempt(() => exactInstance(dto as Dto, gate)),
    ),
  };
}

/** The frozen JSON Schema of a DTO, for one reader. */
export function convertDto(dto: DtoClass, where: string, view: View): JsonSchema {
  return convertJsonSchema(dtoToJsonSchema(dto, where, view), where);
}

/** @param make what makes an instance of a value that the gate accepts, where nothing else is needed */
export function inputValidator(dto: Dto, gate: JsonSchemaValidator, make?: MakeInstance): CompiledSchema['validate'] {
  return (value) => {
    const refused = gate(value);
    const instance = make && refused.length === 0 ? attempt(() => make(value)) : undefined;
    return instance ? { ok: true, value: instance } : throughDecorators(dto, value, refused);
  };
}

async function throughDecorators(dto: Dto, value: unknown, refused: readonly SchemaIssue[]): Promise<Validation> {
  const instance = attempt(() => instantiate(dto, value));
  // Decorators carry the team's own messages, so they are asked even about a value that the gate has refused.
  const errors = instance && attempt(() => validate(instance, { whitelist: true, forbidNonWhitelisted: true }));
  if (!instance || !errors) return refused.length > 0 ? { ok: false, issues: refused } : UNREADABLE;
  const issues = combine(refused, await errors);
  return issues.length === 0 ? { ok: true, value: instance } : { ok: false, issues };
}

/** An instance made of a copy: class-transformer removes discriminators from what it reads. */
function instantiate(dto: Dto, value: unknown): object | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return plainToInstance(dto, plainJson(value) ?? structuredClone(value), {
    enableImplicitConversion: false,
    exposeDefaultValues: true,
  });
}

/** What a transform, a getter or a constraint throws concerns the value, and its text is not for the caller. */
function attempt<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}

/** The decorators' issues, and those of the gate for places where the decorators found nothing. */
function combine(refused: readonly SchemaIssue[], errors: readonly ValidationError[]): readonly SchemaIssue[] {
  const structural = refused.filter(({ message }) => STRUCTURAL.test(message));
  const told = dtoIssues(errors).filter(({ path }) => !structural.some((issue) => issue.path === path));
  const rest = refused.filter(
    ({ path }) => !told.some((issue) => isWithin(issue.path, path) || isWithin(path, issue.path)),
  );
  return boundIssues([...told, ...rest]);
}

function isWithin(path: string, parent: string): boolean {
  return path === parent || parent === '' || (path.startsWith(parent) && /^[.[]/.test(path.slice(parent.length)));
}

interface OutputClass {
  readonly dto: DtoClass;
  readonly jsonSchema: JsonSchema;
  /** See {@link plainClasses}. */
  readonly plain: ReadonlySet<unknown> | undefined;
}

function outputValidator(
  { dto, jsonSchema, plain }: OutputClass,
  check: JsonSchemaValidator,
): CompiledSchema['validate'] {
  // class-transformer finds the tag of a union's member by its class, so literals must bring their own.
  const hasUnion = [...walkSchema(jsonSchema)].some(({ schema }) => 'oneOf' in schema);
  const convert = (value: unknown) => attempt(() => toJson(instanceToPlain(hasUnion ? value : asInstance(dto, value))));
  return (value) => {
    const wire = (plain && attempt(() => plainJson(value, plain))) ?? convert(value);
    if (wire === undefined) return UNREADABLE;
    const issues = check(wire);
    return issues.length === 0 ? { ok: true, value: wire } : { ok: false, issues };
  };
}

/** The prototypes of a class and those nested in it, if class-transformer only copies them; else nothing. */
function plainClasses(dto: DtoClass): ReadonlySet<unknown> | undefined {
  const classes = new Set<DtoClass>([dto]);
  // A set also visits what is added on the way.
  for (const each of classes) {
    if (!isCopiedAsIs(each, 'output') || 'then' in (each.prototype as object)) return undefined;
    for (const property of constraintsOf(each).keys()) {
      const declared = typeOf(each, property);
      if (!declared) continue;
      if (!hasConstraints(declared.type) || reflectedType(each, property) === Map) return undefined;
      classes.add(declared.type);
    }
  }
  return new Set([...classes].map(({ prototype }) => prototype as unknown));
}

/** A literal gets the prototype of its DTO, so that `@Expose`, `@Exclude` and `@Transform` apply to it as well. */
function asInstance(dto: DtoClass, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.create(dto.prototype as object, Object.getOwnPropertyDescriptors(value));
}
