import { type KeyObject, randomBytes } from 'node:crypto';
import type { AuditAnchor } from './audit-anchor.js';
import {
  AUDIT_VERSION,
  type AuditEntryBody,
  type CheckpointBounds,
  NO_ENTRY_HASH,
  type OperationEntry,
} from './audit-entry.js';
import { exportPublicKey, keyIdOf, signHash } from './audit-key.js';
import { type EntryText, entryText } from './entry-text.js';
import { operationText } from './operation-text.js';
import { quoted } from './quoted.js';

/** Makes entries into lines, each tied to the one before it. What it has made must be written, in this order. */
export class AuditChain {
  readonly id = randomBytes(12).toString('base64url');
  readonly #replica: string;
  readonly #quoted: { readonly chain: string; readonly replica: string };
  readonly #key: KeyObject;
  readonly #publicKey: string;
  readonly #keyId: string;
  #seq = 0;
  #prev = NO_ENTRY_HASH;
  #unsigned = 0;
  #unsignedSince = 0;
  #signed: AuditAnchor | undefined;
  readonly #bounds: CheckpointBounds;
  /** When the last entry was recorded, and its text: many are of the same millisecond. */
  #at = Number.NaN;
  #atText = '';

  /** @param key Ed25519, private */
  constructor(replica: string, key: KeyObject, { checkpointEvery, checkpointMs }: CheckpointBounds) {
    this.#bounds = { checkpointEvery, checkpointMs };
    this.#replica = replica;
    this.#quoted = { chain: quoted(this.id), replica: quoted(replica) };
    this.#key = key;
    this.#publicKey = exportPublicKey(key);
    this.#keyId = keyIdOf(this.#publicKey);
  }

  /** Place of the next line. */
  get seq(): number {
    return this.#seq;
  }

  /** Entries since the last signed one. */
  get unsigned(): number {
    return this.#unsigned;
  }

  /** The last entry that is signed. */
  get signed(): AuditAnchor | undefined {
    return this.#signed;
  }

  /** Whether as many entries are without a signature as may be. */
  get isFull(): boolean {
    return this.#unsigned >= this.#bounds.checkpointEvery;
  }

  /** Whether an entry of this time would come too late for those without a signature. */
  isLate(at: number): boolean {
    return this.#unsigned > 0 && at - this.#unsignedSince > this.#bounds.checkpointMs;
  }

  start(): string {
    return this.#sign({ type: 'start', publicKey: this.#publicKey, keyId: this.#keyId, ...this.#bounds });
  }

  /** @param at epoch milliseconds */
  operation(entry: OperationEntry, at: number): string {
    const { chain, replica } = this.#quoted;
    const place = { chain, replica, seq: this.#seq, at: this.#timeText(at), prev: this.#prev };
    return this.#append(operationText(entry, place), at);
  }

  /** @param at epoch milliseconds */
  gap(lost: number, at: number): string {
    return this.#add({ type: 'gap', lost }, at);
  }

  seal(type: 'checkpoint' | 'end'): string {
    return this.#sign({ type, count: this.#unsigned, keyId: this.#keyId, ...this.#bounds });
  }

  #sign(body: AuditEntryBody): string {
    const line = this.#add(body);
    this.#unsigned = 0;
    this.#signed = { chain: this.id, seq: this.#seq - 1, hash: this.#prev };
    return `${line.slice(0, -1)},"signature":"${signHash(this.#prev, this.#key)}"}`;
  }

  #add(body: AuditEntryBody, at = Date.now()): string {
    const text = entryText({
      ...body,
      v: AUDIT_VERSION,
      chain: this.id,
      seq: this.#seq,
      at: this.#timeText(at),
      replica: this.#replica,
      prev: this.#prev,
    });
    return this.#append(text, at);
  }

  #append({ line, hash }: EntryText, at: number): string {
    this.#seq += 1;
    this.#prev = hash;
    if (this.#unsigned === 0) this.#unsignedSince = at;
    this.#unsigned += 1;
    return line;
  }

  #timeText(at: number): string {
    if (at !== this.#at) {
      this.#at = at;
      this.#atText = new Date(at).toISOString();
    }
    return this.#atText;
  }
}
