import type { ClientCapabilities, Implementation, LoggingLevel } from '@modelcontextprotocol/server';
import type { SessionRevision } from '../protocol/revisions.js';

/** All that is known of a session. The stored record is the truth; no object of a session outlives a request. */
export interface SessionRecord {
  /** At least 128 random bits, visible ASCII. */
  readonly id: string;
  /** `principalKey()` of the principal that created it, the only one that may use it. */
  readonly owner: string;
  readonly revision: SessionRevision;
  readonly clientInfo: Implementation;
  readonly clientCapabilities: ClientCapabilities;
  /** Lowest level the client wants; `undefined` until `logging/setLevel`. */
  readonly logLevel: LoggingLevel | undefined;
  /** URIs of `resources/subscribe`. */
  readonly subscriptions: readonly string[];
  /** Change-bus cursor up to which the client has been told; where the next GET stream starts. */
  readonly seen: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export type SessionChange =
  | { readonly logLevel: LoggingLevel }
  | { readonly subscribe: string }
  | { readonly unsubscribe: string }
  | { readonly seen: string }
  /** Hands it over; does nothing, and says so, if it is not of whom it is said to be. */
  | { readonly owner: string; readonly from: string };

/** The record after a change; a new one, so that whoever holds the old one is not surprised. */
export function applyChange(record: SessionRecord, change: SessionChange): SessionRecord {
  if ('logLevel' in change) return { ...record, logLevel: change.logLevel };
  if ('owner' in change) return record.owner === change.from ? { ...record, owner: change.owner } : record;
  if ('seen' in change) return { ...record, seen: change.seen };
  if ('unsubscribe' in change) {
    return { ...record, subscriptions: record.subscriptions.filter((uri) => uri !== change.unsubscribe) };
  }
  if (record.subscriptions.includes(change.subscribe)) return record;
  return { ...record, subscriptions: [...record.subscriptions, change.subscribe] };
}
