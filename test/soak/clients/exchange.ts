import type { IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { type ServerSentEvent, SseParser } from '../../../src/mcp/testing/sse-parser.js';
import type { Json } from '../../support/wire.js';
import type { Failure, Ledger, Outcome, SentRequest } from '../ledger.js';
import { type HttpMessage, sendHttp } from './send-http.js';

/** Milliseconds in which an answer must begin, and one that is not a stream must have come. */
const ANSWER_MS = 30_000;
const SOME_OF_THE_BODY = 300;

export interface HttpRequest extends HttpMessage {
  /** Statuses that are right; default 200, 202 and 204. */
  readonly statuses?: readonly number[];
}

/** A request did not end well. It has been counted. */
export class RequestFailed extends Error {
  constructor(
    readonly request: SentRequest,
    readonly outcome: Outcome,
    failure: Failure,
  ) {
    super(`${request.what}: ${failure.detail}`);
    this.retryAfterMs = Number(failure.retryAfter ?? 1) * 1_000;
  }

  /** How long the server asks to wait. */
  readonly retryAfterMs: number;
}

/** A request and its answer. Settles the request in the ledger, once, however the answer ends. */
export class Exchange {
  private constructor(
    readonly request: SentRequest,
    /** Its body has been read, unless it is a stream. */
    readonly response: IncomingMessage,
    /** The body, unless it is a stream. */
    readonly text: string | undefined,
    private readonly connection: Connection,
  ) {}

  /** @throws RequestFailed when no answer comes, or one with a wrong status */
  static async begin(url: string, request: SentRequest, http: HttpRequest, ledger: Ledger): Promise<Exchange> {
    const { statuses = [200, 202, 204], signal, ...message } = http;
    const connection = new Connection(request, ledger, signal);
    const timer = setTimeout(() => connection.abort(new Error(`no answer in ${ANSWER_MS} ms`)), ANSWER_MS);
    try {
      const target = new URL(url);
      target.searchParams.set('r', String(request.seq));
      const response = await sendHttp(target, { ...message, signal: connection.signal });
      const { statusCode: status = 0, headers } = response;
      request.replica = Number(headers['x-replica'] ?? NaN) || undefined;
      if (status === 200 && headers['content-type']?.startsWith('text/event-stream')) {
        return new Exchange(request, response, undefined, connection);
      }
      const text = await textOf(response);
      if (statuses.includes(status)) {
        connection.end();
        return new Exchange(request, response, text, connection);
      }
      const detail = `${status} ${text.slice(0, SOME_OF_THE_BODY)}`;
      throw connection.fail({ status, retryAfter: headers['retry-after'], detail });
    } catch (cause) {
      throw cause instanceof RequestFailed ? cause : connection.fail({ detail: inWords(cause) });
    } finally {
      clearTimeout(timer);
    }
  }

  get isStream(): boolean {
    return this.text === undefined;
  }

  /** The JSON-RPC response, be it the body or the end of a stream. @throws RequestFailed when the stream breaks */
  async answer(): Promise<Json> {
    let last = this.text ?? '{}';
    if (this.isStream) for await (const { data } of this.events()) if (data !== '') last = data;
    return JSON.parse(last) as Json;
  }

  /** The stream, to its end. Whoever stops reading before that cuts the connection. @throws RequestFailed when it breaks */
  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.response) yield chunk as Uint8Array;
      this.connection.end();
    } catch (cause) {
      if (this.request.outcome === 'cut') return;
      throw this.connection.fail({ detail: `the stream broke: ${inWords(cause)}` });
    } finally {
      this.connection.cut();
    }
  }

  /** @throws RequestFailed when the stream breaks */
  async *events(): AsyncGenerator<ServerSentEvent> {
    const parser = new SseParser();
    for await (const chunk of this.chunks()) yield* parser.push(chunk);
  }

  /** Closes the connection, if the answer has not ended. */
  cut(): void {
    this.connection.cut();
  }
}

/** What a request can come to; the first of it counts. */
class Connection {
  private readonly controller = new AbortController();
  private readonly onAbort = (): void => this.cut();

  constructor(
    private readonly request: SentRequest,
    private readonly ledger: Ledger,
    private readonly wanted: AbortSignal | undefined,
  ) {
    wanted?.addEventListener('abort', this.onAbort);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  abort(reason: Error): void {
    this.controller.abort(reason);
  }

  end(): void {
    this.ledger.settle(this.request, 'ok');
    this.release();
  }

  cut(): void {
    if (this.request.outcome === undefined) {
      this.ledger.settle(this.request, 'cut');
      this.controller.abort();
    }
    this.release();
  }

  fail(failure: Failure): RequestFailed {
    this.release();
    return new RequestFailed(this.request, this.ledger.fail(this.request, failure), failure);
  }

  private release(): void {
    this.wanted?.removeEventListener('abort', this.onAbort);
  }
}

function inWords(error: unknown): string {
  const { message, cause, code } = error as Error & { code?: string };
  return [message, code, cause === undefined ? undefined : inWords(cause)].filter((part) => part).join(', ');
}
