import { createHash } from 'node:crypto';
import { McpError } from '../protocol/errors.js';

/** What a retry changes (2026-07-28 basic/patterns/mrtr) and what belongs to the single request (`_meta`). */
const VOLATILE: ReadonlySet<string> = new Set(['_meta', 'inputResponses', 'requestState']);

/** Deeper params are refused, well before the stack would end. */
const MAX_DEPTH = 256;

/**
 * The identity of a request for the rounds it takes: who calls what with which params. It is the same for each retry
 * of a multi round-trip request and, but for a collision of SHA-256, for nothing else.
 *
 * @param principalKey `principalKey()` of the caller
 * @param params the request's params, as parsed from JSON; the order of their members does not matter
 * @returns a digest, base64url
 * @throws McpError `INVALID_PARAMS` when the params are nested more than 256 levels deep
 */
export function requestBinding(
  principalKey: string,
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
): string {
  const lasting = Object.entries(params ?? {}).filter(([name]) => !VOLATILE.has(name));
  const canonical = canonicalJson([principalKey, method, Object.fromEntries(lasting)], 0);
  return createHash('sha256').update(canonical).digest('base64url');
}

/** JSON with the members of each object in the order of their names, so that equal values are equal texts. */
function canonicalJson(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) {
    throw new McpError('INVALID_PARAMS', `The params are nested more than ${MAX_DEPTH} levels deep. Flatten them.`);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';

  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member, depth + 1)}`);
  return `{${members.join()}}`;
}
