import { type Span, SpanKind, context, propagation, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { tracingObserver } from '../../../src/index.js';

/** The SDK as a team sets it up, with what it would send kept in memory. One at a time: it is the whole process's. */
export class Traced implements Disposable {
  private readonly exporter = new InMemorySpanExporter();
  private readonly provider: NodeTracerProvider;
  readonly observers;

  constructor(sampler?: Sampler) {
    const spanProcessors = [new SimpleSpanProcessor(this.exporter)];
    this.provider = new NodeTracerProvider({ spanProcessors, ...(sampler && { sampler }) });
    this.provider.register();
    this.observers = [tracingObserver(trace.getTracer('rookery'))];
  }

  /** Whatever has ended, in that order. */
  get spans(): ReadableSpan[] {
    return this.exporter.getFinishedSpans();
  }

  get names(): string[] {
    return this.spans.map(({ name }) => name);
  }

  /** The last span of a name. @throws Error when there is none */
  span(name: string): ReadableSpan {
    const span = this.spans.findLast((each) => each.name === name);
    if (!span) throw new Error(`No span is called ${name}. There are: ${this.names.join(', ')}`);
    return span;
  }

  /** The names of a span and of what it is in, outwards. */
  ancestry(name: string): string[] {
    const names: string[] = [];
    for (let span: ReadableSpan | undefined = this.span(name); span;) {
      names.push(span.name);
      const parent: string | undefined = span.parentSpanContext?.spanId;
      span = this.spans.find((each) => each.spanContext().spanId === parent);
    }
    return names;
  }

  /** Forgets what has ended. */
  reset(): void {
    this.exporter.reset();
  }

  [Symbol.dispose](): void {
    for (const api of [trace, context, propagation]) api.disable();
  }
}

/** A span of a client, and the `_meta` or the headers by which a server knows it. */
export function clientSpan(): { readonly span: Span; readonly carrier: Record<string, string> } {
  const span = trace.getTracer('client').startSpan('client', { kind: SpanKind.CLIENT });
  const carrier: Record<string, string> = {};
  propagation.inject(trace.setSpan(context.active(), span), carrier);
  return { span, carrier };
}

export function statusOf({ status, attributes }: ReadableSpan): { status: number; error: unknown; code: unknown } {
  return { status: status.code, error: attributes['error.type'], code: attributes['rpc.response.status_code'] };
}
