import { SpanKind, type Tracer, context, trace } from '@opentelemetry/api';
import type { ObservedCapability, ObservedOperation, OperationWatch, ServerObserver } from '../server-observer.port.js';
import { OperationSpan } from './operation-span.js';
import { remoteParent } from './remote-parent.js';
import { shownMethod } from '../method-names.js';
import { beginAttributes, capabilityAttributes, endName } from './span-attributes.js';
import { endSpan, spanErrorOf } from './span-error.js';

/**
 * Traces operations with OpenTelemetry: a server span for each, and within it one for its handler and one for each
 * command to Redis. Spans that a handler makes itself are children of the handler's. Names and attributes are those of
 * the semantic conventions for MCP; none of them holds what a caller sent.
 *
 * The SDK is the application's: without one, or with one that samples nothing, next to nothing happens.
 *
 * @example
 * ```ts
 * McpModule.forRoot({ name: 'shop', observers: [tracingObserver(trace.getTracer('shop'))] })
 * ```
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 */
export function tracingObserver(tracer: Tracer): ServerObserver {
  return new TracingObserver(tracer);
}

class TracingObserver implements ServerObserver {
  constructor(private readonly tracer: Tracer) {}

  operation(operation: ObservedOperation): OperationWatch {
    const { parent, links } = remoteParent(operation);
    const name = shownMethod(operation.method);
    const attributes = beginAttributes(operation);
    const span = this.tracer.startSpan(name, { kind: SpanKind.SERVER, attributes, links }, parent);
    return new OperationSpan(span, name, parent);
  }

  async handler<T>(capability: ObservedCapability, work: () => Promise<T>): Promise<T> {
    const operation = OperationSpan.current();
    if (!operation?.isRecording) return work();
    const span = this.tracer.startSpan(endName(`handle ${capability.kind}`, capability), {
      attributes: capabilityAttributes(capability),
    });
    operation.openHandler(span);
    try {
      const value = await context.with(trace.setSpan(context.active(), span), work);
      operation.closeHandler(span);
      return value;
    } catch (error) {
      operation.closeHandler(span, spanErrorOf(error));
      throw error;
    }
  }

  redisCommand(name: string): (error?: unknown) => void {
    // Heartbeats and the like belong to no request, and what comes after its end to none any more.
    if (!trace.getActiveSpan()?.isRecording()) return NOBODY;
    const span = this.tracer.startSpan(name, {
      kind: SpanKind.CLIENT,
      attributes: { 'db.system.name': 'redis', 'db.operation.name': name },
    });
    return (error) => endSpan(span, error === undefined ? undefined : spanErrorOf(error));
  }
}

const NOBODY = (): void => undefined;
