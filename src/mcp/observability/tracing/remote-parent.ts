import { type Context, type Link, type TextMapGetter, context, propagation, trace } from '@opentelemetry/api';
import type { ObservedOperation } from '../server-observer.port.js';

/** Callers can put anything there; propagators expect text. */
const CARRIER: TextMapGetter<Readonly<Record<string, unknown>>> = {
  get: (carrier, key) => {
    const value = carrier[key];
    return typeof value === 'string' ? value : undefined;
  },
  keys: (carrier) => Object.keys(carrier),
};

export interface RemoteParent {
  readonly parent: Context;
  /** The span within which the request came, if another instrumentation has made one and it is not the parent. */
  readonly links: Link[];
}

/**
 * What an operation belongs to: `_meta` (2026-07-28 basic, "OpenTelemetry trace context"; SEP-414) before the headers,
 * since headers may come from proxies in between. What is malformed counts as absent.
 */
export function remoteParent({ params, headers }: ObservedOperation): RemoteParent {
  const ambient = context.active();
  const around = trace.getSpanContext(ambient);
  // Who has made a span of the HTTP request has read its headers.
  const ofRequest = around ? ambient : propagation.extract(ambient, headers ?? {}, CARRIER);
  const meta = params?.['_meta'];
  const parent = isObject(meta) ? propagation.extract(ofRequest, meta, CARRIER) : ofRequest;
  const isElsewhere = around && trace.getSpanContext(parent) !== around;
  return { parent, links: isElsewhere ? [{ context: around }] : [] };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
