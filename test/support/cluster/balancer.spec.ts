import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sseEvents } from '../wire.js';
import { Balancer, findNginx } from './balancer.js';
import { freePort } from '../free-port.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: { close(): unknown }[] = [];

/** An HTTP server whose requests are counted. */
class Backend {
  requests = 0;

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start(handler: Handler): Promise<Backend> {
    const server = createServer((request, response) => {
      backend.requests += 1;
      handler(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const backend = new Backend(server, `127.0.0.1:${(server.address() as AddressInfo).port}`);
    servers.push({ close: () => backend.close() });
    return backend;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }
}

const says =
  (status: number, name: string): Handler =>
  (request, response) => {
    void text(request).then((body) => response.writeHead(status, { 'retry-after': '7' }).end(`${name} ${body}`));
  };

describe.skipIf(!findNginx())('the balancer of the cluster tests', () => {
  let balancer: Balancer;
  beforeAll(async () => {
    balancer = await Balancer.start();
  });
  afterAll(() => balancer.close());
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  const post = (body = 'hello'): Promise<Response> => fetch(balancer.url, { method: 'POST', body });

  it('sends each request to any of the replicas', async () => {
    const backends = await Promise.all(['a', 'b', 'c'].map((name) => Backend.start(says(200, name))));
    await balancer.setReplicas(backends.map(({ address }) => address));

    await Promise.all(Array.from({ length: 90 }, () => post()));

    // The chance that one of them got fewer than 10 is one in millions.
    expect(backends.filter(({ requests }) => requests >= 10)).toHaveLength(3);
  });

  it('passes a POST on when the connection was refused', async () => {
    const alive = await Backend.start(says(200, 'alive'));
    await balancer.setReplicas([alive.address, `127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]);

    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await post()).text()));

    expect(new Set(answers)).toEqual(new Set(['alive hello']));
  });

  it('passes a POST that was answered with 503 on, with its body, to one that has not answered so', async () => {
    const [busy, alive] = [await Backend.start(says(503, 'busy')), await Backend.start(says(200, 'alive'))];
    await balancer.setReplicas([busy.address, alive.address]);
    const body = 'x'.repeat(3_000_000);

    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await post(body)).text()));

    expect(answers.every((answer) => answer === `alive ${body}`)).toBe(true);
    expect(busy.requests).toBeGreaterThan(0);
  });

  it('gives up after the third 503, and passes on what the last one says', async () => {
    const backends = await Promise.all(['a', 'b', 'c'].map((name) => Backend.start(says(503, name))));
    await balancer.setReplicas(backends.map(({ address }) => address));

    const response = await post();

    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.text()).toMatch(/^[abc] hello$/);
    expect(backends.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
  });

  it('never passes on a POST that may have been executed', async () => {
    let received = 0;
    const rude = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        received += 1;
        socket.destroy();
      });
    }).listen(0, '127.0.0.1');
    await once(rude, 'listening');
    servers.push(rude);
    const alive = await Backend.start(says(200, 'alive'));
    await balancer.setReplicas([`127.0.0.1:${(rude.address() as AddressInfo).port}`, alive.address]);

    const responses = await Promise.all(Array.from({ length: 30 }, () => post()));

    expect(received).toBeGreaterThan(0);
    expect(received + alive.requests).toBe(30);
    expect(responses.filter(({ status }) => status === 502)).toHaveLength(received);
  });

  it('passes events on as they come', async () => {
    const gates: (() => void)[] = [];
    const streaming = await Backend.start((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      gates.push(() => response.end('data: 2\n\n'));
    });
    await balancer.setReplicas([streaming.address]);

    const events = sseEvents(await post());
    const first = await events.next();
    gates[0]?.();

    expect(first.value?.data).toBe('1');
    expect((await events.next()).value?.data).toBe('2');
    expect(await events.next()).toMatchObject({ done: true });
  });

  it('lets streams go on, and fails no request, while replicas come and go', async () => {
    const end: (() => void)[] = [];
    const streaming = await Backend.start((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      end.push(() => response.end('data: 2\n\n'));
    });
    await balancer.setReplicas([streaming.address]);
    const events = sseEvents(await post());
    await events.next();
    const [a, b] = [await Backend.start(says(200, 'a')), await Backend.start(says(200, 'b'))];
    await balancer.setReplicas([a.address]);

    let over = false as boolean;
    const statuses = new Map<string, number>();
    const load = Array.from({ length: 4 }, async () => {
      while (!over) {
        const outcome = await post().then(
          async (response) => (await response.text()) && String(response.status),
          (error: unknown) => String((error as Error).cause),
        );
        statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1);
      }
    });
    for (const replicas of [[b], [a, b], [a], [b]]) await balancer.setReplicas(replicas.map(({ address }) => address));
    over = true;
    await Promise.all(load);
    const before = a.requests;
    await Promise.all(Array.from({ length: 10 }, () => post()));
    end[0]?.();

    expect([...statuses.keys()]).toEqual(['200']);
    expect(a.requests).toBe(before);
    expect((await events.next()).value?.data).toBe('2');
  });
});
