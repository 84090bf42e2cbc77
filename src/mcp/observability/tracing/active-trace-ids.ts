import { isSpanContextValid, trace } from '@opentelemetry/api';

/** What a log line carries, so that it is found from its trace and the trace from it. */
export interface TraceIds {
  /** W3C trace id: 32 hexadecimal digits. */
  readonly trace_id: string;
  /** 16 hexadecimal digits. */
  readonly span_id: string;
}

/**
 * The ids of the span that what runs now belongs to; undefined where there is none, or tracing is off.
 * @example pino({ mixin: () => ({ ...activeTraceIds() }) })
 */
export function activeTraceIds(): TraceIds | undefined {
  const spanContext = trace.getActiveSpan()?.spanContext();
  if (!spanContext || !isSpanContextValid(spanContext)) return undefined;
  return { trace_id: spanContext.traceId, span_id: spanContext.spanId };
}
