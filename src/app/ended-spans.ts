import { formatWithOptions } from 'node:util';
import { type DiagLogger, TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { safeText, safeValue } from './log-redaction.js';
import type { LostSpans } from './lost-spans.js';

/** Characters of a detail, and details, that a line about the SDK has. */
const MAX_DETAIL = 150;
const MAX_DETAILS = 3;

/** Counts the spans that have ended and are neither sent nor reported as lost. */
export class EndedSpans {
  private waiting = 0;
  private counting = true;

  constructor(private readonly lost: LostSpans) {}

  /** One has ended; it is not dropped yet. Those that are not sampled are not sent. */
  add(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) this.waiting += 1;
  }

  sent(spans: number): void {
    this.waiting -= spans;
  }

  failed(spans: number, reason: string): void {
    this.waiting -= spans;
    if (this.counting) this.lost.add(spans, reason);
  }

  /**
   * The last word: says what was lost, and reports nothing after that.
   * @returns spans of which nobody will know whether they arrived, if the process ends now
   */
  end(): number {
    this.counting = false;
    this.lost.end();
    return this.waiting;
  }

  /** What the SDK has to say, for instance of spans that it has dropped. */
  get diagnostics(): DiagLogger {
    const { warn } = this.lost.diagnostics;
    const say = (message: string, ...details: unknown[]): void => {
      this.waiting -= Number(/^Dropped (\d+) spans/.exec(message)?.[1] ?? 0);
      warn(textOf(message, details));
    };
    const ignore = (): void => undefined;
    return { error: say, warn: say, info: ignore, debug: ignore, verbose: ignore };
  }
}

/** One line. Details may stand for a "%s" of the message, as in console.warn. */
function textOf(message: string, details: readonly unknown[]): string {
  const shown = details.slice(0, MAX_DETAILS).map(detailOf);
  return safeText(formatWithOptions({}, message, ...shown)).replaceAll(/\s+/g, ' ');
}

/** An error without its stack. */
function detailOf(detail: unknown): string {
  if (detail instanceof Error) return safeText(`${detail.name}: ${detail.message}`, MAX_DETAIL);
  return safeText(typeof detail === 'string' ? detail : (JSON.stringify(safeValue(detail)) ?? ''), MAX_DETAIL);
}
