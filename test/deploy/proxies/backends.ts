import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Three = [number, number, number];

/** Three servers that are healthy and answer each POST with a status of their own, followed by its body. */
export class Backends implements AsyncDisposable {
  /** How many each of them got. */
  readonly posts: Three = [0, 0, 0];

  private constructor(private readonly servers: Server[]) {}

  static async start(statuses: Three): Promise<Backends> {
    const backends = new Backends([]);
    for (const [index, status] of statuses.entries()) {
      const server = createServer((request, response) => {
        if (request.method !== 'POST') return void response.end('healthy');
        backends.posts[index] = (backends.posts[index] ?? 0) + 1;
        void text(request).then((body) => response.writeHead(status, { 'retry-after': '7' }).end(`${status} ${body}`));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      backends.servers.push(server);
    }
    return backends;
  }

  get ports(): Three {
    return this.servers.map((server) => (server.address() as AddressInfo).port) as Three;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}
