import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/** Members that entries may have, in the order in which a line has them; `hash` and `signature` come behind. */
const LINE_ORDER = [
  ...['v', 'type', 'chain', 'seq', 'at', 'replica', 'publicKey', 'lost'],
  ...['issuer', 'subject', 'client', 'tenant', 'era', 'method', 'primitive', 'argsDigest', 'fields'],
  ...['decision', 'rule', 'outcome', 'code', 'latencyMs', 'traceId'],
  ...['count', 'keyId', 'checkpointEvery', 'checkpointMs', 'prev'],
] as const;
type Member = (typeof LINE_ORDER)[number];

/** The same, in the order in which the hash covers them: that of canonical JSON. */
const HASH_ORDER: readonly number[] = [...LINE_ORDER].sort().map((name) => LINE_ORDER.indexOf(name));
const NAMES = LINE_ORDER.map((name) => `"${name}":`);

export type WritableEntry = { readonly prev: string } & { readonly [M in Member]?: unknown };

/** An entry, written: its line, `hash` included, and that hash. */
export interface EntryText {
  readonly line: string;
  readonly hash: string;
}

/**
 * Writes an entry: each member once, and put together in two orders, that of the line and that of what the hash covers.
 * @returns the hash that `entryHash` finds
 */
export function entryText(entry: WritableEntry): EntryText {
  const texts: (string | undefined)[] = [];
  let line = '{';
  for (let i = 0; i < LINE_ORDER.length; i += 1) {
    const value = entry[LINE_ORDER[i]!];
    if (value === undefined) {
      texts.push(undefined);
      continue;
    }
    const text = JSON.stringify(value);
    line += (line === '{' ? '' : ',') + NAMES[i]! + text;
    // Of what has names itself, the line has the order that it came in.
    texts.push(NAMES[i]! + (typeof value === 'object' && value !== null ? canonicalJson(value) : text));
  }
  let covered = '';
  for (const i of HASH_ORDER) {
    const text = texts[i];
    if (text !== undefined) covered += covered === '' ? text : `,${text}`;
  }
  const hashed = hash('sha256', `${entry.prev}{${covered}}`);
  return { line: `${line},"hash":"${hashed}"}`, hash: hashed };
}
