import type { TraceContext } from '../protocol/mcp-call.js';

const KEYS = ['traceparent', 'tracestate', 'baggage'] as const;

/** `_meta` wins over the headers: it comes from the caller itself, headers also from proxies in between. */
export function traceOf(
  meta: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): TraceContext {
  const trace: Record<string, string> = {};
  for (const key of KEYS) {
    const value = meta[key] ?? headers[key];
    if (typeof value === 'string') trace[key] = value;
  }
  return trace;
}
