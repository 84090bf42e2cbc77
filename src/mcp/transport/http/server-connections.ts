import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { type PutOff, atEndOfTurn } from '../../protocol/end-of-turn.js';
import { UnusedConnections } from './unused-connections.js';
import { WaitingResponses } from './waiting-responses.js';

/** Milliseconds in which a request must come over a connection that was made just before no more were taken. */
const LAST_REQUESTS_MS = 250;

/** What a server that stops does with its connections. Each step can be taken again without harm. */
export class ServerConnections implements PutOff {
  private readonly unused: UnusedConnections;
  /** Of this turn; most are over when it ends. */
  private fresh: ServerResponse[] = [];
  /** Those that take longer, or whose readers do. */
  private readonly responses = new Set<ServerResponse>();
  private readonly waiting: WaitingResponses;
  /** One listener for all of them, which is told whose it is. */
  private readonly forget: (this: ServerResponse) => void;
  private closing = false;
  private open = 0;
  private whenNone: (() => void) | undefined;

  constructor(private readonly server: Server) {
    this.unused = new UnusedConnections(server);
    this.waiting = new WaitingResponses(server);
    const { responses } = this;
    this.forget = function () {
      responses.delete(this);
    };
    // One listener for all of them: each connection may be a stream that stays open and silent.
    const lost = (socket: Socket): void => this.lost(socket);
    function closed(this: Socket): void {
      lost(this);
    }
    server.on('connection', (socket: Socket) => {
      this.open += 1;
      socket.on('close', closed);
    });
    // Before Fastify hears of the request, since it may answer within the same turn.
    server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      if (this.closing) sayClose(response);
      if (response.socket === null) this.waiting.add(socket, response);
      if (this.fresh.length === 0) atEndOfTurn(this);
      this.fresh.push(response);
    });
  }

  /** From now on every response says `Connection: close`, so that clients and balancers go elsewhere with the next. */
  announceClose(): void {
    this.closing = true;
    for (const response of this.fresh) sayClose(response);
    for (const response of this.responses) sayClose(response);
  }

  /** @internal */
  endOfTurn(): void {
    const { fresh, responses } = this;
    this.fresh = [];
    for (const response of fresh) {
      if (response.closed) continue;
      responses.add(response);
      response.on('close', this.forget);
    }
  }

  /**
   * Takes no further connections. Requests that come over those there are are still served.
   * @returns resolves when the requests of the last ones have come, or do not come
   */
  async closeListener(): Promise<void> {
    // Right after Node has taken what the kernel had for it: whatever else waits there is reset by the close.
    await new Promise((resolve) => setImmediate(resolve));
    // Not what http.Server makes of it: that also breaks off idle connections, on which a request may be on its way.
    if (!this.server.listening) return;
    NetServer.prototype.close.call(this.server);
    await this.unused.used(LAST_REQUESTS_MS);
  }

  /**
   * Resolves when no connection is open any more, or after so many milliseconds: a client that keeps its connection may
   * be sending just now, and hears with the answer that it is to go elsewhere.
   */
  lastRequests(withinMs: number): Promise<void> {
    if (this.open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const patience = setTimeout(resolve, withinMs);
      this.whenNone = () => {
        clearTimeout(patience);
        resolve();
      };
    });
  }

  /**
   * Resolves when all answers that were given are on their way to their readers, or their connections gone. Node takes a
   * connection for idle as soon as its answer has been given, and would break it off in the middle of a long one.
   */
  async answered(): Promise<void> {
    const unread = [...this.fresh, ...this.responses].filter(({ writableEnded, closed }) => writableEnded && !closed);
    await Promise.all(unread.map((response) => new Promise((resolve) => response.once('close', resolve))));
  }

  /** Closes the connections over which no request has come yet, and those that still come. */
  closeUnused(): void {
    this.unused.drain();
  }

  /** Breaks off whatever is left. */
  cutAll(): void {
    this.server.closeAllConnections();
  }

  private lost(socket: Socket): void {
    this.open -= 1;
    if (this.open === 0) this.whenNone?.();
    this.waiting.lost(socket);
  }
}

function sayClose(response: ServerResponse): void {
  // HTTP/2 has no such header.
  if (!response.headersSent && response.req.httpVersionMajor < 2) response.setHeader('connection', 'close');
}
