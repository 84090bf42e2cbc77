import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { CallCancelled, CallSuspended } from '../../protocol/interruptions.js';

/** What a span says of an error. Not its text, which may hold what a caller sent. */
export interface SpanError {
  /** `error.type`. */
  readonly type: string;
  readonly status: SpanStatusCode;
}

/** @returns undefined for what is no error: a call that waits for its client comes again */
export function spanErrorOf(thrown: unknown): SpanError | undefined {
  if (thrown instanceof CallSuspended) return undefined;
  const type = thrown instanceof Error ? thrown.constructor.name : '_OTHER';
  return { type, status: thrown instanceof CallCancelled ? SpanStatusCode.UNSET : SpanStatusCode.ERROR };
}

export function endSpan(span: Span, error?: SpanError): void {
  if (error) {
    span.setAttribute('error.type', error.type);
    span.setStatus({ code: error.status });
  }
  span.end();
}
