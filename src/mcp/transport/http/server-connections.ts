import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { UnusedConnections } from './unused-connections.js';

/** What a server that stops does with its connections. Each step can be taken again without harm. */
export class ServerConnections {
  private readonly unused: UnusedConnections;
  private readonly responses = new Set<ServerResponse>();
  private closing = false;

  constructor(private readonly server: Server) {
    this.unused = new UnusedConnections(server);
    // Before Fastify hears of the request, since it may answer within the same turn.
    server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      if (this.closing) sayClose(response);
      this.responses.add(response);
      response.once('close', () => this.responses.delete(response));
    });
  }

  /** From now on every response says `Connection: close`, so that clients and balancers go elsewhere with the next. */
  announceClose(): void {
    this.closing = true;
    for (const response of this.responses) sayClose(response);
  }

  /** Takes no further connections. Requests that come over those there are are still served. */
  closeListener(): void {
    // Not what http.Server makes of it: that also breaks off idle connections, on which a request may be on its way.
    if (this.server.listening) NetServer.prototype.close.call(this.server);
  }

  /** Closes the connections over which no request has come yet, and those that still come. */
  closeUnused(): void {
    this.unused.drain();
  }

  /** Breaks off whatever is left. */
  cutAll(): void {
    this.server.closeAllConnections();
  }
}

function sayClose(response: ServerResponse): void {
  // HTTP/2 has no such header.
  if (!response.headersSent && response.req.httpVersionMajor < 2) response.setHeader('connection', 'close');
}
