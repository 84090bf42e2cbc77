import { z } from 'zod';
import { LOG_LEVELS } from './log-levels.js';
import { flag, integer } from './variable-types.js';

/** The longest that a timer of Node.js runs. */
const MAX_MS = 2 ** 31 - 1;

/** A URL. The parser of URLs would leave out line breaks, wherever they stand. */
const address = z.string().trim().regex(/^\S*$/, 'must be a URL without blanks and line breaks').pipe(z.url());

/** What whoever runs the platform sees of it. */
export const OPERATION_VARIABLES = {
  MANAGEMENT_PORT: integer(0, 65_535)
    .optional()
    .describe('TCP port that serves /health and /metrics alone; without it they are on PORT. 0 picks a free one.'),
  MANAGEMENT_HOST: z.string().min(1).optional().describe('Address of MANAGEMENT_PORT. Without it that is HOST.'),
  METRICS_ENABLED: flag.default(true).describe('Whether /metrics is served.'),
  LOG_LEVEL: z
    .enum(LOG_LEVELS)
    .default('info')
    .describe(`Least level that is logged: ${LOG_LEVELS.join(', ')}.`),
  LOG_LEVELS: z
    .string()
    .transform((text) => text.split(',').map((entry) => entry.trim()))
    .pipe(
      z.array(
        z
          .string()
          .regex(
            new RegExp(`^[\\w.:-]+=(${LOG_LEVELS.join('|')})$`),
            'must be like Auth=debug,Sessions=warn, with the levels of LOG_LEVEL',
          ),
      ),
    )
    .default([])
    .describe('Levels of single modules, as they stand in the log, such as Auth=debug,Sessions=warn.'),
  LOG_FORMAT: z
    .enum(['json', 'pretty', 'auto'])
    .default('auto')
    .describe('json, pretty, or auto: pretty on a terminal, json elsewhere.'),
  LOG_REQUESTS: flag.default(true).describe('Whether each request leaves a line in the log.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: address
    .optional()
    .describe('Base URL of an OTLP/HTTP receiver, such as http://collector:4318; turns tracing on.'),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: address
    .optional()
    .describe('URL that spans are sent to, if not /v1/traces of the base URL; turns tracing on.'),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .optional()
    .describe('Headers for the receiver, such as authorization=Bearer%20abc; comma-separated.'),
  OTEL_EXPORTER_OTLP_TIMEOUT: integer(100, MAX_MS)
    .default(10_000)
    .describe('Milliseconds until a batch of spans that the receiver does not take has failed.'),
  OTEL_BSP_SCHEDULE_DELAY: integer(10, MAX_MS)
    .default(5_000)
    .describe('Milliseconds that spans wait for others to be sent with.'),
  OTEL_BSP_EXPORT_TIMEOUT: integer(100, MAX_MS)
    .default(30_000)
    .describe('Milliseconds until the next batch is sent even if the last one is still on its way.'),
  OTEL_BSP_MAX_QUEUE_SIZE: integer(1, 1_000_000)
    .default(2_048)
    .describe('Spans that may wait; more are dropped, and counted.'),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: integer(1, 1_000_000)
    .default(512)
    .describe('Spans that are sent at a time, at most OTEL_BSP_MAX_QUEUE_SIZE.'),
  OTEL_SERVICE_NAME: z.string().default('rookery').describe('Name of the service in traces.'),
  OTEL_RESOURCE_ATTRIBUTES: z
    .string()
    .optional()
    .describe('Attributes of every span, such as deployment.environment.name=prod; comma-separated.'),
  OTEL_TRACES_SAMPLER: z
    .enum([
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ])
    .default('parentbased_always_on')
    .describe('Which requests are traced, as the OpenTelemetry specification names it.'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1')
    .optional()
    .describe('Share of requests that the ratio samplers trace, 0 to 1.'),
  OTEL_SDK_DISABLED: flag.default(false).describe('true turns tracing off.'),
};
