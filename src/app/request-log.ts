import { AsyncLocalStorage } from 'node:async_hooks';
import { hash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import {
  type ObservedOperation,
  type OperationEnd,
  type OperationWatch,
  type ServerObserver,
  type TraceIds,
  activeTraceIds,
  shownMethod,
  watchRequests,
} from '../index.js';
import { safeText } from './log-redaction.js';
import { MANAGEMENT_PATHS } from './management-paths.js';
import { SafeLine, safeName } from './safe-line.js';

/** Operations that have ended when their stream has begun. */
const STREAMS: ReadonlySet<string> = new Set(['GET', 'subscriptions/listen']);
/** What a proxy may have called a request. */
const REQUEST_ID = /^[\w.:-]{1,64}$/;
/** Hexadecimal digits: enough to tell the sessions of a day apart, too few to guess one. */
const SESSION_DIGITS = 12;

/** All that a line can say: nothing that a caller has sent. */
class Line extends SafeLine {
  declare mcp_method?: string;
  declare era?: string;
  declare capability_kind?: string;
  declare capability?: string;
  declare stream?: 'opened' | 'closed';
  declare outcome?: string;
  declare rule?: string;
  declare code?: number;
  declare duration_ms?: number;
  declare trace_id?: string;
  declare span_id?: string;
  declare http_method?: string;
  declare http_route?: string;
  declare http_status?: number;
  declare aborted?: true;
  declare session?: string;
  declare request_id?: string;

  static of(...fields: readonly Readonly<Partial<Line>>[]): Line {
    return Object.assign(new Line(), ...fields) as Line;
  }
}

export interface RequestLogOptions {
  /** Whether operations run within spans of ours, whose ids their lines are to have. Default false. */
  readonly traced?: boolean;
}

/**
 * Writes a line for every request: what was asked, by its registered name, what came of it, and how long it took. Who
 * asked and with which arguments is the audit's business, and in no line.
 *
 * It hears of operations as an observer, and of their HTTP requests as it watches them; both meet in the asynchronous
 * context of the request. Without HTTP, or once the connection has gone, an operation is logged by itself.
 */
export class RequestLog implements ServerObserver {
  readonly readsHeaders = false;
  private readonly exchanges = new AsyncLocalStorage<Exchange>();
  private readonly logger = new Logger('Requests');
  private readonly write = (line: Line): void => {
    line.msg = messageOf(line);
    this.logger.log(line);
  };
  private readonly Watch: typeof LoggedOperation;

  constructor({ traced = false }: RequestLogOptions = {}) {
    this.Watch = traced ? TracedOperation : LoggedOperation;
  }

  /** Has to be done before the application listens. */
  watch(fastify: FastifyInstance): void {
    watchRequests(fastify, {
      began: (response, route = '_other') => {
        // They are asked every few seconds, and tell nothing.
        if (MANAGEMENT_PATHS.test(route)) return;
        response[EXCHANGE] = new Exchange(response, route, this.write);
        // Not its end, which a client that leaves a stream does not bring about.
        response.on('close', closeExchange);
      },
      run: (response, work) => {
        const exchange = response[EXCHANGE];
        if (exchange) this.exchanges.run(exchange, work);
        else work();
      },
    });
  }

  operation(operation: ObservedOperation): OperationWatch {
    const exchange = this.exchanges.getStore();
    exchange?.begins();
    return new this.Watch(operation, exchange, this.write);
  }
}

class LoggedOperation implements OperationWatch {
  /** Of whatever else traces the process, until more is known. */
  protected ids = activeTraceIds();

  constructor(
    private readonly operation: ObservedOperation,
    private readonly exchange: Exchange | undefined,
    private readonly write: (line: Line) => void,
  ) {}

  ended(end: OperationEnd): void {
    const line = lineOf(this.operation, end, this.ids);
    if (this.exchange) this.exchange.ended(line);
    else this.write(line);
  }
}

class TracedOperation extends LoggedOperation {
  run<T>(work: () => T): T {
    this.ids = activeTraceIds();
    return work();
  }
}

const EXCHANGE = Symbol('exchange');
declare module 'node:http' {
  interface ServerResponse {
    [EXCHANGE]?: Exchange;
  }
}

function closeExchange(this: ServerResponse): void {
  this[EXCHANGE]?.close();
}

/** One HTTP request, and the operations that came of it: none, one, or those of a batch. */
class Exchange {
  private readonly begun = performance.now();
  private readonly waiting: Line[] = [];
  private operations = 0;
  private stream: Pick<Line, 'mcp_method' | 'era'> | undefined;
  private closed = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly route: string,
    private readonly write: (line: Line) => void,
  ) {}

  begins(): void {
    this.operations += 1;
  }

  ended(line: Line): void {
    const { mcp_method, era } = line;
    if (this.closed) this.log(line);
    else if (mcp_method !== undefined && STREAMS.has(mcp_method) && this.isStream()) {
      this.stream = { mcp_method, ...(era !== undefined && { era }) };
      this.log(Line.of(line, { stream: 'opened' }));
    } else this.waiting.push(line);
  }

  close(): void {
    this.closed = true;
    for (const line of this.waiting) this.log(line);
    this.waiting.length = 0;
    const duration_ms = rounded(performance.now() - this.begun);
    if (this.stream) this.log(Line.of(this.stream, { stream: 'closed', outcome: 'ok', duration_ms }));
    else if (this.operations === 0) this.log(Line.of({ duration_ms }));
  }

  /** @param line is given to it, to be written with what is known of the request */
  private log(line: Line): void {
    const { response: raw } = this;
    const { method, headers } = raw.req;
    line.http_method = method ?? '';
    line.http_route = this.route;
    if (raw.headersSent) line.http_status = raw.statusCode;
    if (this.closed && !raw.writableFinished) line.aborted = true;
    const session = headers['mcp-session-id'] ?? raw.getHeader('mcp-session-id');
    if (typeof session === 'string' && session !== '') line.session = digest(session);
    const requestId = headers['x-request-id'];
    if (typeof requestId === 'string' && REQUEST_ID.test(requestId)) line.request_id = safeText(requestId);
    this.write(line);
  }

  private isStream(): boolean {
    const { response: raw } = this;
    return raw.headersSent && String(raw.getHeader('content-type')).startsWith('text/event-stream');
  }
}

