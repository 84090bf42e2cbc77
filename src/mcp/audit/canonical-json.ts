/** Deeper values are refused: transports let nothing near it through. */
const MAX_DEPTH = 512;

/**
 * JSON without spaces and with sorted names, the same for equal values (RFC 8785, JSON Canonicalization Scheme). For
 * plain JSON values.
 * @throws Error for what is no plain JSON: too deep or cyclic, a BigInt, a number that is not finite
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new Error(`The value nests deeper than ${MAX_DEPTH} levels.`);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null, depth + 1)).join(',')}]`;
  if (typeof value === 'object' && value !== null) return canonicalObject(value as Record<string, unknown>, depth);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value)) {
    return JSON.stringify(value);
  }
  throw new Error(`A ${typeof value} is no JSON value.`);
}

function canonicalObject(value: Readonly<Record<string, unknown>>, depth: number): string {
  let members = '';
  // Sorted by UTF-16 code units, as the RFC has it; the order of a locale would differ by machine.
  for (const name of Object.keys(value).sort()) {
    const member = value[name];
    if (member === undefined) continue;
    if (members !== '') members += ',';
    members += `${JSON.stringify(name)}:${canonicalJson(member, depth + 1)}`;
  }
  return `{${members}}`;
}
