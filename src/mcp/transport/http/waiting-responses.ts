import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Responses that wait for their turn behind others on their connection (HTTP pipelining).
 *
 * When the connection goes, Node 20 tells only the one whose turn it was: for the others it would be as if their client
 * were still there, so their calls would run on, and their streams count as open for ever. Later releases of Node tell
 * them, too.
 */
export class WaitingResponses {
  private readonly behind = new Map<Socket, Set<ServerResponse>>();

  constructor(private readonly server: Pick<Server, 'timeout'>) {}

  add(socket: Socket, response: ServerResponse): void {
    const { behind } = this;
    let waiting = behind.get(socket);
    if (!waiting) behind.set(socket, (waiting = new Set()));
    waiting.add(response);
    // From now on Node tells it.
    response.once('socket', () => {
      // The time that the reader of the one before had is not for the call whose answer comes next.
      socket.setTimeout(this.server.timeout);
      waiting.delete(response);
      if (waiting.size === 0) behind.delete(socket);
    });
  }

  /** A connection is gone. */
  lost(socket: Socket): void {
    const waiting = this.behind.get(socket);
    if (!waiting) return;
    this.behind.delete(socket);
    // Node's own word, if it has one for them, comes first.
    process.nextTick(() => waiting.forEach(close));
  }
}

/** What Node does with the one whose turn it was. */
function close(response: ServerResponse): void {
  if (response.closed) return;
  response.destroy();
  // What `closed` reads.
  Object.assign(response, { _closed: true });
  response.emit('close');
}
