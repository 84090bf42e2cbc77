import type { SessionRecord } from '../session-record.js';

/** A record as this replica has read it. */
export interface KnownRecord {
  /** Another one after each change of the record. */
  readonly version: string;
  readonly entry: { readonly status: 'ok'; readonly record: SessionRecord };
}

/** Records of one generation; there are two. */
const MAX_RECORDS = 2_500;
/** Characters that a record may have in what clients send; a larger one is read again each time. */
const MAX_CHARACTERS = 4_096;

/**
 * The records that this replica has read last, so that one that has not changed need not be sent and parsed again.
 * Redis has the truth: whoever takes a record from here has asked there, in the same round trip, whether it still is of
 * this version.
 */
export class KnownRecords {
  #recent = new Map<string, KnownRecord>();
  #older = new Map<string, KnownRecord>();

  get(sessionId: string): KnownRecord | undefined {
    const recent = this.#recent.get(sessionId);
    if (recent) return recent;
    const older = this.#older.get(sessionId);
    if (older) this.#add(sessionId, older);
    return older;
  }

  /** Keeps a record, unless it is too large. @returns what was given */
  keep(version: string, entry: KnownRecord['entry']): KnownRecord {
    const known = { version, entry };
    if (sizeOf(entry.record) <= MAX_CHARACTERS) this.#add(entry.record.id, known);
    return known;
  }

  #add(sessionId: string, known: KnownRecord): void {
    if (this.#recent.size >= MAX_RECORDS) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(sessionId, known);
  }
}

function sizeOf({ clientInfo, clientCapabilities, subscriptions }: SessionRecord): number {
  return JSON.stringify([clientInfo, clientCapabilities, subscriptions]).length;
}
