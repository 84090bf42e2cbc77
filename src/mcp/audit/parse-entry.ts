import { AUDIT_VERSION } from './audit-entry.js';
import { entryHash } from './entry-hash.js';

/** What the verifier needs of an entry; the rest is covered by its hash. */
export interface ReadEntry {
  readonly type: string;
  readonly chain: string;
  readonly seq: number;
  /** A time. */
  readonly at: string;
  readonly prev: string;
  readonly hash: string;
  readonly publicKey?: unknown;
  readonly keyId?: unknown;
  readonly signature?: unknown;
  readonly lost?: unknown;
  readonly checkpointEvery?: unknown;
  readonly checkpointMs?: unknown;
  /** False if the text is not what its hash was made of. */
  readonly intact: boolean;
}

const TYPES = new Set(['start', 'operation', 'gap', 'checkpoint', 'end']);
const SIGNED = new Set(['start', 'checkpoint', 'end']);
/** Safe to print. */
const CHAIN = /^[\w-]{1,64}$/;
const HASH = /^[0-9a-f]{64}$/;

/** The beginning of an entry as AuditChain writes it. */
const BEGINNING = /^\{"v":1,"type":"[a-z]+","chain":"([\w-]{1,64})","seq":(\d{1,15}),/;

/** @returns where an entry belongs that broke off, undefined if it does not say so */
export function placeOfFragment(text: string): Pick<ReadEntry, 'chain' | 'seq'> | undefined {
  const [, chain, seq] = BEGINNING.exec(text) ?? [];
  return chain === undefined ? undefined : { chain, seq: Number(seq) };
}

/** @returns undefined if the text is no entry of an audit trail */
export function parseEntry(text: string): ReadEntry | undefined {
  const entry = parseObject(text);
  if (!entry || !isEntry(entry)) return undefined;
  return { ...entry, intact: isIntact(entry, text) };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(entry: Record<string, unknown>): entry is Record<string, unknown> & Omit<ReadEntry, 'intact'> {
  const { v, type, chain, seq, at, prev, hash } = entry;
  const isPlace = typeof chain === 'string' && CHAIN.test(chain) && Number.isSafeInteger(seq) && (seq as number) >= 0;
  const isLinked = typeof prev === 'string' && HASH.test(prev) && typeof hash === 'string' && HASH.test(hash);
  const isTimed = typeof at === 'string' && Number.isFinite(Date.parse(at));
  return v === AUDIT_VERSION && typeof type === 'string' && TYPES.has(type) && isPlace && isTimed && isLinked;
}

/** Written as JSON.stringify writes it, too: of two members of one name readers disagree which one counts. */
function isIntact(entry: Record<string, unknown> & { readonly prev: string }, text: string): boolean {
  try {
    // The hash does not cover it, so that it must not be where nobody checks it.
    if (Object.hasOwn(entry, 'signature') !== SIGNED.has(String(entry['type']))) return false;
    return entryHash(entry) === entry['hash'] && JSON.stringify(entry) === text;
  } catch {
    return false;
  }
}
