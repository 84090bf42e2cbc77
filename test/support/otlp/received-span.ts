import { type Field, all, first, readFields } from './protobuf.js';

export type ReceivedValue = string | number | boolean | ReceivedValue[] | undefined;

/** A span as a receiver gets it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** SpanKind of OTLP: 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, ReceivedValue>>;
  /** Status code of OTLP: 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, ReceivedValue>>;
  /** Name of the instrumentation scope. */
  readonly scope: string;
}

/**
 * Reads an ExportTraceServiceRequest.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
export function readSpans(body: Buffer): ReceivedSpan[] {
  return all(readFields(body), 1).flatMap((resourceSpans) => {
    const ofResource = readFields(resourceSpans);
    const resource = attributesOf(all(ofResource, 1).flatMap(readFields), 1);
    return all(ofResource, 2).flatMap((scopeSpans) => {
      const ofScope = readFields(scopeSpans);
      const scope = text(all(ofScope, 1).flatMap(readFields), 1);
      return all(ofScope, 2).map((span) => ({ ...readSpan(readFields(span)), resource, scope }));
    });
  });
}

function readSpan(fields: readonly Field[]): Omit<ReceivedSpan, 'resource' | 'scope'> {
  const [begun, ended] = [first(fields, 7)?.value ?? 0n, first(fields, 8)?.value ?? 0n];
  return {
    traceId: hex(fields, 1),
    spanId: hex(fields, 2),
    traceState: text(fields, 3),
    parentSpanId: hex(fields, 4),
    name: text(fields, 5),
    kind: Number(first(fields, 6)?.value ?? 0n),
    durationMs: Number(ended - begun) / 1e6,
    attributes: attributesOf(fields, 9),
    status: Number(first(all(fields, 15).flatMap(readFields), 3)?.value ?? 0n),
  };
}

function attributesOf(fields: readonly Field[], number: number): Record<string, ReceivedValue> {
  const pairs = all(fields, number).map((pair) => readFields(pair));
  return Object.fromEntries(pairs.map((pair) => [text(pair, 1), valueOf(all(pair, 2).flatMap(readFields))]));
}

function valueOf([field]: readonly Field[]): ReceivedValue {
  if (!field) return undefined;
  switch (field.number) {
    case 1:
      return field.bytes.toString();
    case 2:
      return field.value === 1n;
    case 3:
      return Number(field.value);
    case 5:
      return all(readFields(field.bytes), 1).map((value) => valueOf(readFields(value)));
    default:
      return undefined;
  }
}

function text(fields: readonly Field[], number: number): string {
  return first(fields, number)?.bytes.toString() ?? '';
}

function hex(fields: readonly Field[], number: number): string {
  return first(fields, number)?.bytes.toString('hex') ?? '';
}
