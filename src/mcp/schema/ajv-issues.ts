import type { ErrorObject } from 'ajv';
import type { SchemaIssue } from './compiled-schema.js';
import { formatPath } from './issues.js';
import { isJsonObject } from './json.js';

/** Keywords that only repeat what the errors of their branches say. */
const SUMMARIES = new Set(['if', 'propertyNames']);

/**
 * Translates Ajv's errors. They must come from an Ajv with `verbose: true`: the value resolves whether a path segment
 * is an index, and the parent schema names the properties that would have been accepted.
 */
export function ajvIssues(errors: readonly ErrorObject[], value: unknown): SchemaIssue[] {
  const specific = errors.filter(({ keyword }) => !SUMMARIES.has(keyword));
  return (specific.length > 0 ? specific : errors).map((error) => {
    const segments = pathSegments(error.instancePath, value);
    const property = offendingProperty(error);
    return {
      path: formatPath(property === undefined ? segments : [...segments, property]),
      message: messageOf(error),
    };
  });
}

/** A JSON pointer as segments, with array indexes as numbers. */
function pathSegments(pointer: string, value: unknown): PropertyKey[] {
  let current = value;
  return pointer
    .split('/')
    .slice(1)
    .map((token) => {
      const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
      const segment = Array.isArray(current) ? Number(name) : name;
      current = (current as Record<PropertyKey, unknown> | undefined)?.[segment];
      return segment;
    });
}

function offendingProperty({ keyword, params }: ErrorObject): string | undefined {
  const named = params as Readonly<Record<string, string | undefined>>;
  if (keyword === 'required') return named['missingProperty'];
  if (keyword === 'additionalProperties') return named['additionalProperty'];
  if (keyword === 'unevaluatedProperties') return named['unevaluatedProperty'];
  return undefined;
}

function messageOf({ keyword, params, message, parentSchema }: ErrorObject): string {
  switch (keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknownProperty(parentSchema?.['properties']);
    case 'enum':
      return `must be one of ${(params['allowedValues'] as unknown[]).map((allowed) => JSON.stringify(allowed)).join(', ')}`;
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`;
    case 'type':
      return `must be ${[params['type']].flat().join(' or ')}`;
    case 'pattern':
      return `must match /${params['pattern']}/`;
    case 'discriminator':
      return `must have a known ${JSON.stringify(params['tag'])}`;
    default:
      return message ?? 'is not valid';
  }
}

function unknownProperty(known: unknown): string {
  const names = isJsonObject(known) ? Object.keys(known) : [];
  return names.length === 0 ? 'is not a known property' : `is not a known property; known are ${names.join(', ')}`;
}
