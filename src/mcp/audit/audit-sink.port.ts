/** Where in a chain a write begins. */
export interface AuditPlace {
  readonly chain: string;
  /** `seq` of the first line. */
  readonly seq: number;
}

/**
 * Keeps the lines of the audit trail: files, a stream, a team's own store. Each sink has a chain of its own.
 *
 * One write at a time. After one that failed the next has the same lines and the same place; a sink that may have kept
 * some of them then leaves those out, since an entry that is there twice is reported when the log is verified.
 */
export interface AuditSink {
  /** For log lines. Default: its number. */
  readonly name?: string;
  /**
   * Resolves once the lines are where they are to be kept.
   * @param lines JSON without line breaks, in order, one at least
   */
  write(lines: readonly string[], place: AuditPlace): Promise<void>;
  /** Nothing is written after it. */
  close?(): Promise<void>;
}

export const AuditSink = Symbol('AuditSink');
