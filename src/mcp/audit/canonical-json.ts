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
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      // By UTF-16 code units, as the RFC has it; the order of a locale would differ by machine.
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member, depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value)) {
    return JSON.stringify(value);
  }
  throw new Error(`A ${typeof value} is no JSON value.`);
}
