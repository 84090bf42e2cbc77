import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { type LinkClients, ReplicaLink, type ReplicaLinkOptions } from '../../../src/mcp/session/redis/replica-link.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };
/**
 * Short enough that a test can wait for a replica to be gone, long enough that one on a busy machine is not taken for
 * gone, nor for deaf. A sweep comes when a test has it come, or asks for some: not even after the start otherwise.
 */
const TIMES = { beatMs: 200, aliveMs: 2_000, sweepMs: 0 };

/** Links of several replicas that share a Redis and have its keys to themselves. */
export class TestReplicas {
  readonly links: ReplicaLink[] = [];
  readonly clients: LinkClients[] = [];
  /** For looking and meddling. */
  readonly redis: Redis;

  constructor(
    private readonly url: string,
    readonly keyPrefix = `test:${randomUUID()}:`,
  ) {
    this.redis = new Redis(url);
  }

  async add(linkOptions: Partial<ReplicaLinkOptions> = {}): Promise<ReplicaLink> {
    // The link subscribes again itself; ioredis would, and leave nobody to hear that it failed.
    const options = { retryStrategy: () => 20, maxRetriesPerRequest: 0, autoResubscribe: false };
    const client = (): Redis => new Redis(this.url, options);
    const clients = { commands: client(), subscriber: client() };
    const link = new ReplicaLink(clients, { keyPrefix: this.keyPrefix, logger: SILENT, ...TIMES, ...linkOptions });
    this.links.push(link);
    this.clients.push(clients);
    await link.start();
    return link;
  }

  /** What the adapters other than the store need of a session: that it exists. */
  async createSession(sessionId: string): Promise<void> {
    await this.redis.hset(this.links[0]!.keys.session(sessionId), 'owner', 'ada');
  }

  /** Messages to the replica are lost from now on. */
  async muteSubscriber(index: number): Promise<void> {
    const { keys, id } = this.links[index]!;
    await this.clients[index]!.subscriber.unsubscribe(keys.everyone, keys.inbox(id));
  }

  async unmuteSubscriber(index: number): Promise<void> {
    const { keys, id } = this.links[index]!;
    await this.clients[index]!.subscriber.subscribe(keys.everyone, keys.inbox(id));
  }

  /** The replica is gone from one moment to the next, as after SIGKILL. */
  async crash(index: number): Promise<void> {
    const { commands, subscriber } = this.clients[index]!;
    commands.disconnect();
    subscriber.disconnect();
    await this.links[index]!.close();
  }

  async close(): Promise<void> {
    for (const link of this.links) await link.close();
    for (const { commands, subscriber } of this.clients) {
      commands.disconnect();
      subscriber.disconnect();
    }
    const keys = await this.redis.keys(`${this.keyPrefix}*`);
    if (keys.length > 0) await this.redis.del(...keys);
    this.redis.disconnect();
  }
}

export async function testReplicas(
  url: string,
  count: number,
  { keyPrefix, ...options }: Partial<ReplicaLinkOptions> = {},
): Promise<TestReplicas> {
  const replicas = new TestReplicas(url, keyPrefix);
  try {
    for (let i = 0; i < count; i += 1) await replicas.add(options);
    return replicas;
  } catch (error) {
    await replicas.close();
    throw error;
  }
}
