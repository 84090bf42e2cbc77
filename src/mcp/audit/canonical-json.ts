import { quoted } from './quoted.js';

/** Deeper values are refused: transports let nothing near it through. */
const MAX_DEPTH = 512;

/**
 * JSON without spaces and with sorted names, the same for equal values (RFC 8785, JSON Canonicalization Scheme). For
 * plain JSON values.
 * @throws Error for what is no plain JSON: too deep or cyclic, a BigInt, a number that is not finite
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new Error(`The value nests deeper than ${MAX_DEPTH} levels.`);
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean' || value === null || Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null, depth + 1)).join(',')}]`;
  if (typeof value === 'object') return canonicalObject(value as Record<string, unknown>, depth);
  throw new Error(`A ${typeof value} is no JSON value.`);
}

function canonicalObject(value: Readonly<Record<string, unknown>>, depth: number): string {
  let members = '';
  const names = sorted(Object.keys(value));
  for (let i = 0; i < names.length; i += 1) {
    const member = value[names[i]!];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${quoted(names[i]!)}:${canonicalJson(member, depth + 1)}`;
  }
  return `{${members}}`;
}

/** By UTF-16 code units, as the RFC has it; the order of a locale would differ by machine. */
function sorted(names: string[]): string[] {
  for (let i = 1; i < names.length; i += 1) if (names[i]! < names[i - 1]!) return names.sort();
  return names;
}
