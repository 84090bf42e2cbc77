import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DiagLogLevel, context, diag, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type BufferConfig,
  NodeTracerProvider,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { type ServerObserver, tracingObserver } from '../index.js';
import type { Config } from './config.js';
import { EndedSpans } from './ended-spans.js';
import { LostSpans } from './lost-spans.js';
import { ReportingExporter } from './reporting-exporter.js';

export interface TracingSdkOptions {
  /** Where spans are sent to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds that a batch may take, with all that is tried again. */
  readonly timeoutMillis: number;
  readonly batches: Readonly<Required<BufferConfig>>;
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** Of every span. They win over what is found out here, except the name of the service. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly sampler: Config['OTEL_TRACES_SAMPLER'];
  /** 0 to 1. */
  readonly ratio: number;
}

/** Milliseconds that the last spans have: less than the two seconds in which a process ends once it has drained. */
const SHUTDOWN_MS = 1_500;
/** Batches on their way at a time, above all the last ones. The SDK allows for 30, and drops what is more. */
const MAX_EXPORTS = 100;
/** Characters that an attribute of a span may have. */
const MAX_ATTRIBUTE_LENGTH = 4_096;

/**
 * The OpenTelemetry SDK, set up once for the process. It reads OTEL_EXPORTER_OTLP_COMPRESSION, _CERTIFICATE and
 * _CLIENT_* itself; whatever else could keep spans from being sent was read and judged before.
 */
export class TracingSdk implements OnApplicationShutdown {
  /** What the MCP server reports to. */
  readonly observer: ServerObserver;
  private readonly logger = new Logger('Tracing');
  private readonly provider: NodeTracerProvider;
  private readonly ended: EndedSpans;
  private readonly receiver: string;
  private stopped: Promise<void> | undefined;

  constructor({ url, headers, timeoutMillis, batches, ...options }: TracingSdkOptions) {
    this.receiver = new URL(url).host;
    this.ended = new EndedSpans(new LostSpans(this.logger, this.receiver));
    // Before the exporter is made, which may have something to say about its certificates.
    diag.setLogger(this.ended.diagnostics, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
    const settings = { url, headers: { ...headers }, timeoutMillis, concurrencyLimit: MAX_EXPORTS };
    const otlp = this.withoutOwnVariables(() => new OTLPTraceExporter(settings));
    const exporter = new ReportingExporter(otlp, this.ended);
    this.provider = new NodeTracerProvider({
      resource: resourceOf(options),
      sampler: samplerOf(options.sampler, options.ratio),
      spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_LENGTH },
      spanProcessors: [new CountedSpanProcessor(exporter, this.ended, batches)],
    });
    // Without arguments: W3C trace context and baggage, and contexts that follow asynchronous code.
    this.provider.register();
    this.observer = tracingObserver(this.provider.getTracer('rookery', options.serviceVersion));
  }

  /** As a provider of a module it ends by itself, once the application has closed its connections. */
  onApplicationShutdown(): Promise<void> {
    return this.shutdown();
  }

  /** Sends what has not been sent, for a bounded time, and ends. Never rejects; twice is once. */
  shutdown(): Promise<void> {
    this.stopped ??= this.end();
    return this.stopped;
  }

  private withoutOwnVariables<T>(make: () => T): T {
    const hidden = Object.entries(process.env).filter(([name]) => OWN_VARIABLES.test(name));
    for (const [name] of hidden) {
      delete process.env[name];
      const known = name.replace('_TRACES_', '_');
      if (known !== name && !name.endsWith('ENDPOINT')) this.logger.warn(`${name} is not read. Set ${known}.`);
    }
    try {
      return make();
    } finally {
      Object.assign(process.env, Object.fromEntries(hidden));
    }
  }

  private async end(): Promise<void> {
    const patience = new AbortController();
    const sent = this.provider.shutdown().catch(() => undefined);
    const impatient = delay(SHUTDOWN_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([sent, impatient]);
    patience.abort();
    const unsent = this.ended.end();
    if (unsent > 0) this.logger.warn(`${unsent} spans had not been sent to ${this.receiver} when the server stopped.`);
    for (const api of [trace, context, propagation, diag]) api.disable();
  }
}

/** What comes to it is counted before it can be dropped. */
class CountedSpanProcessor extends BatchSpanProcessor {
  constructor(
    exporter: ReportingExporter,
    private readonly ended: EndedSpans,
    batches: Readonly<Required<BufferConfig>>,
  ) {
    super(exporter, { ...batches });
  }

  override onEnd(span: ReadableSpan): void {
    this.ended.add(span);
    super.onEnd(span);
  }
}

/** What an exporter takes from the environment, though it is given all of it. Headers it would even mix. */
const OWN_VARIABLES = /^OTEL_EXPORTER_OTLP_(TRACES_)?(ENDPOINT|HEADERS|TIMEOUT)$/;

function resourceOf({
  serviceName,
  serviceVersion,
  attributes,
}: Pick<TracingSdkOptions, 'serviceName' | 'serviceVersion' | 'attributes'>) {
  return defaultResource().merge(
    resourceFromAttributes({
      'service.version': serviceVersion,
      'service.instance.id': randomUUID(),
      'host.name': hostname(),
      // Not the command line: there may be secrets in it.
      'process.pid': process.pid,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': process.versions.node,
      ...attributes,
      'service.name': serviceName,
    }),
  );
}

function samplerOf(name: TracingSdkOptions['sampler'], ratio: number): Sampler {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}
