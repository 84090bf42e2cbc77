import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { RedisChangeBus } from '../../../src/mcp/session/redis/redis-change-bus.js';
import { type RedisClients, createRedisClients } from '../../../src/mcp/session/redis/redis-clients.js';
import { RedisKeys } from '../../../src/mcp/session/redis/redis-keys.js';
import { RedisMailbox } from '../../../src/mcp/session/redis/redis-mailbox.js';
import { ReplicaLink, type ReplicaLinkOptions } from '../../../src/mcp/session/redis/replica-link.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };
/** A beat comes with the start, and then never again. */
const NEVER_MS = 24 * 60 * 60_000;

export interface ReplicaOptions extends Partial<ReplicaLinkOptions> {
  /** How many changes the bus can look back. */
  readonly capacity?: number;
  readonly askRetentionMs?: number;
  /** How long the mailbox goes on trying to register a question. */
  readonly patienceMs?: number;
  readonly logger?: typeof SILENT;
}

/** What a process has of the bus and the mailbox, over the connections it has in production. */
export class Replica {
  readonly bus: RedisChangeBus;
  readonly mailbox: RedisMailbox;

  constructor(
    readonly link: ReplicaLink,
    private readonly clients: RedisClients,
    { capacity = 1_000, askRetentionMs = 60_000, patienceMs = 10_000, logger = SILENT }: ReplicaOptions,
  ) {
    this.bus = new RedisChangeBus(link, { capacity, logger });
    this.mailbox = new RedisMailbox(link, { askRetentionMs, patienceMs });
  }

  async start(): Promise<void> {
    await this.clients.connect();
    await this.link.start();
    await this.bus.start();
  }

  /** Messages to this replica are lost from now on. */
  async deafen(): Promise<void> {
    await this.clients.subscriber.unsubscribe(this.link.keys.everyone, this.link.keys.inbox(this.link.id));
  }

  async hearAgain(): Promise<void> {
    await this.clients.subscriber.subscribe(this.link.keys.everyone, this.link.keys.inbox(this.link.id));
  }

  async close(): Promise<void> {
    await this.link.close();
    await this.clients.close();
  }
}

/** Replicas that share a Redis and have their keys to themselves. */
export class Replicas implements AsyncDisposable {
  readonly keyPrefix = `test:${randomUUID()}:`;
  /** For looking and meddling. */
  readonly admin: Redis;
  readonly #all: Replica[] = [];

  constructor(private readonly url: string) {
    this.admin = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    this.admin.on('error', () => undefined);
  }

  /** Not yet started. */
  make(options: ReplicaOptions = {}): Replica {
    const clients = createRedisClients({ url: this.url, commandTimeoutMs: 500 }, { onError: () => undefined });
    const link = new ReplicaLink(clients, {
      keyPrefix: this.keyPrefix,
      logger: SILENT,
      beatMs: NEVER_MS,
      // Not even after the start: a sweep comes when a test has it come, or asks for some.
      sweepMs: 0,
      ...options,
    });
    const replica = new Replica(link, clients, options);
    this.#all.push(replica);
    return replica;
  }

  async add(options?: ReplicaOptions): Promise<Replica> {
    const replica = this.make(options);
    for (const sessionId of ['s1', 's2']) await this.createSession(sessionId);
    await replica.start();
    return replica;
  }

  /** Cuts every connection to the server that hears messages, and lets none back in while the work is done. */
  async withoutSubscribers(work: () => Promise<void>): Promise<void> {
    await this.admin.config('SET', 'maxclients', 1);
    try {
      await this.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await work();
    } finally {
      await this.admin.config('SET', 'maxclients', 10_000);
    }
  }

  /** What the mailbox needs to know of a session: that it exists, and which requests are running. */
  async createSession(sessionId: string, ...running: (string | number)[]): Promise<string> {
    const key = new RedisKeys(this.keyPrefix).session(sessionId);
    const marks = running.flatMap((id) => [`r:${JSON.stringify(id)}`, 'a replica']);
    await this.admin.hset(key, 'owner', 'ada', ...marks);
    return key;
  }

  /** Names of all keys of sessions but those of their records, less the prefix. */
  async sessionKeys(): Promise<string[]> {
    const found: string[] = [];
    for await (const batch of this.admin.scanStream({ match: `${this.keyPrefix}{s*` })) {
      found.push(...(batch as string[]));
    }
    const names = found.map((key) => key.slice(this.keyPrefix.length));
    return names.filter((name) => !name.endsWith(':session')).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((replica) => replica.close()));
    this.admin.disconnect();
  }
}
