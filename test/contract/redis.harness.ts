import { randomUUID } from 'node:crypto';
import { RedisChangeBus } from '../../src/mcp/session/redis/redis-change-bus.js';
import { createRedisClients } from '../../src/mcp/session/redis/redis-clients.js';
import { RedisEventLog } from '../../src/mcp/session/redis/redis-event-log.js';
import { RedisMailbox } from '../../src/mcp/session/redis/redis-mailbox.js';
import { RedisSessionStore } from '../../src/mcp/session/redis/redis-session-store.js';
import { RedisTokenBuckets } from '../../src/mcp/session/redis/redis-token-buckets.js';
import { ReplicaLink } from '../../src/mcp/session/redis/replica-link.js';
import type { ChangeBusHarness, ChangeBusLimits } from './change-bus.contract.js';
import { Clock } from './clock.js';
import type { EventLogHarness, EventLogLimits } from './event-log.contract.js';
import type { MailboxHarness } from './mailbox.contract.js';
import type { SessionStoreHarness, SessionStoreLimits } from './session-store.contract.js';
import type { TokenBucketsHarness, TokenBucketsLimits } from './token-buckets.contract.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };
/** Listeners that throw are part of the contract; their errors are not of this suite's output. */
const onListenerError = (): void => undefined;
/** The sessions of the suites: streams and questions belong to sessions that exist. */
const SESSIONS = ['s', 's1', 's2', 's9'];

/** Two replicas on one Redis, or cluster, with keys of their own, and what is made of each. */
class TwoReplicas<T> {
  private readonly keyPrefix = `test:${randomUUID()}:`;
  private readonly closers: (() => Promise<void>)[] = [];

  private constructor(
    private readonly url: string,
    private readonly make: (link: ReplicaLink) => T,
  ) {}

  static async start<T>(url: string, make: (link: ReplicaLink) => T): Promise<[T, T, () => Promise<void>]> {
    const replicas = new TwoReplicas(url, make);
    const pair = await Promise.all([replicas.add(), replicas.add()]);
    return [...pair, async () => void (await Promise.all(replicas.closers.map((close) => close())))];
  }

  /** Each test has keys of its own, and the server is the test run's: nothing need be removed. */
  private async add(): Promise<T> {
    const clients = createRedisClients({ url: this.url }, { onError: () => undefined });
    await clients.connect();
    const link = new ReplicaLink(clients, { keyPrefix: this.keyPrefix, logger: SILENT, sweepMs: 600_000 });
    const adapter = this.make(link);
    await link.start();
    this.closers.push(async () => {
      await link.close();
      await clients.close();
    });
    return adapter;
  }
}

async function makeSessions(link: ReplicaLink): Promise<void> {
  await Promise.all(SESSIONS.map((id) => link.send((client) => client.hset(link.keys.session(id), 'owner', 'ada'))));
}

export async function redisSessionStore(url: string, limits: SessionStoreLimits): Promise<SessionStoreHarness> {
  const { now, advance } = new Clock();
  const [store, peer, close] = await TwoReplicas.start(
    url,
    (link) => new RedisSessionStore(link, { ...limits, now, onListenerError }),
  );
  return { store, peer, now, advance, close };
}

export async function redisEventLog(url: string, limits: EventLogLimits): Promise<EventLogHarness> {
  const { now, advance } = new Clock();
  const [here, there, close] = await TwoReplicas.start(url, (link) => ({
    link,
    log: new RedisEventLog(link, { ...limits, now, onListenerError }),
  }));
  await makeSessions(here.link);
  return { log: here.log, peer: there.log, advance, close };
}

export async function redisChangeBus(url: string, limits: ChangeBusLimits): Promise<ChangeBusHarness> {
  const [bus, peer, close] = await TwoReplicas.start(
    url,
    (link) => new RedisChangeBus(link, { ...limits, onListenerError }),
  );
  await Promise.all([bus.start(), peer.start()]);
  return { bus, peer, close };
}

export async function redisMailbox(url: string): Promise<MailboxHarness> {
  const [here, there, close] = await TwoReplicas.start(url, (link) => ({
    link,
    mailbox: new RedisMailbox(link, { askRetentionMs: 60_000, onListenerError }),
  }));
  await makeSessions(here.link);
  // The store marks a request as running before its call listens, and takes the mark back after it.
  const mark = (sessionId: string, requestId: string | number): Promise<unknown> => {
    const { link } = here;
    return link.send((client) => client.hset(link.keys.session(sessionId), `r:${JSON.stringify(requestId)}`, link.id));
  };
  return { mailbox: here.mailbox, peer: there.mailbox, mark, close };
}

export async function redisTokenBuckets(url: string, limits: TokenBucketsLimits): Promise<TokenBucketsHarness> {
  const { now, advance } = new Clock();
  const [here, there, close] = await TwoReplicas.start(url, (link) => ({
    link,
    buckets: new RedisTokenBuckets(link, limits.clock === 'test' ? { now } : {}),
  }));
  const remembers = async (key: string): Promise<boolean> =>
    (await here.link.send((client) => client.exists(`${here.link.keys.prefix}{limits}:${key}`))) === 1;
  return { buckets: here.buckets, peer: there.buckets, advance, remembers, close };
}
