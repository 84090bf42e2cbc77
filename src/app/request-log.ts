import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type ObservedOperation,
  type OperationEnd,
  type OperationWatch,
  type ServerObserver,
  type TraceIds,
  activeTraceIds,
  shownMethod,
} from '../index.js';
import { safeText } from './log-redaction.js';
import { type SafeLine, asSafeLine, safeName } from './safe-line.js';

/** Operations that have ended when their stream has begun. */
const STREAMS: ReadonlySet<string> = new Set(['GET', 'subscriptions/listen']);
/** Routes that are asked every few seconds, and tell nothing. */
const UNLOGGED = /^\/(health|metrics)(\/|$)/;
/** What a proxy may have called a request. */
const REQUEST_ID = /^[\w.:-]{1,64}$/;
/** Hexadecimal digits: enough to tell the sessions of a day apart, too few to guess one. */
const SESSION_DIGITS = 12;

type Line = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Writes a line for every request: what was asked, by its registered name, what came of it, and how long it took. Who
 * asked and with which arguments is the audit's business, and in no line.
 *
 * It hears of operations as an observer, and of their HTTP requests as Fastify's hook; both meet in the asynchronous
 * context of the request. Without HTTP, or once the connection has gone, an operation is logged by itself.
 */
export class RequestLog implements ServerObserver {
  private readonly exchanges = new AsyncLocalStorage<Exchange>();
  private readonly logger = new Logger('Requests');
  private readonly write = (line: SafeLine): void => this.logger.log(asSafeLine(line));

  /** Has to be done before the application listens. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (request, reply, done) => {
      if (UNLOGGED.test(request.routeOptions.url ?? '')) return done();
      const exchange = new Exchange(request, reply, this.write);
      request.raw[EXCHANGE] = exchange;
      this.exchanges.run(exchange, done);
    });
    // What reads the body runs in a context of the connection, not of the request.
    fastify.addHook('preHandler', (request, _reply, done) => {
      const exchange = request.raw[EXCHANGE];
      if (exchange) this.exchanges.run(exchange, done);
      else done();
    });
  }

  operation({ method, era }: ObservedOperation): OperationWatch {
    const exchange = this.exchanges.getStore();
    exchange?.begins();
    let ids: TraceIds | undefined;
    return {
      run: (work) => {
        ids = activeTraceIds();
        return work();
      },
      ended: (end) => {
        const line = {
          // A request that is refused before its message is read has no method but that of HTTP.
          ...(method !== 'POST' && { mcp_method: shownMethod(method) }),
          ...(era && { era }),
          ...lineOf(end),
          ...ids,
        };
        if (exchange) exchange.ended(line);
        else this.write({ msg: messageOf(line), ...line });
      },
    };
  }
}

const EXCHANGE = Symbol('exchange');
declare module 'node:http' {
  interface IncomingMessage {
    [EXCHANGE]?: Exchange;
  }
}

/** One HTTP request, and the operations that came of it: none, one, or those of a batch. */
class Exchange {
  private readonly begun = performance.now();
  private readonly waiting: Line[] = [];
  private operations = 0;
  private stream: Line | undefined;
  private closed = false;

  constructor(
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    private readonly write: (line: SafeLine) => void,
  ) {
    // Not Fastify's onResponse, which a client that leaves a stream does not bring about.
    reply.raw.once('close', () => this.close());
  }

  begins(): void {
    this.operations += 1;
  }

  ended(line: Line): void {
    if (this.closed) this.log(line);
    else if (STREAMS.has(line['mcp_method'] as string) && this.isStream()) {
      this.stream = { mcp_method: line['mcp_method'], era: line['era'] };
      this.log({ ...line, stream: 'opened' });
    } else this.waiting.push(line);
  }

  private close(): void {
    this.closed = true;
    for (const line of this.waiting.splice(0)) this.log(line);
    const duration_ms = rounded(performance.now() - this.begun);
    if (this.stream) this.log({ ...this.stream, stream: 'closed', outcome: 'ok', duration_ms });
    else if (this.operations === 0) this.log({ duration_ms });
  }

  private log(line: Line): void {
    const { request, reply } = this;
    const session = request.headers['mcp-session-id'] ?? reply.raw.getHeader('mcp-session-id');
    const requestId = request.headers['x-request-id'];
    const isAborted = this.closed && !reply.raw.writableFinished;
    const fields = {
      ...line,
      http_method: request.method,
      http_route: request.is404 ? '_other' : (request.routeOptions.url ?? '_other'),
      ...(reply.raw.headersSent && { http_status: reply.raw.statusCode }),
      ...(isAborted && { aborted: true }),
      ...(typeof session === 'string' && session !== '' && { session: digest(session) }),
      ...(typeof requestId === 'string' && REQUEST_ID.test(requestId) && { request_id: safeText(requestId) }),
    };
    this.write({ msg: messageOf(fields), ...fields });
  }

  private isStream(): boolean {
    const { raw } = this.reply;
    return raw.headersSent && String(raw.getHeader('content-type')).startsWith('text/event-stream');
  }
}

function lineOf({ capability, failure, decision, rule, code, durationMs }: OperationEnd): Line {
  return {
    ...(capability && { capability_kind: capability.kind, capability: safeName(capability.key) }),
    outcome: failure ?? 'ok',
    ...(decision !== 'allow' && { rule: safeName(rule) }),
    ...(code !== undefined && { code }),
    duration_ms: rounded(durationMs),
  };
}

/** For people: the fields say the same. */
function messageOf(line: Line): string {
  const { mcp_method, capability, stream, outcome, http_method, http_route, http_status } = line;
  const what = mcp_method === undefined ? [http_method, http_route] : [mcp_method, capability];
  const came = [stream, outcome, http_status].find((part) => part !== undefined) ?? 'aborted';
  return `${what.filter((part) => part !== undefined).join(' ')}: ${came}`;
}

/** By which the lines of one session are found, and nothing else can be done. */
function digest(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('hex').slice(0, SESSION_DIGITS);
}

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
