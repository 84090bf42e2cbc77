import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { findOpenssl, makeCertificates } from '../../support/redis/certificates.js';
import { ACL, type Opened, admin, hears, open, start, works } from '../../support/redis/opened-clients.js';
import { type RedisCluster, startRedisCluster } from '../../support/redis/redis-cluster.js';
import type { RedisServer } from '../../support/redis/redis-server.js';
import { freePort } from '../../support/free-port.js';
import { makeDirectory, removeDirectory } from '../../support/redis/server-process.js';

const url = inject('redisClusterUrl') ?? '';

/** Hash tags whose slots lie on different nodes, for enough of them. */
const TAGS = Array.from({ length: 60 }, (_, index) => `rookery:{${index}}`);

const allWork = async ({ commands }: Opened): Promise<void> =>
  eventually(async () => {
    const answers = await Promise.all(TAGS.map((key) => commands.set(key, '1')));
    expect(answers.every((answer) => answer === 'OK')).toBe(true);
  });

describe.skipIf(url === '')('a Redis Cluster', () => {
  it('takes commands for all nodes as soon as it is connected', async () => {
    const { commands, errors } = await open({ url });
    const keys = TAGS.map((tag) => `${tag}:${randomUUID()}`);
    await Promise.all(keys.map((key, index) => commands.set(key, index, 'PX', 60_000)));
    expect(await Promise.all(keys.map((key) => commands.get(key)))).toEqual(TAGS.map((_, index) => String(index)));
    expect(new Set((commands as Cluster).nodes('master').filter(({ status }) => status === 'ready')).size).toBe(3);
    expect(errors).toEqual([]);
  });

  it('is found by any of its nodes, beside one that is away', async () => {
    const [known] = url.replace('redis+cluster://', '').split(',');
    const clients = await open({ url: `redis+cluster://127.0.0.1:1,${known}` });
    await allWork(clients);
  });

  it('is found by names', async () => {
    const clients = await open({ url: url.replaceAll('127.0.0.1', 'localhost') });
    await allWork(clients);
  });

  it.skipIf(!findOpenssl())('speaks TLS with every node', async () => {
    const dir = await makeDirectory();
    onTestFinished(() => removeDirectory(dir));
    const tls = await makeCertificates(dir);
    const cluster = await startRedisCluster({ tls });
    onTestFinished(() => cluster.close());
    const clients = await open({ url: cluster.url.replaceAll('127.0.0.1', 'localhost'), tlsCa: tls.ca });
    await clients.subscriber.subscribe('rookery:a');
    await allWork(clients);
    for (const node of cluster.nodes) await hears(clients, admin(node), 'rookery:a');
    const stranger = await open({ url: cluster.url });
    expect(stranger.errors.map(({ error }) => error.message)).toContainEqual(expect.stringMatching(/certificate/));
    await expect(stranger.commands.ping()).rejects.toThrow();
  });

  it('tells its subscriber what is published at any node', async () => {
    const clients = await open({ url });
    const channel = `rookery:${randomUUID()}`;
    await clients.subscriber.subscribe(channel);
    for (const node of (clients.commands as Cluster).nodes('master')) await hears(clients, node, channel);
    expect((clients.commands as Cluster).nodes('master')).toHaveLength(3);
  });

  it('runs scripts, which publish', async () => {
    const clients = await open({ url });
    const channel = `rookery:${randomUUID()}`;
    await clients.subscriber.subscribe(channel);
    clients.commands.defineCommand('tell', { lua: `return redis.call('PUBLISH', ARGV[1], KEYS[1])`, numberOfKeys: 1 });
    const tell = Reflect.get(clients.commands, 'tell') as (...args: string[]) => Promise<unknown>;
    await Promise.all(TAGS.slice(0, 9).map((key) => tell.call(clients.commands, key, channel)));
    await eventually(() => expect([...clients.heard].sort()).toEqual(TAGS.slice(0, 9).sort()));
  });
});

