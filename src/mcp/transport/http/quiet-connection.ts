import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Bytes that are taken from a client before the stream that it listens to has ended. */
const MAX_WAITING = 64 * 1024;

/** Node's parser of what comes over a connection. None of this has a public name. */
interface Parser {
  readonly incoming: IncomingMessage | null;
  readonly _consumed?: boolean;
  /** What is wrong if nothing more comes: nothing, between two requests. Asking changes nothing. */
  finish(): Error | undefined;
  remove(): void;
  close(): void;
}

type HttpServer = Server & { readonly httpAllowHalfOpen?: boolean };
type HttpSocket = Socket & {
  readonly server?: HttpServer;
  readonly _paused?: boolean;
  parser?: Parser | null;
  [QUIET]?: QuietConnection | undefined;
};
type Listener = (...given: unknown[]) => void;

/**
 * A connection over which a stream is open. Its client listens and has nothing to say, while Node keeps a parser for what
 * it might say: 10 KiB in Node 24, more than there is of all else. So it is let go of, and Node makes another one for the
 * first request after the stream. A request that comes before waits for the end of the stream, as its answer would.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.3.2
 */
export class QuietConnection {
  private streamHasEnded = false;
  /** What has come too early. */
  private waiting: Buffer[] | undefined;

  private constructor(
    private readonly server: HttpServer,
    private readonly socket: HttpSocket,
  ) {}

  /**
   * Lets go of the parser, if it is between two requests, and nobody but Node listens to the connection, by the names that
   * Node has for what it needs: elsewhere all stays as it is. To be called when no parser is at work.
   */
  static of({ socket, req }: ServerResponse): QuietConnection | undefined {
    const { parser, server } = (socket ?? {}) as HttpSocket;
    if (!socket || !parser || !server || !isAsNodeMadeIt(socket, server)) return undefined;
    if (!isBetweenRequests(socket, parser, req)) return undefined;
    // At this, Node has the parser read no longer from the system, past the socket.
    socket.on('data', heard);
    if (parser._consumed) {
      socket.off('data', heard);
      return undefined;
    }
    const connection = new QuietConnection(server, socket);
    connection.takeOver(parser);
    return connection;
  }

  /** The stream has ended, and may have taken the connection with it. */
  streamEnded(): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    this.streamHasEnded = true;
    if (this.waiting) this.giveBack(this.waiting);
  }

  /** True while nothing is under way on it. */
  get isIdle(): boolean {
    return this.streamHasEnded;
  }

  /** Breaks it off. */
  destroy(): void {
    this.socket.destroy();
  }

  /** @internal */
  hear(chunk: Buffer): void {
    const waiting = (this.waiting ??= []);
    waiting.push(chunk);
    if (this.streamHasEnded) this.giveBack(waiting);
    else if (waiting.reduce((size, { length }) => size + length, 0) >= MAX_WAITING) this.socket.pause();
  }

  /** @internal */
  leave(): void {
    const { server, socket } = this;
    quietOf(server).delete(this);
    socket[QUIET] = undefined;
    socket.off('data', heard).off('end', endToo).off('close', leave);
  }

  private takeOver(parser: Parser): void {
    const { server, socket } = this;
    forget(socket, 'data');
    forget(socket, 'end');
    socket[QUIET] = this;
    socket.parser = null;
    socket.on('end', endToo).on('close', leave);
    quietOf(server).add(this);
    dispose(parser);
  }

  /** Has Node listen as to a new connection. */
  private giveBack(waiting: readonly Buffer[]): void {
    const { server, socket } = this;
    this.leave();
    for (const event of ['close', 'drain', 'error', 'timeout'] as const) forget(socket, event);
    // It was that of waiting for a request.
    socket.setTimeout(0);
    // What is done for the requests to come does not belong to whatever has ended the stream.
    outside(() => {
      listenerOf(server, 'connection', CONNECTION)?.call(server, socket);
      if (socket.isPaused()) socket.resume();
      socket.unshift(Buffer.concat(waiting));
    });
  }
}

const QUIET = Symbol('quiet connection');
const outside = AsyncLocalStorage.snapshot();

function heard(this: HttpSocket, chunk: Buffer): void {
  this[QUIET]?.hear(chunk);
}

function leave(this: HttpSocket): void {
  this[QUIET]?.leave();
}

/** As Node does. */
function endToo(this: Socket): void {
  this.end();
}

const quiet = new WeakMap<Server, Set<QuietConnection>>();

/** Those of a server. It does not know of them any more when it is told to close its connections. */
function quietOf(server: Server): Set<QuietConnection> {
  const known = quiet.get(server);
  if (known) return known;
  const connections = new Set<QuietConnection>();
  quiet.set(server, connections);
  const closeAll = server.closeAllConnections.bind(server);
  server.closeAllConnections = () => {
    closeAll();
    for (const connection of connections) connection.destroy();
  };
  const closeIdle = server.closeIdleConnections.bind(server);
  server.closeIdleConnections = () => {
    closeIdle();
    for (const connection of connections) if (connection.isIdle) connection.destroy();
  };
  return connections;
}

/** What Node listens with. */
const CONNECTION = 'connectionListener';
const NODES_OWN = {
  data: 'bound socketOnData',
  end: 'bound socketOnEnd',
  close: 'bound socketOnClose',
  drain: 'bound socketOnDrain',
  error: 'socketOnError',
  timeout: 'socketOnTimeout',
};

function listenerOf(emitter: EventEmitter, event: string, name: string): Listener | undefined {
  return emitter.listeners(event).find((listener) => listener.name === name) as Listener | undefined;
}

function forget(socket: Socket, event: keyof typeof NODES_OWN): void {
  const listener = listenerOf(socket, event, NODES_OWN[event]);
  if (listener) socket.off(event, listener);
}

function isAsNodeMadeIt(socket: Socket, server: HttpServer): boolean {
  if (socket.listenerCount('data') !== 1 || socket.listenerCount('readable') > 0) return false;
  // Its requests would be counted anew; and a half of it is never left open.
  if (server.maxRequestsPerSocket || server.httpAllowHalfOpen) return false;
  if (!listenerOf(server, 'connection', CONNECTION)) return false;
  return Object.entries(NODES_OWN).every(([event, name]) => listenerOf(socket, event, name));
}

function isBetweenRequests(socket: HttpSocket, parser: Parser, req: IncomingMessage): boolean {
  if (!req.complete || socket._paused !== false || socket.isPaused()) return false;
  // A further request may have come already, or a part of it.
  return (parser.incoming === req || parser.incoming === null) && parser.finish() === undefined;
}

function dispose(parser: Parser): void {
  parser.remove();
  parser.close();
  // Node still has it, and it all else.
  const parts = parser as unknown as Record<string, unknown>;
  for (const name of Object.keys(parts)) parts[name] = null;
}
