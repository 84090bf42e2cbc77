import type { TraceContext } from '../protocol/mcp-call.js';

type Fields = Readonly<Record<string, unknown>>;

/**
 * `_meta` wins over the headers: it comes from the caller itself, headers also from proxies in between. A `tracestate`
 * says more about the `traceparent` beside it, and nothing about another (W3C Trace Context, 3.3).
 */
export function traceOf(meta: Fields, headers: Fields): TraceContext {
  const { traceparent, tracestate } = typeof meta['traceparent'] === 'string' ? meta : headers;
  const baggage = meta['baggage'] ?? headers['baggage'];
  return {
    ...(typeof traceparent === 'string' && { traceparent }),
    ...(typeof traceparent === 'string' && typeof tracestate === 'string' && { tracestate }),
    ...(typeof baggage === 'string' && { baggage }),
  };
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
