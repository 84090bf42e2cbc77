import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import {
  type RedisClientRole,
  type RedisClients,
  createRedisClients,
} from '../../../src/mcp/session/redis/redis-clients.js';
import type { RedisOptions } from '../../../src/mcp/session/redis/redis-options.js';
import { eventually } from '../eventually.js';
import { type RedisServer, type RedisServerOptions, startRedisServer } from './redis-server.js';

/**
 * What a user needs, as the rules of ACL SETUSER: names that begin with the prefix, and commands that handle data,
 * scripts and channels. TIME is for scripts; INFO tells whether the server has loaded its data and is the master; the
 * last line is for a cluster. HELLO, AUTH and QUIT are everybody's.
 */
export const ACL = [
  ...['on', '>secret', 'resetkeys', '~rookery:*', 'resetchannels', '&rookery:*', '-@all'],
  ...['+@string', '+@hash', '+@set', '+@sortedset', '+@stream', '+@keyspace', '-@dangerous'],
  ...['+eval', '+evalsha', '+publish', '+subscribe', '+unsubscribe'],
  ...['+ping', '+time', '+info', '+select', '+client|setname'],
  ...['+cluster|slots', '+cluster|info', '+asking', '+readonly'],
];

export interface Opened extends RedisClients {
  readonly errors: { readonly which: RedisClientRole; readonly error: Error }[];
  /** What the subscriber heard. */
  readonly heard: string[];
}

export function create(options: RedisOptions): Opened {
  const errors: Opened['errors'] = [];
  const heard: string[] = [];
  const clients = createRedisClients(options, { onError: (error, which) => errors.push({ which, error }) });
  clients.subscriber.on('message', (_channel, message) => heard.push(message));
  onTestFinished(() => clients.close());
  return { ...clients, errors, heard };
}

export async function open(options: RedisOptions): Promise<Opened> {
  const clients = create(options);
  await clients.connect();
  return clients;
}

export async function start(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedisServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** Looks and meddles, as an operator would. */
export function admin({ port, clientOptions }: RedisServer): Redis {
  const client = new Redis(port, '127.0.0.1', clientOptions);
  onTestFinished(() => client.disconnect());
  return client;
}

export async function hears(clients: Opened, publisher: { publish: Redis['publish'] }, channel: string): Promise<void> {
  const message = `message ${Math.random()}`;
  await eventually(async () => {
    await publisher.publish(channel, message);
    expect(clients.heard).toContain(message);
  });
}

export const works = async ({ commands }: RedisClients): Promise<void> =>
  eventually(async () => expect(await commands.set('rookery:works', '1')).toBe('OK'));
