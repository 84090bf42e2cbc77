import { Redis } from 'ioredis';
import { type RedisServer, type RedisServerOptions, startRedisServer } from './redis-server.js';
import { until } from './server-process.js';

export interface RedisSentinel {
  readonly url: string;
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly RedisServer[];
  close(): Promise<void>;
}

const MASTER = 'rookery-master';

export interface RedisSentinelOptions extends Pick<RedisServerOptions, 'tls'> {
  /** Sentinels. Default 1. */
  readonly count?: 1 | 3;
}

/** Starts a master, a replica that has caught up, and sentinels that know both and each other. */
export async function startRedisSentinel(options: RedisSentinelOptions = {}): Promise<RedisSentinel> {
  const { count = 1, ...access } = options;
  const servers: RedisServer[] = [];
  const start = async (more: RedisServerOptions): Promise<RedisServer> => {
    const args = ['--tls-replication', access.tls ? 'yes' : 'no', ...(more.args ?? [])];
    const server = await startRedisServer({ ...access, ...more, args });
    servers.push(server);
    return server;
  };
  const close = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.close())));
  try {
    const master = await start({ args: ['--repl-diskless-sync-delay', '0'] });
    const replica = await start({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
    await until(async () => /master_link_status:up/.test(await ask(replica, 'INFO', 'replication')), 'the replica');
    const sentinels = await Promise.all(
      Array.from({ length: count }, () => start(sentinelOptions(master.port, count))),
    );
    await Promise.all(sentinels.map((sentinel) => until(() => knowsAll(sentinel, count), 'the sentinels')));
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join();
    const scheme = access.tls ? 'rediss+sentinel' : 'redis+sentinel';
    return { url: `${scheme}://${hosts}/${MASTER}`, master, replica, sentinels, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** In milliseconds: a master that does not answer for so long is down; so long, at most, until the next attempt. */
const TIMES = { down: 500, failover: 3_000 };

function sentinelOptions(masterPort: number, count: number): RedisServerOptions {
  const config = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} ${Math.floor(count / 2) + 1}`,
    `sentinel down-after-milliseconds ${MASTER} ${TIMES.down}`,
    `sentinel failover-timeout ${MASTER} ${TIMES.failover}`,
  ];
  return { config, args: ['--sentinel'] };
}

async function ask<T = string>(server: RedisServer, command: string, ...args: string[]): Promise<T> {
  const client = new Redis(server.port, '127.0.0.1', {
    ...server.clientOptions,
    lazyConnect: true,
    retryStrategy: null,
  });
  client.on('error', () => undefined);
  try {
    return (await client.call(command, ...args)) as T;
  } finally {
    client.disconnect();
  }
}

async function knowsAll(sentinel: RedisServer, count: number): Promise<boolean> {
  const replicas = await ask<string[][]>(sentinel, 'SENTINEL', 'REPLICAS', MASTER);
  const others = await ask<string[][]>(sentinel, 'SENTINEL', 'SENTINELS', MASTER);
  return replicas.length === 1 && others.length === count - 1 && fields(replicas[0]!)['master-link-status'] === 'ok';
}

function fields(flat: readonly string[]): Record<string, string> {
  return Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1]!]] : [])));
}
