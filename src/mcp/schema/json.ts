import type { JsonSchema } from '../protocol/schema-source.js';

/** True for an object that JSON would write with braces. */
export function isJsonObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Freezes a value and everything below it. The value must not contain a cycle. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}

/** What JSON makes of a value: dates become strings, `undefined` and functions disappear. Throws on a cycle. */
export function toJson(value: unknown): unknown {
  return plainJson(value) ?? throughText(value);
}

function throughText(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}

/** How deep the quick copy goes; deeper values, and cycles, are for JSON itself. */
const MAX_DEPTH = 64;
const NO_CLASSES: ReadonlySet<unknown> = new Set();

/**
 * What JSON makes of a value that is nothing but data: the same values in objects and arrays of its own, each property
 * read once. `undefined` for any other value, which JSON may still know how to write.
 *
 * @param prototypes of classes whose instances count as plain objects
 */
export function plainJson(value: unknown, prototypes = NO_CLASSES, depth = 0): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  // Whatever says itself what JSON it is gets asked by JSON.
  if (typeof value !== 'object' || (value as { toJSON?: unknown }).toJSON !== undefined) return undefined;
  return depth < MAX_DEPTH ? plainContainer(value, prototypes, depth + 1) : undefined;
}

function plainContainer(value: object, prototypes: ReadonlySet<unknown>, depth: number): unknown {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototypes.has(prototype)) return plainObject(value, prototypes, depth);
  return prototype === Array.prototype ? plainArray(value as unknown[], prototypes, depth) : undefined;
}

function plainObject(value: object, prototypes: ReadonlySet<unknown>, depth: number): object | undefined {
  const copy = { ...value } as Record<string, unknown>;
  for (const name in copy) {
    // Names that copying by assignment, or class-transformer, treats in a way of its own.
    if (name === '__proto__' || name === 'constructor') return undefined;
    const field = copy[name];
    if (typeof field === 'string') continue;
    if (field === undefined) {
      delete copy[name];
      continue;
    }
    const plain = plainJson(field, prototypes, depth);
    if (plain === undefined) return undefined;
    if (plain !== field) copy[name] = plain;
  }
  return copy;
}

function plainArray(value: readonly unknown[], prototypes: ReadonlySet<unknown>, depth: number): unknown[] | undefined {
  const copy: unknown[] = [];
  for (let index = 0; index < value.length; index += 1) {
    const plain = plainJson(value[index], prototypes, depth);
    if (plain === undefined) return undefined;
    copy.push(plain);
  }
  return copy;
}
