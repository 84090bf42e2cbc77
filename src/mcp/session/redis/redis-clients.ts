import { type Cluster, Redis } from 'ioredis';
import { FailFastCluster } from './fail-fast-cluster.js';
import {
  addressOptions,
  checkTlsCa,
  clientOptions,
  clusterOptions,
  silenceMs,
  tlsOptions,
} from './redis-client-options.js';
import { RedisConnection } from './redis-connection.js';
import type { RedisOptions } from './redis-options.js';
import { flushOncePerTurn } from './flush-once-per-turn.js';
import { RedisSubscriber } from './redis-subscriber.js';
import { type ClusterTarget, type RedisTarget, parseRedisUrl } from './redis-url.js';
import { withoutArguments } from './without-arguments.js';

export type RedisClientRole = 'commands' | 'subscriber';

export interface RedisHooks {
  /** Something is wrong with a connection, which is being made again. Told at each attempt. */
  readonly onError: (error: Error, which: RedisClientRole) => void;
}

/** The two connections of a process: one that subscribes cannot be waited on for anything else. */
export interface RedisClients {
  /**
   * A command fails within about the command timeout, at once while there is no connection, and never runs twice. One
   * that timed out may have run, or may still.
   */
  readonly commands: Redis | Cluster;
  /** Keeps what was subscribed, even when `subscribe` failed because Redis was away. One connection, of a cluster too. */
  readonly subscriber: Redis;
  /** Resolves when both are ready or the first attempt has failed; they go on trying then. Never rejects. */
  connect(): Promise<void>;
  /** Never rejects; takes a second or two at most when the server does not answer. */
  close(): Promise<void>;
}

/**
 * The clients, not yet connected. Names of keys and channels are the caller's to prefix.
 * @throws Error when the options are not usable
 */
export function createRedisClients(options: RedisOptions, hooks: RedisHooks): RedisClients {
  const target = parseRedisUrl(options.url);
  checkTlsCa(target, options);
  let closed = false;
  const onError = (error: Error, which: RedisClientRole): void => {
    if (!closed) hooks.onError(error, which);
  };
  const { clients, connections } =
    target.kind === 'cluster'
      ? clusterClients(target, options, { onError })
      : standaloneClients(target, options, { onError });
  return {
    ...clients,
    async connect() {
      // In this order: by then the nodes of a cluster are known.
      await connections.commands.connect();
      await connections.subscriber.connect();
    },
    async close() {
      closed = true;
      await Promise.all([connections.commands.close(), connections.subscriber.close()]);
    },
  };
}

interface Made {
  readonly clients: Pick<RedisClients, 'commands' | 'subscriber'>;
  readonly connections: { readonly commands: RedisConnection; readonly subscriber: RedisConnection };
}

function standaloneClients(
  target: Exclude<RedisTarget, ClusterTarget>,
  options: RedisOptions,
  { onError }: RedisHooks,
): Made {
  const address = addressOptions(target, options);
  const commands = new Redis({
    ...clientOptions(target, options, 'rookery-commands'),
    ...address,
    enableOfflineQueue: false,
  });
  commands.on('connect', () => flushOncePerTurn(commands.stream));
  const subscriber = new RedisSubscriber({ ...clientOptions(target, options, 'rookery-subscriber'), ...address });
  commands.on('error', (error: Error) => onError(forOperators(error), 'commands'));
  subscriber.on('error', (error: Error) => onError(forOperators(error), 'subscriber'));
  const heartbeatMs = silenceMs(options);
  return {
    clients: { commands, subscriber },
    connections: {
      commands: new RedisConnection(commands, { heartbeatMs }),
      subscriber: new RedisConnection(subscriber, { heartbeatMs }),
    },
  };
}

/**
 * Every node of a cluster hears what is published at any. The subscriber is an ordinary client on one of them, since
 * that of ioredis' Cluster has no timeouts, cannot be pinged and, with all nodes away, tries again without a pause.
 */
function clusterClients(target: ClusterTarget, options: RedisOptions, { onError }: RedisHooks): Made {
  const commands = new FailFastCluster(
    target.nodes.map((node) => ({ ...node })),
    { ...clusterOptions(options), redisOptions: clientOptions(target, options, 'rookery-commands') },
  );
  commands.on('+node', (node: Redis) => node.on('connect', () => flushOncePerTurn(node.stream)));
  const subscriber = new RedisSubscriber(clientOptions(target, options, 'rookery-subscriber'));
  // That no node could be reached; what is wrong with each has been told by then.
  commands.on('error', () => undefined);
  commands.on('node error', (error: Error, node: string) => {
    onError(new Error(`${node}: ${error.message}`, { cause: withoutArguments(error) }), 'commands');
  });
  subscriber.on('error', (error: Error) => onError(withoutArguments(error), 'subscriber'));
  commands.on('-node', ({ options: node }: Redis) => {
    // A node that has left the cluster hears nothing any more, but does not say so.
    if (subscriber.status === 'ready' && isAt(subscriber, node)) subscriber.disconnect(true);
  });

  const beforeConnect = (): void => {
    const known = commands.nodes().map(({ options: { host = '', port = 0 } }) => ({ host, port }));
    const nodes = known.length > 0 ? known : target.nodes;
    const others = nodes.filter((node) => !isAt(subscriber, node));
    const { host, port } = oneOf(others.length > 0 ? others : nodes);
    // ioredis reads these whenever it connects.
    Object.assign(subscriber.options, { host, port, ...(target.tls && { tls: tlsOptions(options, host) }) });
  };
  const heartbeatMs = silenceMs(options);
  return {
    clients: { commands, subscriber },
    connections: {
      commands: new RedisConnection(commands, { heartbeatMs }),
      subscriber: new RedisConnection(subscriber, { heartbeatMs, beforeConnect }),
    },
  };
}

function oneOf<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)]!;
}

function isAt(client: Redis, { host, port }: Redis['options']): boolean {
  return client.options.host === host && client.options.port === port;
}

/** ioredis keeps to itself what is wrong with a sentinel, and does not know that it will be connected again. */
function forOperators(error: Error): Error {
  if (!error.message.startsWith('All sentinels are unreachable')) return withoutArguments(error);
  return new Error('No sentinel can be used: check their addresses, and passwords and CA if they need them.', {
    cause: withoutArguments(error),
  });
}
