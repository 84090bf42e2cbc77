import type { KeyObject } from 'node:crypto';
import { type CheckpointBounds, NO_ENTRY_HASH } from './audit-entry.js';
import { exportPublicKey, importPublicKey, isSignatureOf, keyIdOf } from './audit-key.js';
import type { AuditFinding, AuditFindingKind, AuditLine } from './audit-report.js';
import type { ReadEntry } from './parse-entry.js';
import { SeqRanges } from './seq-ranges.js';

/** Keys that the reader of a log knows to be those of its servers, by key id. */
export class TrustedKeys {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  /** @param keys public, Ed25519 */
  constructor(keys: readonly KeyObject[]) {
    this.#keys = new Map(keys.map((key) => [keyIdOf(exportPublicKey(key)), key]));
  }

  /** False if the reader named none, and every log vouches for itself only. */
  get given(): boolean {
    return this.#keys.size > 0;
  }

  get(keyId: unknown): KeyObject | undefined {
    return typeof keyId === 'string' ? this.#keys.get(keyId) : undefined;
  }
}

export interface ChainCheckOptions {
  readonly trusted: TrustedKeys;
  /** Older lines may be gone: a chain without its beginning is no problem. */
  readonly partial: boolean;
  /** Everything has stopped: a chain without an end is a problem. */
  readonly ended: boolean;
  readonly onFinding: (finding: AuditFinding) => void;
}

type Where = Pick<AuditLine, 'file' | 'line'>;

/** Follows one chain through the lines of a log, in the order they stand there. */
export class ChainCheck {
  readonly #chain: string;
  readonly #options: ChainCheckOptions;
  readonly #seen = new SeqRanges();
  /** Where entries were skipped, by the seq that came instead. */
  readonly #jumps = new Map<number, Where>();
  #expected = 0;
  #last: string | undefined = NO_ENTRY_HASH;
  #lastWhere: Where | undefined;
  #greatest = -1;
  #signed = -1;
  /** What the last signature says of the next. */
  #bounds: CheckpointBounds | undefined;
  /** Epoch milliseconds of the first entry after it; NaN before there is one. */
  #tailSince = Number.NaN;
  #tailMs = 0;
  #endedAt: number | undefined;
  #key: KeyObject | undefined;

  constructor(chain: string, options: ChainCheckOptions) {
    this.#chain = chain;
    this.#options = options;
  }

