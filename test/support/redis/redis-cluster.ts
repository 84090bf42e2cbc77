import { Redis } from 'ioredis';
import { type RedisServer, type RedisServerOptions, startRedisServer } from './redis-server.js';
import { freePort } from '../free-port.js';
import { until } from './server-process.js';

export interface RedisCluster {
  readonly url: string;
  /** The masters. */
  readonly nodes: readonly RedisServer[];
  close(): Promise<void>;
}

const SLOTS = 16_384;

/** Starts a cluster of three masters that share all slots, without replicas. */
export async function startRedisCluster(options: Pick<RedisServerOptions, 'tls'> = {}): Promise<RedisCluster> {
  const started = await Promise.allSettled([startNode(options), startNode(options), startNode(options)]);
  const nodes = started.flatMap((node) => (node.status === 'fulfilled' ? [node.value] : []));
  const close = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.server.close())));
  try {
    for (const node of started) if (node.status === 'rejected') throw node.reason;
    await join(nodes);
    const servers = nodes.map(({ server }) => server);
    const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join();
    return { url: `${options.tls ? 'rediss' : 'redis'}+cluster://${hosts}`, nodes: servers, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Node {
  readonly server: RedisServer;
  /** Port on which the nodes talk to each other. */
  readonly busPort: number;
}

async function startNode(options: Pick<RedisServerOptions, 'tls'>): Promise<Node> {
  // The default, port + 10000, can be taken or beyond the last.
  const busPort = await freePort();
  const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '2000'];
  if (options.tls) args.push('--tls-cluster', 'yes');
  return { server: await startRedisServer({ ...options, args }), busPort };
}

async function join(nodes: readonly Node[]): Promise<void> {
  const clients = nodes.map(({ server }) => new Redis(server.port, '127.0.0.1', server.clientOptions));
  try {
    const [first, ...others] = nodes;
    await Promise.all(
      clients.map((client, index) => {
        const [from, to] = [index, index + 1].map((part) => Math.floor((part * SLOTS) / nodes.length));
        return client.call('CLUSTER', 'ADDSLOTSRANGE', from!, to! - 1);
      }),
    );
    // A node that met another has its epoch; without one each, they settle it among themselves much later.
    await Promise.all(clients.map((client, index) => client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)));
    for (const { server, busPort } of others) {
      await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
    }
    await Promise.all(
      clients.map((client, index) =>
        until(
          async () => {
            const info = String(await client.call('CLUSTER', 'INFO'));
            const slots = (await client.call('CLUSTER', 'SLOTS')) as unknown[];
            return /cluster_state:ok/.test(info) && slots.length === nodes.length;
          },
          `the cluster, at node ${index + 1} beside ${first!.server.port}`,
        ),
      ),
    );
  } finally {
    for (const client of clients) client.disconnect();
  }
}
