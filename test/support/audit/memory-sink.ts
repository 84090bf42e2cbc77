import type { AuditPlace, AuditSink } from '../../../src/mcp/audit/audit-sink.port.js';

/** Keeps lines, fails when told to, and can be made to wait. */
export class MemorySink implements AuditSink {
  readonly name = 'memory';
  readonly lines: string[] = [];
  /** Every write, also those that failed. */
  readonly writes: { readonly lines: readonly string[]; readonly place: AuditPlace }[] = [];
  closed = false;
  /** What writes fail with; undefined lets them succeed. */
  error: Error | undefined;
  /** Writes wait for it. */
  gate: Promise<void> = Promise.resolve();

  async write(lines: readonly string[], place: AuditPlace): Promise<void> {
    this.writes.push({ lines: [...lines], place });
    await this.gate;
    if (this.error) throw this.error;
    this.lines.push(...lines);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** Holds all writes up until the function that it returns is called. */
  hold(): () => void {
    let release = (): void => undefined;
    this.gate = new Promise((resolve) => (release = resolve));
    return () => {
      this.gate = Promise.resolve();
      release();
    };
  }

  /** The lines as objects. */
  get entries(): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}
