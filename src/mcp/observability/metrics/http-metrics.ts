import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { statusOfUnreadable } from '../../transport/http/unreadable-requests.js';
import { watchRequests } from '../../transport/http/watch-requests.js';
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

type ByStatus = Map<number, HistogramSeries>;

/** Measures HTTP requests: those of MCP, and whatever else the application serves. */
export class HttpMetrics {
  private readonly durations: BoundHistogram;
  /** By route, method and status. */
  private readonly series = new Map<string, Map<string, ByStatus>>();

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
    // One listener for all of them.
    const answered = (response: Measured): void => this.answered(response);
    function finished(this: Measured): void {
      answered(this);
    }
    watchRequests(fastify, {
      began: (response: Measured, route) => {
        response[BEGUN] = performance.now();
        // What nobody serves has none.
        response[ROUTE] = route ?? OTHER;
        response.on('finish', finished);
      },
    });
    // What Node's parser refuses does not become a request. A socket that is broken may be heard of several times.
    const refused = new WeakSet<object>();
    fastify.server.on('clientError', (error: Error, socket) => {
      const status = refused.has(socket) ? undefined : statusOfUnreadable(error);
      refused.add(socket);
      if (status !== undefined) this.seriesOf(OTHER, OTHER, status).observe(0);
    });
  }

  private answered(response: Measured): void {
    if (isEventStream(response)) return;
    const { [BEGUN]: begun = 0, [ROUTE]: route = OTHER, req, statusCode } = response;
    this.seriesOf(route, req.method ?? OTHER, statusCode).observe((performance.now() - begun) / 1_000);
  }

  private seriesOf(route: string, verb: string, status: number): HistogramSeries {
    const method = METHODS.has(verb) ? verb : OTHER;
    let methods = this.series.get(route);
    if (!methods) this.series.set(route, (methods = new Map<string, ByStatus>()));
    let statuses = methods.get(method);
    if (!statuses) methods.set(method, (statuses = new Map<number, HistogramSeries>()));
    let series = statuses.get(status);
    if (!series) {
      series = this.durations.series({
        http_request_method: method,
        http_route: route,
        http_response_status_code: String(status),
      });
      statuses.set(status, series);
    }
    return series;
  }
}

const BEGUN = Symbol('begun');
const ROUTE = Symbol('route');
type Measured = ServerResponse & { [BEGUN]?: number; [ROUTE]?: string };

function isEventStream(response: ServerResponse): boolean {
  const type = response.getHeader('content-type');
  return typeof type === 'string' && type.startsWith('text/event-stream');
}
