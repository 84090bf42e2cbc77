import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/**
 * Links an entry to the one before it. Hex.
 * @param entry what is in it is covered, except `hash` and `signature`, which come from it
 */
export function entryHash(entry: Readonly<Record<string, unknown>> & { readonly prev: string }): string {
  const { hash, signature, ...covered } = entry;
  return createHash('sha256').update(entry.prev).update(canonicalJson(covered)).digest('hex');
}
