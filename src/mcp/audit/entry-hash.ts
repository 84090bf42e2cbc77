import { hash as hashOf } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/**
 * Links an entry to the one before it. Hex.
 * @param entry what is in it is covered, except `hash` and `signature`, which come from it
 */
export function entryHash(entry: Readonly<Record<string, unknown>> & { readonly prev: string }): string {
  const { hash, signature, ...covered } = entry;
  return hashOf('sha256', entry.prev + canonicalJson(covered));
}
