import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { statusOfUnreadable } from '../../transport/http/unreadable-requests.js';
import { BoundHistogram, type HistogramSeries } from './bound-histogram.js';
import { OTHER } from '../method-names.js';

/** Seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** RFC 9110, section 9, and PATCH. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
]);

interface Answered {
  readonly method: string;
  readonly route: string;
  readonly status: number;
}

/** Measures HTTP requests: those of MCP, and whatever else the application serves. */
export class HttpMetrics {
  private readonly durations: BoundHistogram;
  private readonly series = new Map<string, HistogramSeries>();

  constructor(registry: Registry) {
    this.durations = new BoundHistogram({
      name: 'http_server_request_duration_seconds',
      help: 'Duration of HTTP requests that were answered, in seconds. Event streams are not in it.',
      buckets: BUCKETS,
      registry,
    });
  }

  /** To be called before the server listens. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      this.answered(request, reply);
      done();
    });
    // What Node's parser refuses does not become a request. A socket that is broken may be heard of several times.
    const refused = new WeakSet<object>();
    fastify.server.on('clientError', (error: Error, socket) => {
      const status = refused.has(socket) ? undefined : statusOfUnreadable(error);
      refused.add(socket);
      if (status !== undefined) this.observe({ method: OTHER, route: OTHER, status }, 0);
    });
  }

  private answered(request: FastifyRequest, reply: FastifyReply): void {
    if (isEventStream(reply)) return;
    const method = METHODS.has(request.method) ? request.method : OTHER;
    const route = request.is404 ? OTHER : (request.routeOptions.url ?? OTHER);
    this.observe({ method, route, status: reply.raw.statusCode }, reply.elapsedTime / 1_000);
  }

  private observe({ method, route, status }: Answered, seconds: number): void {
    const key = `${method} ${status} ${route}`;
    let series = this.series.get(key);
    if (!series) {
      series = this.durations.series({
        http_request_method: method,
        http_route: route,
        http_response_status_code: String(status),
      });
      this.series.set(key, series);
    }
    series.observe(seconds);
  }
}

function isEventStream({ raw }: FastifyReply): boolean {
  const type = raw.getHeader('content-type');
  return typeof type === 'string' && type.startsWith('text/event-stream');
}
