import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Config } from './config.js';
import { keyValuePairs } from './key-value-pairs.js';
import { packageVersion } from './package-version.js';
import type { TracingSdk } from './tracing-sdk.js';

/** The variables that tracing goes by. */
export type TracingVariables = Pick<Config, Extract<keyof Config, `OTEL_${string}`>>;

/** Tracing that has begun. */
export type Tracing = Pick<TracingSdk, 'observer' | 'shutdown' | 'onApplicationShutdown'>;

/**
 * Begins to trace, if a receiver is configured: registers the OpenTelemetry SDK for the process, so that spans which
 * tools make with the global API belong to ours. Without a receiver nothing of the SDK is even loaded, but what is
 * wrong is told all the same: it would come to light on the day that somebody needs the traces.
 *
 * @throws Error when a variable is not what the OpenTelemetry specification wants, or no span could ever be sent
 */
export async function startTracing(config: TracingVariables): Promise<Tracing | undefined> {
  const url = receiverOf(config);
  const headers = keyValuePairs('OTEL_EXPORTER_OTLP_HEADERS', config.OTEL_EXPORTER_OTLP_HEADERS, problemOfHeader);
  const attributes = keyValuePairs('OTEL_RESOURCE_ATTRIBUTES', config.OTEL_RESOURCE_ATTRIBUTES);
  const batches = batchesOf(config);
  if (url === undefined || config.OTEL_SDK_DISABLED) return undefined;
  const { TracingSdk } = await import('./tracing-sdk.js');
  return new TracingSdk({
    url,
    headers,
    timeoutMillis: config.OTEL_EXPORTER_OTLP_TIMEOUT,
    batches,
    serviceName: serviceNameOf(config, attributes),
    serviceVersion: packageVersion(),
    attributes,
    sampler: config.OTEL_TRACES_SAMPLER,
    ratio: Number(config.OTEL_TRACES_SAMPLER_ARG ?? 1),
  });
}

/** The URL for traces is taken as it is; the one for all signals is a base (OTLP exporter, "Endpoint URLs"). */
function receiverOf(config: TracingVariables): string | undefined {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_EXPORTER_OTLP_ENDPOINT: base } = config;
  if (own !== undefined) return addressOf('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own).href;
  if (base === undefined) return undefined;
  const url = addressOf('OTEL_EXPORTER_OTLP_ENDPOINT', base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url.href;
}

/** @throws Error for what nothing could be sent to; it does not repeat the address, which may hold a password */
function addressOf(name: string, address: string): URL {
  if (!/^https?:\/\//i.test(address)) {
    throw new Error(
      `${name} must begin with http:// or https://. gRPC is not spoken; receivers take HTTP on port 4318.`,
    );
  }
  const url = new URL(address);
  if (/[?#]/.test(address)) throw new Error(`${name} must end with its path. Take out what begins with "?" or "#".`);
  if (url.port === '0') throw new Error(`${name} has the port 0, which nobody listens on. 4318 is the usual one.`);
  if (url.username !== '' || url.password !== '') {
    throw new Error(`${name} must not hold credentials. Put them into OTEL_EXPORTER_OTLP_HEADERS.`);
  }
  return url;
}

/** What belongs to the connection or to the body (RFC 9110, 7.6.1, 8 and 10.1.1), and is the exporter's to say. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function problemOfHeader(name: string, value: string): string | undefined {
  if (RESERVED_HEADERS.has(name.toLowerCase())) return `is ${name.toLowerCase()}, which the exporter sets itself.`;
  if (!isTaken(() => validateHeaderName(name))) {
    return 'has a name that HTTP does not allow. Write letters, digits and "-" before the "=".';
  }
  if (!isTaken(() => validateHeaderValue(name, value))) {
    return 'has a value that HTTP does not allow: a line break, or what is not Latin-1. Take it out, or encode it as Base64.';
  }
  return undefined;
}

function isTaken(validate: () => void): boolean {
  try {
    validate();
    return true;
  } catch {
    return false;
  }
}

function batchesOf(config: TracingVariables) {
  const { OTEL_BSP_MAX_QUEUE_SIZE: maxQueueSize, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: maxExportBatchSize } = config;
  if (maxExportBatchSize > maxQueueSize) {
    throw new Error(
      `OTEL_BSP_MAX_EXPORT_BATCH_SIZE (${maxExportBatchSize}) must not be more than OTEL_BSP_MAX_QUEUE_SIZE (${maxQueueSize}). Lower the one, or raise the other.`,
    );
  }
  return {
    maxQueueSize,
    maxExportBatchSize,
    scheduledDelayMillis: config.OTEL_BSP_SCHEDULE_DELAY,
    exportTimeoutMillis: config.OTEL_BSP_EXPORT_TIMEOUT,
  };
}

/** The variable of its own wins over the attribute, but its default does not. */
function serviceNameOf({ OTEL_SERVICE_NAME }: TracingVariables, attributes: Readonly<Record<string, string>>): string {
  return OTEL_SERVICE_NAME === 'rookery' ? (attributes['service.name'] ?? OTEL_SERVICE_NAME) : OTEL_SERVICE_NAME;
}
