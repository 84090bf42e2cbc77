import type { KeyObject } from 'node:crypto';
import { type AuditAnchor, anchorText } from './audit-anchor.js';
import { AuditFindings, type AuditLine, type AuditReport } from './audit-report.js';
import { ChainCheck, TrustedKeys } from './chain-check.js';
import { parseEntry, placeOfFragment } from './parse-entry.js';

export interface VerifyAuditOptions {
  /** Public Ed25519 keys of the servers that wrote the log. Default: each chain is held to the key that it names itself. */
  readonly trustedKeys?: readonly KeyObject[];
  /** Older lines may be gone, as of a stream that is trimmed: a chain without its start is a warning. Default false. */
  readonly partial?: boolean;
  /** All servers were stopped: a chain without an end is a problem, not a warning. Default false. */
  readonly ended?: boolean;
  /** Other lines stand between the entries, as on a stdout that other logs share, and are passed over. Default false. */
  readonly mixed?: boolean;
  /** Entries that the log must hold, such as the last signatures that the servers logged elsewhere when they stopped. */
  readonly expected?: readonly AuditAnchor[];
}

/** Torn lines that may wait for their entry to be written again. */
const MAX_TORN = 64;

/**
 * Looks for entries that were altered, removed, moved or added, in a log of any number of chains, the lines of each in
 * the order they were written. Keeps little of it in memory.
 *
 * What it cannot find: that a whole chain was removed, or the end of one from any signature on, unless what was there is
 * `expected`; that what follows the last signature of one without an end was rewritten, within the bounds that each
 * signature sets to the next; and without `trustedKeys` that a chain was replaced by another.
 */
export async function verifyAudit(
  lines: AsyncIterable<AuditLine> | Iterable<AuditLine>,
  options: VerifyAuditOptions = {},
): Promise<AuditReport> {
  const verifier = new AuditVerifier(options);
  for await (const line of lines) verifier.add(line);
  return verifier.finish();
}

class AuditVerifier {
  readonly #options: VerifyAuditOptions;
  readonly #trusted: TrustedKeys;
  readonly #findings = new AuditFindings();
  readonly #chains = new Map<string, ChainCheck>();
  readonly #expected: Map<string, number>;
  #torn: AuditLine[] = [];
  #entries = 0;
  #lost = 0;

  constructor(options: VerifyAuditOptions) {
    this.#options = options;
    this.#trusted = new TrustedKeys(options.trustedKeys ?? []);
    this.#expected = new Map((options.expected ?? []).map((anchor, index) => [anchorText(anchor), index + 1]));
  }

  add(line: AuditLine): void {
    if (line.text === '') return;
    const entry = line.text === undefined || line.isCut ? undefined : parseEntry(line.text);
    if (!entry) return this.#keepTorn(line);
    this.#matchTorn(line.text!);
    this.#entries += 1;
    if (entry.intact) this.#expected.delete(anchorText(entry));
    if (entry.type === 'gap' && Number.isSafeInteger(entry.lost)) this.#lost += entry.lost as number;
    this.#chain(entry.chain).add(entry, line);
  }

  finish(): AuditReport {
    for (const line of this.#torn) this.#judge(line);
    for (const chain of this.#chains.values()) chain.finish();
    for (const [anchor, line] of this.#expected) {
      const message = `${anchor} is not in the log: it was cut back or replaced, or is of another log`;
      this.#findings.add({ kind: 'unmet', level: 'problem', file: '--expect', line, message });
    }
    return this.#findings.report({ chains: this.#chains.size, entries: this.#entries, lost: this.#lost });
  }

  #chain(id: string): ChainCheck {
    const known = this.#chains.get(id);
    if (known) return known;
    const chain = new ChainCheck(id, {
      trusted: this.#trusted,
      partial: this.#options.partial ?? false,
      ended: this.#options.ended ?? false,
      onFinding: (finding) => this.#findings.add(finding),
    });
    this.#chains.set(id, chain);
    return chain;
  }

  /** A full disk tears a line, whose entry is then written again: no harm, if it comes. */
  #keepTorn(line: AuditLine): void {
    this.#torn.push(line);
    if (this.#torn.length > MAX_TORN) this.#judge(this.#torn.shift()!);
  }

  #matchTorn(text: string): void {
    if (this.#torn.length === 0) return;
    const isTorn = (line: AuditLine): boolean => line.text !== undefined && text.startsWith(line.text);
    for (const line of this.#torn.filter(isTorn)) this.#tornAt(line, 'an entry broke off here and was written again');
    this.#torn = this.#torn.filter((line) => !isTorn(line));
  }

  /** A server that dies tears its last line, which nobody writes again: its chain then ends there. */
  #judge(line: AuditLine): void {
    const place = line.text === undefined ? undefined : placeOfFragment(line.text);
    if (!place || this.#chains.get(place.chain)?.next !== place.seq) return this.#unreadable(line);
    this.#tornAt(line, `chain ${place.chain}: entry ${place.seq} broke off here, and nothing follows it`);
  }

  #tornAt({ file, line }: AuditLine, message: string): void {
    this.#findings.add({ kind: 'torn', level: 'warning', file, line, message });
  }

  #unreadable({ file, line }: AuditLine): void {
    if (this.#options.mixed) return;
    const message = 'is no entry of an audit trail; if other logs share the file, say --mixed';
    this.#findings.add({ kind: 'unreadable', level: 'problem', file, line, message });
  }
}