function lineOf({ method, era }: ObservedOperation, end: OperationEnd, ids: TraceIds | undefined): Line {
  const { capability, failure = 'ok', decision, rule, code, durationMs } = end;
  const line = new Line();
  // A request that is refused before its message is read has no method but that of HTTP.
  if (method !== 'POST') line.mcp_method = shownMethod(method);
  if (era) line.era = era;
  if (capability) {
    line.capability_kind = capability.kind;
    line.capability = safeName(capability.key);
  }
  line.outcome = failure;
  if (decision !== 'allow') line.rule = safeName(rule);
  if (code !== undefined) line.code = code;
  line.duration_ms = rounded(durationMs);
  if (ids) {
    line.trace_id = ids.trace_id;
    line.span_id = ids.span_id;
  }
  return line;
}

/** For people: the fields say the same. */
function messageOf({ mcp_method, capability, stream, outcome, http_method, http_route, http_status }: Line): string {
  const came = stream ?? outcome ?? http_status ?? 'aborted';
  if (mcp_method === undefined)
    return http_method === undefined ? `: ${came}` : `${http_method} ${http_route}: ${came}`;
  return capability === undefined ? `${mcp_method}: ${came}` : `${mcp_method} ${capability}: ${came}`;
}

/** By which the lines of one session are found, and nothing else can be done. */
function digest(sessionId: string): string {
  return hash('sha256', sessionId, 'hex').slice(0, SESSION_DIGITS);
}

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
