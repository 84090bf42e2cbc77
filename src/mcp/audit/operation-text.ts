import { hash } from 'node:crypto';
import { AUDIT_VERSION, type OperationEntry } from './audit-entry.js';
import { canonicalJson } from './canonical-json.js';
import type { EntryText } from './entry-text.js';
import { quoted } from './quoted.js';

/** Where an operation stands in its chain. */
export interface OperationPlace {
  /** Name of the chain and of the replica, as JSON. */
  readonly chain: string;
  readonly replica: string;
  readonly seq: number;
  /** ISO 8601. */
  readonly at: string;
  readonly prev: string;
}

/**
 * The same as {@link entryText}, for the entries that there are many of. These have all members, so that both orders
 * are written out here: that of the line, and that of canonical JSON, which the hash covers.
 */
export function operationText(entry: OperationEntry, place: OperationPlace): EntryText {
  const { primitive, fields } = entry;
  const { chain, replica, seq, at, prev } = place;
  const issuer = textOf(entry.issuer);
  const subject = textOf(entry.subject);
  const client = textOf(entry.client);
  const tenant = textOf(entry.tenant);
  const era = textOf(entry.era);
  const traceId = textOf(entry.traceId);
  const method = quoted(entry.method);
  const rule = quoted(entry.rule);
  // Letters, digits, a hyphen and a colon.
  const argsDigest = entry.argsDigest === null ? 'null' : `"${entry.argsDigest}"`;
  const what = primitive ? `{"kind":"${primitive.kind}","name":${quoted(primitive.name)}}` : 'null';
  const { decision, outcome, code, latencyMs } = entry;
  const count = entry.count === undefined ? '' : `,"count":${entry.count}`;

  const covered =
    `{"argsDigest":${argsDigest},"at":"${at}","chain":${chain},"client":${client},"code":${code}${count}` +
    `,"decision":"${decision}","era":${era}${fields ? `,"fields":${canonicalJson(fields)}` : ''},"issuer":${issuer}` +
    `,"latencyMs":${latencyMs},"method":${method},"outcome":"${outcome}","prev":"${prev}","primitive":${what}` +
    `,"replica":${replica},"rule":${rule},"seq":${seq},"subject":${subject},"tenant":${tenant},"traceId":${traceId}` +
    `,"type":"operation","v":${AUDIT_VERSION}}`;
  const hashed = hash('sha256', prev + covered);
  const line =
    `{"v":${AUDIT_VERSION},"type":"operation","chain":${chain},"seq":${seq},"at":"${at}","replica":${replica}` +
    `,"issuer":${issuer},"subject":${subject},"client":${client},"tenant":${tenant},"era":${era},"method":${method}` +
    `,"primitive":${what},"argsDigest":${argsDigest}${fields ? `,"fields":${JSON.stringify(fields)}` : ''}` +
    `,"decision":"${decision}","rule":${rule},"outcome":"${outcome}","code":${code},"latencyMs":${latencyMs}` +
    `,"traceId":${traceId}${count},"prev":"${prev}","hash":"${hashed}"}`;
  return { line, hash: hashed };
}

function textOf(value: string | null): string {
  return value === null ? 'null' : quoted(value);
}
