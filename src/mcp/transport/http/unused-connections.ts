import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds that a connection made while the server stops has for its first request. */
const GRACE_MS = 500;

/**
 * Connections over which no request has come yet. Clients and balancers open them in advance; to Node they are not
 * idle, so a server that stops would wait for each of them until its request times out.
 */
export class UnusedConnections {
  private readonly sockets = new Set<Socket>();
  private draining = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      if (this.draining) setTimeout(() => this.closeUnused(), GRACE_MS).unref();
    });
    server.on('request', ({ socket }: IncomingMessage) => this.sockets.delete(socket));
  }

  /** Closes them, and those that still come. */
  drain(): void {
    this.draining = true;
    this.closeUnused();
  }

  private closeUnused(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
