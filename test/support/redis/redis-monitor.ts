import { once } from 'node:events';
import { type Socket, connect } from 'node:net';

export interface MonitoredCommand {
  /** Of the client, such as `127.0.0.1:41234`; `lua` if a script inside of the server sent it. */
  readonly source: string;
  /** The name of the command first, as the client wrote it. */
  readonly args: readonly string[];
}

/**
 * What is sent to a Redis server, as its MONITOR sees it. It has a connection of its own and not that of ioredis, which
 * takes a command that comes together with the answer to MONITOR for an answer nobody waits for, and throws.
 */
export class RedisMonitor implements Disposable {
  private text = '';

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('utf8').on('data', (part: string) => (this.text += part));
  }

  /** What is sent after this has resolved is seen. */
  static async start(url: string): Promise<RedisMonitor> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const monitor = new RedisMonitor(socket);
    socket.write('MONITOR\r\n');
    await once(socket, 'data');
    return monitor;
  }

  /** All so far, in their order. MONITOR is behind the answers: wait for what you expect. */
  get commands(): MonitoredCommand[] {
    const complete = this.text.split('\r\n').slice(0, -1);
    return complete.flatMap((line) => {
      const [, source, args] = /^\+[\d.]+ \[\d+ ([^\]]+)\] (.*)$/.exec(line) ?? [];
      if (source === undefined || args === undefined) return [];
      return [{ source, args: Array.from(args.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, arg]) => arg ?? '') }];
    });
  }

  /** What clients sent themselves, less what scripts did. */
  get sentByClients(): MonitoredCommand[] {
    return this.commands.filter(({ source }) => source !== 'lua');
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
