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
  private whenUsed: (() => void) | undefined;

  constructor(server: Server) {
    const forget = (socket: Socket): void => this.forget(socket);
    function closed(this: Socket): void {
      forget(this);
    }
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', closed);
      if (this.draining) setTimeout(() => this.closeUnused(), GRACE_MS).unref();
    });
    server.on('request', ({ socket }: IncomingMessage) => {
      // None, as a rule: most connections have carried a request before.
      if (this.sockets.size > 0) this.forget(socket);
    });
  }

  /** Resolves when there are none, or after so many milliseconds. */
  used(withinMs: number): Promise<void> {
    if (this.sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const patience = setTimeout(resolve, withinMs);
      this.whenUsed = () => {
        clearTimeout(patience);
        resolve();
      };
    });
  }

  /** Closes them, and those that still come. */
  drain(): void {
    this.draining = true;
    this.closeUnused();
  }

  private forget(socket: Socket): void {
    this.sockets.delete(socket);
    if (this.sockets.size === 0) this.whenUsed?.();
  }

  private closeUnused(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
