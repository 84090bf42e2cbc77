import type { JsonSchema } from '../protocol/schema-source.js';
import { isJsonObject } from './json.js';

/** Keywords whose value is one subschema. Draft-07 also allows a list under `items`. */
const ONE = [
  'items',
  'additionalItems',
  'contains',
  'additionalProperties',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
  'not',
  'if',
  'then',
  'else',
  'contentSchema',
] as const;
/** Keywords whose value is a list of subschemas. */
const LIST = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'] as const;
/** Keywords whose value maps names to subschemas. */
const MAP = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'] as const;

/** One step from a schema to a subschema: the keyword, and the name or index below it where there is one. */
export interface SchemaStep {
  readonly keyword: string;
  readonly name?: string;
}

/** A subschema and the steps that lead to it from the root. */
export interface SchemaNode {
  readonly schema: JsonSchema;
  readonly steps: readonly SchemaStep[];
}

/** Every object subschema, the root first. Lazy, so that a caller may stop at a bound; never recurses. */
export function* walkSchema(root: JsonSchema): Generator<SchemaNode> {
  const pending: SchemaNode[] = [{ schema: root, steps: [] }];
  for (let node = pending.pop(); node; node = pending.pop()) {
    yield node;
    pending.push(...children(node).reverse());
  }
}

function children({ schema, steps }: SchemaNode): SchemaNode[] {
  const found: SchemaNode[] = [];
  const add = (child: unknown, step: SchemaStep) => {
    if (isJsonObject(child)) found.push({ schema: child, steps: [...steps, step] });
  };
  for (const keyword of ONE) add(schema[keyword], { keyword });
  for (const keyword of LIST) {
    const list = schema[keyword];
    if (Array.isArray(list)) list.forEach((child, index) => add(child, { keyword, name: String(index) }));
  }
  for (const keyword of MAP) {
    const map = schema[keyword];
    if (isJsonObject(map)) for (const [name, child] of Object.entries(map)) add(child, { keyword, name });
  }
  return found;
}

/** How deep subschemas may nest. */
const MAX_DEPTH = 64;
/** How many subschemas one schema may hold. */
const MAX_SUBSCHEMAS = 5_000;

/** Throws when a schema is too deep (or cyclic) or too large to be served. */
export function assertBounded(schema: JsonSchema, where: string): void {
  let count = 0;
  for (const { steps } of walkSchema(schema)) {
    count += 1;
    if (steps.length > MAX_DEPTH) {
      throw new Error(
        `${where}: the schema nests deeper than ${MAX_DEPTH} levels. Flatten it, or use $ref for a recursive part.`,
      );
    }
    if (count > MAX_SUBSCHEMAS) {
      throw new Error(
        `${where}: the schema has more than ${MAX_SUBSCHEMAS} subschemas. Move repeated parts to $defs, or split the tool.`,
      );
    }
  }
}
