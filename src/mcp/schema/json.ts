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
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}