describe.skipIf(url === '')('a Redis Cluster that loses nodes', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await startRedisCluster();
    return () => cluster.close();
  });

  const nodeOf = (client: Redis): RedisServer => cluster.nodes.find(({ port }) => port === client.options.port)!;
  const othersOf = (node: RedisServer): RedisServer[] => cluster.nodes.filter((other) => other !== node);

  it('is content with a user who can reach nothing but its own names', async () => {
    for (const node of cluster.nodes) await admin(node).call('ACL', 'SETUSER', 'rookery', ...ACL);
    const clients = await open({ url: cluster.url, username: 'rookery', password: 'secret' });
    await clients.subscriber.subscribe('rookery:all');
    await allWork(clients);
    await hears(clients, clients.commands, 'rookery:all');
    for (const node of cluster.nodes) expect(await admin(node).call('ACL', 'LOG')).toEqual([]);
    expect(clients.errors).toEqual([]);
  });

  it('fails commands for a node that is away, hears on at another, and works again once it is back', async () => {
    const clients = await open({ url: cluster.url });
    await clients.subscriber.subscribe('rookery:a');
    await allWork(clients);
    const lost = nodeOf(clients.subscriber);
    await lost.kill();
    await eventually(() => expect(Promise.all(TAGS.map((key) => clients.commands.get(key)))).rejects.toThrow());
    await hears(clients, admin(othersOf(lost)[0]!), 'rookery:a');
    await lost.restart();
    await allWork(clients);
  });

  it('does not keep a start waiting while it is down, and hears meanwhile', async () => {
    const nodes = cluster.nodes.map(admin);
    for (const node of nodes) await node.call('CLUSTER', 'DELSLOTS', 0);
    await eventually(async () => {
      for (const node of nodes) expect(await node.call('CLUSTER', 'INFO')).toContain('cluster_state:fail');
    });
    const clients = await open({ url: cluster.url });
    await expect(clients.commands.get('rookery:a')).rejects.toThrow('not connected');
    await clients.subscriber.subscribe('rookery:a');
    await hears(clients, nodes[0]!, 'rookery:a');
    await nodes[0]!.call('CLUSTER', 'ADDSLOTS', 0);
    await allWork(clients);
  });

  it('is not what one server is that belongs to none', async () => {
    const node = await start({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())] });
    const clients = await open({ url: `redis+cluster://127.0.0.1:${node.port}` });
    await expect(clients.commands.get('rookery:a')).rejects.toThrow('not connected');
    await clients.close();
    expect(clients.commands.status).toBe('end');
  });

  it('works again after all nodes were away', async () => {
    const clients = await open({ url: cluster.url });
    await clients.subscriber.subscribe('rookery:a');
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await eventually(() => expect(clients.commands.get('rookery:{1}')).rejects.toThrow('not connected'));
    await Promise.all(cluster.nodes.map((node) => node.restart()));
    await allWork(clients);
    await hears(clients, clients.commands, 'rookery:a');
  });

  it('never runs a command twice', async () => {
    const clients = await open({ url: cluster.url, commandTimeoutMs: 150 });
    await allWork(clients);
    const counter = 'rookery:{1}:counter';
    await clients.commands.set(counter, '0');
    await Promise.all(cluster.nodes.map((node) => node.kill('SIGSTOP')));
    const lost = (clients.commands as Cluster)
      .nodes('master')
      .map((node) => new Promise((end) => node.once('end', end)));
    await expect(clients.commands.incr(counter)).rejects.toThrow('Command timed out');
    await Promise.race(lost);
    await Promise.all(cluster.nodes.map((node) => node.kill('SIGCONT')));
    await allWork(clients);
    // ioredis would send it again after a tenth of a second.
    await delay(300);
    expect(await clients.commands.get(counter)).toBe('1');
  });

  it('is heard at another node when the subscriber’s has left it', async () => {
    const clients = await open({ url: cluster.url });
    await clients.subscriber.subscribe('rookery:a');
    await works(clients);
    const left = nodeOf(clients.subscriber);
    const [heir] = othersOf(left);
    const [from, to] = await slotsOf(left);
    for (const node of [...othersOf(left), left]) await admin(node).call('CLUSTER', 'DELSLOTSRANGE', from, to);
    await admin(heir!).call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    // MOVED makes the client look where the slots are now.
    await eventually(async () => {
      await allWork(clients);
      expect(nodeOf(clients.subscriber)).not.toBe(left);
      expect(clients.subscriber.status).toBe('ready');
    });
    await hears(clients, admin(heir!), 'rookery:a');
  });

  async function slotsOf({ port }: RedisServer): Promise<[number, number]> {
    const ranges = (await admin(cluster.nodes[0]!).call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    const [from, to] = ranges.find(([, , [, at]]) => at === port)!;
    return [from, to];
  }
});
