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

/** The trace id of a W3C `traceparent`; undefined if there is none, or none that is one. */
export function traceIdOf(
  params: Readonly<Record<string, unknown>> | undefined,
  headers: Readonly<Record<string, string | string[] | undefined>> | undefined,
): string | undefined {
  const meta = params?.['_meta'];
  const { traceparent } = traceOf(isObject(meta) ? meta : {}, headers ?? {});
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent ?? '')?.[1];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
