import { isDeepStrictEqual } from 'node:util';
import type { JsonSchema } from '../protocol/schema-source.js';
import { isJsonObject } from './json.js';

/** How two values of the same keyword become the one that says both. Without a rule the later value wins. */
const BOTH: Record<string, (a: never, b: never) => unknown> = {
  type: (a: string, b: string) => (a === 'integer' && b === 'number' ? a : b),
  minimum: Math.max,
  exclusiveMinimum: Math.max,
  minLength: Math.max,
  minItems: Math.max,
  minProperties: Math.max,
  maximum: Math.min,
  exclusiveMaximum: Math.min,
  maxLength: Math.min,
  maxItems: Math.min,
  enum: (a: unknown[], b: unknown[]) => a.filter((value) => b.includes(value)),
  items: (a: JsonSchema, b: JsonSchema) => (isJsonObject(a) && isJsonObject(b) ? mergeKeywords(a, b) : b),
};

/** The keywords of two schemas that both hold, in whichever order the decorators were written. */
export function mergeKeywords(a: JsonSchema, b: JsonSchema): JsonSchema {
  const merged: Record<string, unknown> = { ...a };
  const alsoHolds: JsonSchema[] = [];
  for (const [keyword, value] of Object.entries(b)) {
    const present = merged[keyword];
    if (keyword === 'allOf') alsoHolds.push(...(value as JsonSchema[]));
    else if (
      (keyword === 'pattern' || keyword === 'not') &&
      present !== undefined &&
      !isDeepStrictEqual(present, value)
    )
      alsoHolds.push({ [keyword]: value });
    else merged[keyword] = present === undefined ? value : (BOTH[keyword]?.(present as never, value as never) ?? value);
  }
  if (alsoHolds.length === 0) return merged;
  return { ...merged, allOf: [...((merged['allOf'] as JsonSchema[] | undefined) ?? []), ...alsoHolds] };
}
