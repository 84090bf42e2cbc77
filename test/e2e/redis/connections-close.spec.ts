import { once } from 'node:events';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { findRedisServer } from '../../support/redis/find-redis-server.js';
import { create, open, start } from '../../support/redis/opened-clients.js';

const clusterUrl = inject('redisClusterUrl') ?? '';
const hasServer = findRedisServer() !== undefined;

describe('close', () => {
  /** Timers and sockets that keep the process alive. */
  const held = (): number =>
    process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|TCP|TLS|GetAddrInfo/.test(name)).length;

  /** @param withinMs for timers of ioredis' own that nothing can clear */
  const expectNothingHeld = async (use: () => Promise<void>, withinMs = 0): Promise<void> => {
    const before = held();
    await use();
    const deadline = performance.now() + withinMs;
    while (held() > before && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20).unref());
    }
    expect(held()).toBeLessThanOrEqual(before);
  };

  /** Takes connections, and never answers. */
  const silentServer = async (): Promise<{ readonly port: number; readonly sockets: readonly Socket[] }> => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: (server.address() as AddressInfo).port, sockets };
  };

  it('ends clients that never connected', async () => {
    await expectNothingHeld(async () => {
      const clients = create({ url: 'redis://127.0.0.1:1' });
      await clients.close();
      await clients.close();
      await clients.connect();
      await expect(clients.commands.ping()).rejects.toThrow('Connection is closed.');
    });
  });

  it.each([
    ['redis://127.0.0.1:1', 0],
    // A sentinel's connection is given two seconds to end, even one that has.
    ['redis+sentinel://127.0.0.1:1/main', 2_500],
    ['redis+cluster://127.0.0.1:1,127.0.0.1:2', 300],
  ])('ends clients of %s, where nothing is', async (url, withinMs) => {
    await expectNothingHeld(async () => {
      const clients = await open({ url });
      await eventually(() => expect(clients.errors.length).toBeGreaterThan(5));
      await clients.close();
      await expect(clients.commands.ping()).rejects.toThrow();
    }, withinMs);
  });

  it.each([
    ['redis', 0],
    ['redis', 1],
    ['redis+cluster', 0],
    ['redis+cluster', 1],
  ])('ends clients of %s, with %i connections that wait for an answer', async (scheme, count) => {
    const { port, sockets } = await silentServer();
    const clients = create({ url: `${scheme}://127.0.0.1:${port}`, commandTimeoutMs: 60_000 });
    const connecting = clients.connect();
    await eventually(() => expect(sockets.length).toBeGreaterThanOrEqual(count));
    await clients.close();
    await connecting;
    expect(clients.commands.status).not.toBe('ready');
  });

  it('tells no error of a connection that is being made', async () => {
    const { port } = await silentServer();
    const clients = create({ url: `redis://127.0.0.1:${port}` });
    const connecting = clients.connect();
    // By then there is a socket, but not yet a connection.
    for (let tick = 0; tick < 3; tick += 1) await new Promise(process.nextTick);
    await clients.close();
    await connecting;
    expect(clients.errors).toEqual([]);
  });

  it.skipIf(!hasServer)('answers what is under way first', async () => {
    const server = await start();
    const clients = await open({ url: server.url });
    await server.kill('SIGSTOP');
    const pong = clients.commands.ping();
    const closing = clients.close();
    // Longer than a connection that is merely cut off is given.
    await delay(350);
    await server.kill('SIGCONT');
    expect(await pong).toBe('PONG');
    await closing;
  });

  it.skipIf(!hasServer)('ends clients of a server that hangs', async () => {
    const server = await start();
    await expectNothingHeld(async () => {
      const clients = await open({ url: server.url });
      await server.kill('SIGSTOP');
      await clients.close();
    });
  });

  it.skipIf(clusterUrl === '')('ends clients of a cluster', async () => {
    await expectNothingHeld(async () => {
      const clients = await open({ url: clusterUrl });
      await Promise.all(['a', 'b', 'c', 'd'].map((key) => clients.commands.get(key)));
      await clients.subscriber.subscribe('rookery:close');
      await clients.close();
      expect(clients.errors).toEqual([]);
    }, 300);
  });

  it.skipIf(!hasServer)('ends clients of a server that went away', async () => {
    const server = await start();
    await expectNothingHeld(async () => {
      const clients = await open({ url: server.url });
      await clients.subscriber.subscribe('rookery:a');
      await server.kill();
      await clients.close();
    });
  });
});