  add(entry: ReadEntry, where: Where): void {
    if (!entry.intact) {
      this.#problem('altered', where, `entry ${entry.seq} is not what was written`);
      // Where it says it belongs may be false too.
      if (entry.seq !== this.#expected) return;
    }
    if (!this.#place(entry, where)) return;
    const at = Date.parse(entry.at);
    if (Number.isNaN(this.#tailSince)) this.#tailSince = at;
    this.#tailMs = Math.max(this.#tailMs, at - this.#tailSince);
    if (entry.type === 'start') this.#key = importPublicKey(entry.publicKey);
    if (entry.type === 'start' || entry.type === 'checkpoint' || entry.type === 'end')
      this.#checkSignature(entry, where);
    if (entry.type === 'gap') this.#warning('gap', where, `the server lost ${Number(entry.lost)} operations here`);
    if (entry.type === 'end') this.#endedAt = entry.seq;
  }

  /** Place of the entry that would come next; undefined before the first and after the end. */
  get next(): number | undefined {
    return this.#lastWhere && this.#endedAt === undefined ? this.#expected : undefined;
  }

  /** To be called after the last line. */
  finish(): void {
    const { partial, ended, trusted } = this.#options;
    const last = this.#lastWhere;
    // Of one that only an altered line names there is nothing to say.
    if (!last) return;
    for (const [from, to] of this.#seen.holes()) {
      const where = this.#jumps.get(to + 1) ?? last;
      const names = from === to ? `entry ${from} is` : `entries ${from} to ${to} are`;
      if (from > 0) this.#problem('removed', where, `${names} missing before entry ${to + 1}`);
      else this.#report('no-start', partial ? 'warning' : 'problem', where, `${names} missing, its start among them`);
    }
    // Only a log without its beginning, and without a key, may have signatures that nobody can check.
    if (this.#signed < 0 && (trusted.given || !partial)) {
      this.#problem('unsigned', last, 'has no signature of a server; anyone can have written it');
    }
    if (this.#endedAt !== undefined) return;
    this.#checkTail(last);
    const proof =
      this.#signed < 0
        ? 'none of it is proven by a signature'
        : `only up to entry ${this.#signed} of ${this.#greatest} it is proven by a signature`;
    const message = `has no end: ${proof}, and what followed may have been removed`;
    this.#report('not-ended', ended ? 'problem' : 'warning', last, message);
  }

  /** @returns false for an entry that was there already */
  #place({ seq, prev, hash }: ReadEntry, where: Where): boolean {
    if (!this.#seen.add(seq)) {
      this.#problem('duplicated', where, `entry ${seq} is there twice`);
      return false;
    }
    if (seq > this.#expected) this.#jumps.set(seq, where);
    else if (seq < this.#expected) this.#problem('reordered', where, `entry ${seq} comes after a later one`);
    else if (this.#last !== prev) {
      this.#problem(
        'unlinked',
        where,
        `entry ${seq} does not belong to the entry before it; one of them is not genuine`,
      );
    }
    if (this.#endedAt !== undefined && seq > this.#endedAt) {
      this.#problem('after-end', where, `entry ${seq} comes after the end of the chain`);
    }
    this.#expected = seq + 1;
    this.#last = hash;
    this.#lastWhere = where;
    this.#greatest = Math.max(this.#greatest, seq);
    return true;
  }

  /** A server would have signed it: somebody wrote it in the place of what was there. */
  #checkTail(where: Where): void {
    if (!this.#bounds) return;
    const { checkpointEvery, checkpointMs } = this.#bounds;
    const entries = this.#greatest - this.#signed;
    if (entries <= checkpointEvery && this.#tailMs <= checkpointMs) return;
    const message =
      `${entries} entries in ${this.#tailMs} ms follow its last signature, entry ${this.#signed}; ` +
      `the server would have signed after ${checkpointEvery}, or ${checkpointMs} ms`;
    this.#problem('tail-too-long', where, message);
  }

  #checkSignature(entry: ReadEntry, where: Where): void {
    const { seq, hash, signature, keyId, intact } = entry;
    const { trusted, partial } = this.#options;
    const key = trusted.given ? trusted.get(keyId) : this.#key;
    if (!key && trusted.given) {
      this.#problem('untrusted-key', where, `entry ${seq} is signed with a key that is none of yours`);
    } else if (!key) {
      const level = partial ? 'warning' : 'problem';
      const message = `the signature of entry ${seq} cannot be checked without the start; give its key with --key`;
      this.#report('unchecked-signature', level, where, message);
    } else if (!isSignatureOf(hash, signature, key)) {
      this.#problem('bad-signature', where, `the signature of entry ${seq} is not that of its key`);
    } else if (intact && seq > this.#signed) {
      this.#signed = seq;
      this.#bounds = boundsOf(entry);
      this.#tailSince = Number.NaN;
      this.#tailMs = 0;
    }
  }

  #problem(kind: AuditFindingKind, where: Where, message: string): void {
    this.#report(kind, 'problem', where, message);
  }

  #warning(kind: AuditFindingKind, where: Where, message: string): void {
    this.#report(kind, 'warning', where, message);
  }

  #report(kind: AuditFindingKind, level: AuditFinding['level'], where: Where, message: string): void {
    const { file, line } = where;
    this.#options.onFinding({ kind, level, file, line, message: `chain ${this.#chain}: ${message}` });
  }
}

function boundsOf({ checkpointEvery, checkpointMs }: ReadEntry): CheckpointBounds | undefined {
  if (typeof checkpointEvery !== 'number' || typeof checkpointMs !== 'number') return undefined;
  return { checkpointEvery, checkpointMs };
}
