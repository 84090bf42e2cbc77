import { type Context, type Span, context, createContextKey, isSpanContextValid, trace } from '@opentelemetry/api';
import type { OperationEnd, OperationWatch } from '../server-observer.port.js';
import { endAttributes, endName, statusOf } from './span-attributes.js';
import { type SpanError, endSpan } from './span-error.js';

const OPERATION = createContextKey('rookery operation');

/** The server span of an operation, and the spans of its handler, which do not outlive it. */
export class OperationSpan implements OperationWatch {
  readonly traceId?: string;
  private readonly inside: Context;
  private readonly handlers = new Set<Span>();

  /** @param name what it is called unless more becomes known */
  constructor(
    private readonly span: Span,
    private readonly name: string,
    parent: Context,
  ) {
    const spanContext = span.spanContext();
    if (isSpanContextValid(spanContext)) this.traceId = spanContext.traceId;
    this.inside = trace.setSpan(parent, span).setValue(OPERATION, this);
  }

  /** The operation that what runs now belongs to. */
  static current(): OperationSpan | undefined {
    return context.active().getValue(OPERATION) as OperationSpan | undefined;
  }

  /** Whether somebody will see it. */
  get isRecording(): boolean {
    return this.span.isRecording();
  }

  run<T>(work: () => T): T {
    return context.with(this.inside, work);
  }

  ended(end: OperationEnd): void {
    const { span } = this;
    if (!span.isRecording()) return;
    const { capability, failure } = end;
    // A handler may never end: one that waits for its client in 2026-07-28, or does not heed its signal.
    for (const handler of [...this.handlers]) {
      this.closeHandler(handler, failure && { type: failure, status: statusOf(failure) });
    }
    if (capability) span.updateName(endName(this.name, capability));
    span.setAttributes(endAttributes(end));
    if (failure) span.setStatus({ code: statusOf(failure) });
    span.end();
  }

  openHandler(span: Span): void {
    this.handlers.add(span);
  }

  /** Does nothing if it was closed before. */
  closeHandler(span: Span, error?: SpanError): void {
    if (this.handlers.delete(span)) endSpan(span, error);
  }
}
