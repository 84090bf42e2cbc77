/** A line of a log. */
export interface AuditLine {
  /** Without its newline; undefined if it is too long or no UTF-8. */
  readonly text: string | undefined;
  /** True if it ends within a character, which the text is without. Default false. */
  readonly isCut?: boolean;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export type AuditFindingKind =
  | 'unreadable'
  | 'torn'
  | 'altered'
  | 'removed'
  | 'reordered'
  | 'duplicated'
  | 'unlinked'
  | 'no-start'
  | 'bad-signature'
  | 'unchecked-signature'
  | 'untrusted-key'
  | 'unsigned'
  | 'tail-too-long'
  | 'unmet'
  | 'after-end'
  | 'not-ended'
  | 'gap';

export interface AuditFinding {
  readonly kind: AuditFindingKind;
  /** A problem says that the log is not what was written; a warning, what it cannot prove or does not hold. */
  readonly level: 'problem' | 'warning';
  readonly file: string;
  readonly line: number;
  /** For people. */
  readonly message: string;
}

export interface AuditReport {
  /** In the order of the lines they are about. The first 1,000 of each level. */
  readonly findings: readonly AuditFinding[];
  readonly problems: number;
  readonly warnings: number;
  readonly chains: number;
  readonly entries: number;
  /** Operations that the server itself says it lost. */
  readonly lost: number;
}

const MAX_FINDINGS = 1_000;

/** Collects findings; what a broken log yields is bounded, its count is not. */
export class AuditFindings {
  readonly #kept: { readonly finding: AuditFinding; readonly order: number }[] = [];
  readonly #counts = { problem: 0, warning: 0 };
  readonly #order = new Map<string, number>();

  add(finding: AuditFinding): void {
    this.#counts[finding.level] += 1;
    if (this.#counts[finding.level] > MAX_FINDINGS) return;
    const order = this.#order.get(finding.file) ?? this.#order.size;
    this.#order.set(finding.file, order);
    this.#kept.push({ finding, order });
  }

  report(counts: Pick<AuditReport, 'chains' | 'entries' | 'lost'>): AuditReport {
    const sorted = this.#kept.toSorted((a, b) => a.order - b.order || a.finding.line - b.finding.line);
    return {
      findings: sorted.map(({ finding }) => finding),
      problems: this.#counts.problem,
      warnings: this.#counts.warning,
      ...counts,
    };
  }
}
