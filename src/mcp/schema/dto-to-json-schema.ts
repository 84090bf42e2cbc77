import { isDeepStrictEqual } from 'node:util';
import type { DtoClass, JsonSchema } from '../protocol/schema-source.js';
import {
  type Constraint,
  constraintsOf,
  type Dto,
  hasConstraints,
  isConditional,
  isOnWire,
  isOptional,
  isUnconstrained,
  typeOf,
  wireName,
} from './dto-metadata.js';
import { propertySchema, type Tag, type View } from './dto-property.js';
import { toJson } from './json.js';

/**
 * Writes the JSON Schema 2020-12 of a DTO class: self-contained and closed, nested classes inlined, recursive ones
 * under `$defs`.
 *
 * @throws Error naming `where` and the fix, for a class whose decorators cannot work together.
 */
export function dtoToJsonSchema(dto: DtoClass, where: string, view: View): JsonSchema {
  if (!hasConstraints(dto)) {
    throw new Error(
      `${where}: ${dto.name} has no decorators, so its shape is unknown. Decorate its properties with class-validator or @ApiField().`,
    );
  }
  return new DtoWriter(where, view).write(dto);
}

class DtoWriter {
  /** Recursive classes by class and tag, never by name: two modules may each have an `Item`. */
  private readonly definitions: { dto: Dto; tag: Tag | undefined; name: string; schema: JsonSchema }[] = [];

  constructor(
    private readonly where: string,
    private readonly view: View,
  ) {}

  write(root: Dto): JsonSchema {
    const schema = this.objectOf(root);
    if (this.definitions.length === 0) return schema;
    return {
      ...schema,
      $defs: Object.fromEntries(this.definitions.map(({ name, schema: definition }) => [name, definition])),
    };
  }

  private readonly nested = (dto: Dto, tag?: Tag): JsonSchema => {
    if (!isRecursive(dto)) return this.objectOf(dto, tag);
    const known = this.definitions.find(
      (definition) => definition.dto === dto && isDeepStrictEqual(definition.tag, tag),
    );
    const { name } = known ?? this.define(dto, tag);
    return { $ref: `#/$defs/${name}` };
  };

  private define(dto: Dto, tag: Tag | undefined) {
    const base = dto.name.replace(/[^\w.-]/g, '') || 'Dto';
    const taken = this.definitions.filter(({ name }) => name === base || name.startsWith(`${base}_`)).length;
    const definition = { dto, tag, name: taken === 0 ? base : `${base}_${taken + 1}`, schema: {} };
    this.definitions.push(definition);
    definition.schema = this.objectOf(dto, tag);
    return definition;
  }

  private objectOf(dto: Dto, tag?: Tag): JsonSchema {
    const properties: Record<string, JsonSchema> = {};
    const required = new Set<string>();
    if (tag) {
      properties[tag.property] = { type: 'string', const: tag.value };
      required.add(tag.property);
    }
    const defaults = defaultsOf(dto, this.where);
    if (this.view === 'input') this.assertDecorated(dto, defaults.keys());
    for (const [name, constraints] of constraintsOf(dto)) {
      if (!isOnWire(dto, name, this.view === 'output' ? 'output' : 'input')) continue;
      const wire = wireName(dto, name);
      if (wire === tag?.property) continue;
      const schema = propertySchema({
        dto,
        name,
        constraints,
        view: this.view,
        where: this.where,
        nested: this.nested,
      });
      const initial = this.view === 'input' ? defaults.get(name)?.json : undefined;
      properties[wire] = initial === undefined ? schema : { ...schema, default: initial };
      if (this.isRequired(dto, name, constraints, defaults.has(name))) required.add(wire);
    }
    return {
      type: 'object',
      properties,
      ...(required.size > 0 ? { required: [...required] } : {}),
      additionalProperties: false,
    };
  }

  private assertDecorated(dto: Dto, fields: Iterable<string>): void {
    const known = constraintsOf(dto);
    for (const field of fields) {
      if (!known.has(field))
        throw new Error(
          `${this.where}: ${dto.name}.${field} has a value but no decorator, so it would be refused as unknown. Decorate it, or make it static or a getter.`,
        );
    }
  }

  private isRequired(dto: Dto, name: string, constraints: readonly Constraint[], hasDefault: boolean): boolean {
    if (isOptional(constraints) || isConditional(constraints) || isUnconstrained(dto, name, constraints)) return false;
    return this.view === 'output' || !hasDefault;
  }
}

/** True when a class can contain itself, through whichever properties. */
function isRecursive(dto: Dto): boolean {
  const seen = new Set<unknown>();
  const pending = referencesOf(dto);
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next === dto) return true;
    if (!seen.has(next)) pending.push(...referencesOf(next));
    seen.add(next);
  }
  return false;
}

function referencesOf(dto: Dto): Dto[] {
  return [...constraintsOf(dto).keys()].flatMap((name) => {
    const declared = typeOf(dto, name);
    return [declared?.type, ...(declared?.discriminator?.subTypes.map(({ value }) => value) ?? [])].filter(
      hasConstraints,
    );
  });
}

/** The field initialisers of a class. `json` is what clients may be told: constant, and a JSON value. */
function defaultsOf(dto: Dto, where: string): ReadonlyMap<string, { readonly json: unknown }> {
  const [first, second] = [fieldsOf(dto, where), fieldsOf(dto, where)];
  const defined = Object.entries(first).filter(([, value]) => value !== undefined);
  // A field that differs between two instances (an id, a moment) has a default, but not one to tell.
  return new Map(
    defined.map(([name, value]) => [
      name,
      { json: isDeepStrictEqual(value, second[name]) ? constant(value) : undefined },
    ]),
  );
}

function fieldsOf(dto: Dto, where: string): Record<string, unknown> {
  try {
    return { ...new dto() };
  } catch (cause) {
    throw new Error(`${where}: ${dto.name} cannot be constructed without arguments. Give its constructor none.`, {
      cause,
    });
  }
}

function constant(value: unknown): unknown {
  if (value instanceof Date) return undefined;
  const json = toJson(value);
  return typeof value !== 'object' || isDeepStrictEqual(json, toPlain(value)) ? json : undefined;
}

/** A nested DTO instance as plain data, so that it compares equal to its JSON. */
function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== 'object' || value === null || value instanceof Map || value instanceof Set) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [name, toPlain(field)]),
  );
}
