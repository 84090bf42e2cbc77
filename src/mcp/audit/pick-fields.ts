import type { AuditFieldValue } from './audit-entry.js';
import { cut } from './cut.js';

/** Fields an entry may have; those after it are left out. */
export const MAX_FIELDS = 32;
export const MAX_FIELD_NAME_LENGTH = 128;
export const MAX_FIELD_LENGTH = 256;

/**
 * What `@AuditFields()` opted in: the values at dotted paths of the arguments. Only strings, cut at 256 characters,
 * finite numbers, booleans and null; what is not there, and objects and lists, are left out.
 *
 * @returns undefined if nothing is left
 */
export function pickFields(args: unknown, paths: readonly string[]): Record<string, AuditFieldValue> | undefined {
  return boundFields(paths.map((path) => [path, valueAt(args, path)]));
}

/** The same bounds for named values from elsewhere. */
export function boundFields(
  entries: readonly (readonly [string, unknown])[],
): Record<string, AuditFieldValue> | undefined {
  const kept = entries
    .filter(([, value]) => isPrimitive(value))
    .slice(0, MAX_FIELDS)
    .map(([name, value]) => [cut(name, MAX_FIELD_NAME_LENGTH), bounded(value as AuditFieldValue)] as const);
  // fromEntries defines members, so that one called __proto__ is only a name.
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

function valueAt(args: unknown, path: string): unknown {
  return path.split('.').reduce((value: unknown, name) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    return (value as Record<string, unknown>)[name];
  }, args);
}

function isPrimitive(value: unknown): value is AuditFieldValue {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

function bounded(value: AuditFieldValue): AuditFieldValue {
  return typeof value === 'string' ? cut(value, MAX_FIELD_LENGTH) : value;
}
