import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { LoggerService } from '@nestjs/common';
import { within } from '../../protocol/within.js';

/** A port that serves health and metrics alone. */
export interface ManagementOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** Default `127.0.0.1`. It may be one that others can reach: nothing here needs credentials, nor changes anything. */
  readonly host?: string;
}

interface Answer {
  readonly status: number;
  readonly contentType?: string;
  readonly body: unknown;
}

interface ManagementServerParts extends ManagementOptions {
  /** What answers at a path, if anything does. */
  readonly find: (path: string) => (() => Answer | Promise<Answer>) | undefined;
  readonly logger: Pick<LoggerService, 'error'>;
}

/** Limits for a few probes and scrapers that all send some hundred bytes. */
const LIMITS = { headersTimeout: 5_000, requestTimeout: 5_000, maxHeaderSize: 8 * 1024, keepAliveTimeout: 5_000 };
const MAX_CONNECTIONS = 500;
/** From this many on, connections that only wait for a next request make room for others. */
const CROWDED = 100;
/** Requests that may wait on one connection, since a client may send on without reading. */
const MAX_WAITING = 8;
/** Milliseconds for which a connection may stand still with an answer on it. */
const STALLED_MS = 30_000;
/** Milliseconds until an answer is given up. */
const ANSWER_MS = 5_000;
/** Milliseconds for answers that are on their way when the server closes. */
const LAST_ANSWERS_MS = 500;

/**
 * Answers a few fixed paths on a port of its own, beside the server of the application: that one is not there yet while
 * the start goes on, and answers 503 to everything once it closes. It hands nothing on to Nest or Fastify, so no
 * spelling of an address leads to the MCP endpoint.
 *
 * It does not keep the process alive.
 */
export class ManagementServer {
  private readonly server: Server;
  private closing = false;
  /** What is being answered, by path: however many ask, it is looked up once at a time. */
  private readonly answers = new Map<string, Promise<Answer>>();
  private readonly waiting = new WeakMap<Socket, number>();
  private connections = 0;

  constructor(private readonly parts: ManagementServerParts) {
    const options = { ...LIMITS, connectionsCheckingInterval: 1_000 };
    this.server = createServer(options, (request, response) => void this.handle(request, response));
    this.server.maxConnections = MAX_CONNECTIONS;
    this.server.setTimeout(STALLED_MS);
    this.server.on('connection', (socket: Socket) => {
      this.connections += 1;
      socket.once('close', () => (this.connections -= 1));
      if (this.connections > CROWDED) this.server.closeIdleConnections();
    });
  }

  /** Where it listens, as `http://127.0.0.1:9464`; undefined if it does not. */
  get url(): string | undefined {
    const address = this.server.address() as AddressInfo | null;
    if (!address) return undefined;
    return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  }

  /** @throws Error that says which port cannot be had, and why */
  async listen(): Promise<void> {
    const { port } = this.parts;
    // As in a URL, or bare.
    const host = (this.parts.host ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1');
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (cause: NodeJS.ErrnoException) =>
        reject(
          new Error(
            `The management port ${port} of ${host} cannot be listened on (${cause.code ?? cause.message}). ` +
              (isOfThePort(cause)
                ? 'Choose another one (MANAGEMENT_PORT), or end what uses it.'
                : 'Choose an address of this machine (MANAGEMENT_HOST).'),
            { cause },
          ),
        ),
      );
      this.server.listen(port, host, resolve);
    });
    this.server.unref();
    // From here on an error of the listener, such as too many open files, is not the end of the process.
    this.server.removeAllListeners('error').on('error', (error) => {
      this.parts.logger.error('The management port had an error.', error);
    });
  }

  /** Lets what is being answered come to its end, for a moment. Never rejects. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    this.closing = true;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    const timer = setTimeout(() => this.server.closeAllConnections(), LAST_ANSWERS_MS);
    await closed;
    clearTimeout(timer);
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    if (!this.takes(request.socket, response)) return;
    const [path = ''] = (request.url ?? '').split('?', 1);
    const handler = this.parts.find(path);
    if (!handler) return this.send(response, { status: 404, body: NOT_FOUND });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return this.send(response, { status: 405, body: METHOD_NOT_ALLOWED });
    }
    try {
      this.send(response, await this.answerOf(path, handler));
    } catch (error) {
      this.parts.logger.error(`${path} could not be answered on the management port.`, error);
      this.send(response, { status: 500, body: FAILED });
    }
  }

  /** Whether a connection may ask for one more; it is broken off if it may not. */
  private takes(socket: Socket, response: ServerResponse): boolean {
    const waiting = (this.waiting.get(socket) ?? 0) + 1;
    if (waiting > MAX_WAITING) {
      socket.destroy();
      return false;
    }
    this.waiting.set(socket, waiting);
    response.once('close', () => this.waiting.set(socket, (this.waiting.get(socket) ?? 1) - 1));
    return true;
  }

  private answerOf(path: string, handler: () => Answer | Promise<Answer>): Promise<Answer> {
    const pending = this.answers.get(path);
    if (pending) return pending;
    const answer = within(ANSWER_MS, handler(), tooLate).finally(() => this.answers.delete(path));
    this.answers.set(path, answer);
    return answer;
  }

  private send(response: ServerResponse, { status, contentType = JSON_TYPE, body }: Answer): void {
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    // What came with a request that is refused is not read.
    if (this.closing || status === 404 || status === 405) response.setHeader('connection', 'close');
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': bytes.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(bytes);
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';
const NOT_FOUND = { statusCode: 404, error: 'Not Found', message: 'This port serves health and metrics alone.' };
const METHOD_NOT_ALLOWED = { statusCode: 405, error: 'Method Not Allowed', message: 'Send GET.' };
const FAILED = { statusCode: 500, error: 'Internal Server Error', message: 'It failed; see the log.' };

function isOfThePort({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EADDRINUSE' || code === 'EACCES';
}

function tooLate(): never {
  throw new Error(`There was no answer within ${ANSWER_MS} ms.`);
}
