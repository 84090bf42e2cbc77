import type { ValidationError } from 'class-validator';
import type { SchemaIssue } from './compiled-schema.js';
import { wireName } from './dto-metadata.js';
import { formatPath } from './issues.js';

/** Translates class-validator's errors: paths as on the wire, messages without the property's name before them. */
export function dtoIssues(errors: readonly ValidationError[]): SchemaIssue[] {
  return errors.flatMap((error) => issuesOf(error, [], error.property));
}

function issuesOf(error: ValidationError, parent: readonly PropertyKey[], property: string): SchemaIssue[] {
  const path = error.property === undefined ? parent : [...parent, segmentOf(error)];
  const own = Object.entries(error.constraints ?? {})
    // A declared field without decorators exists on every instance; only one that holds a value is unknown.
    .filter(([constraint]) => constraint !== 'whitelistValidation' || error.value !== undefined)
    .map(([constraint, message]) => ({ path: formatPath(path), message: wording(constraint, message, property) }));
  const nested = (error.children ?? []).flatMap((child) =>
    issuesOf(child, path, isElement(child) ? property : child.property),
  );
  return [...own, ...nested];
}

function isElement(error: ValidationError): boolean {
  return Array.isArray(error.target) || error.target instanceof Set || error.target instanceof Map;
}

function segmentOf({ target, property }: ValidationError): PropertyKey {
  if (Array.isArray(target) || target instanceof Set) return Number(property);
  return target && !(target instanceof Map) ? wireName(target.constructor as never, property) : property;
}

function wording(constraint: string, message: string, property: string): string {
  if (constraint === 'whitelistValidation') return 'is not a known property';
  if (constraint === 'unknownValue') return 'must be an object';
  for (const prefix of [`each value in nested property ${property} `, `nested property ${property} `, `${property} `]) {
    if (message.startsWith(prefix)) return message.slice(prefix.length);
  }
  return message.replace(`each value in ${property} `, 'each value ');
}
