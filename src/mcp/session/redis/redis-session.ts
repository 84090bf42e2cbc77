import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import type { ListenerErrorHandler } from '../notify.js';
import {
  REQUEST_STATE_SECRET,
  type SessionBackend,
  type SessionBackendHealth,
  type SessionLimits,
} from '../session-backend.js';
import type { Telemetry } from '../../observability/telemetry.js';
import { APPEND_AUDIT_LINES } from '../../audit/redis-stream.sink.js';
import { LuaScript } from './lua-script.js';
import { RedisChangeBus } from './redis-change-bus.js';
import { type RedisClients, createRedisClients } from './redis-clients.js';
import { RedisEventLog } from './redis-event-log.js';
import { RedisMailbox } from './redis-mailbox.js';
import { DEFAULT_KEY_PREFIX, type RedisOptions } from './redis-options.js';
import { RedisSessionStore } from './redis-session-store.js';
import { RedisTokenBuckets } from './redis-token-buckets.js';
import { ReplicaLink } from './replica-link.js';

export interface RedisSessionOptions extends SessionLimits {
  readonly redis: RedisOptions;
  readonly logger: Pick<LoggerService, 'log' | 'warn' | 'error'>;
  readonly telemetry: Pick<Telemetry, 'redisCommand' | 'wakeUp'>;
  /** How long a question is kept for its answer. Milliseconds; default 20 minutes. */
  readonly askRetentionMs?: number;
}

/** Milliseconds that a start waits for Redis before it goes on without. */
const START_MS = 5_000;

/**
 * Makes a secret unless there is one.
 *
 * KEYS[1] its key  ARGV[1] a new one  returns the one that counts
 */
const SECRET = new LuaScript(
  'rookerySecret',
  `
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
`,
);

const AUDIT = new LuaScript('rookeryAuditAppend', APPEND_AUDIT_LINES);

/** Sessions that any replica can serve: all that is known of them lies in Redis. */
export class RedisSession implements SessionBackend {
  readonly store: RedisSessionStore;
  readonly events: RedisEventLog;
  readonly changes: RedisChangeBus;
  readonly mailbox: RedisMailbox;
  readonly tokenBuckets: RedisTokenBuckets;
  /** Runs the script by which the audit writes. */
  readonly appendAudit = (keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> =>
    this.#link.run(AUDIT, keys, args);
  readonly #clients: RedisClients;
  readonly #link: ReplicaLink;
  readonly #secrets = new Map<string, Uint8Array>();

  constructor({ redis, logger, telemetry, store, events, changes, askRetentionMs }: RedisSessionOptions) {
    const quiet = new Set<string>();
    this.#clients = createRedisClients(redis, {
      // An outage is one line, and the link writes it; here are the reasons, each once until it works again.
      onError: (error, which) => {
        if (quiet.has(error.message)) return;
        quiet.add(error.message);
        logger.warn(`The ${which} connection to Redis failed: ${error.message}`);
      },
    });
    this.#link = new ReplicaLink(this.#clients, {
      keyPrefix: redis.keyPrefix ?? DEFAULT_KEY_PREFIX,
      logger,
      telemetry,
    });
    const onListenerError: ListenerErrorHandler = (error) => {
      logger.error('A listener failed; this is a defect of Rookery.', error);
    };
    this.store = new RedisSessionStore(this.#link, { ...store, onListenerError });
    this.events = new RedisEventLog(this.#link, { ...events, onListenerError });
    this.changes = new RedisChangeBus(this.#link, { ...changes, onListenerError });
    // As soon as Redis is there: a stateless call that needs it must not depend on Redis later.
    // And again and again: a Redis that has lost its data must not make another one for replicas that come later.
    this.#link.onSweep(async () => void (await this.#share(REQUEST_STATE_SECRET)));
    this.tokenBuckets = new RedisTokenBuckets(this.#link);
    this.mailbox = new RedisMailbox(this.#link, { ...(askRetentionMs && { askRetentionMs }), onListenerError });
  }

  async start(): Promise<void> {
    const patience = new AbortController();
    const started = this.#clients
      .connect()
      .then(() => this.#link.start())
      .then(() => this.changes.start());
    const patient = delay(START_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([started, patient]);
    patience.abort();
  }

  health(): SessionBackendHealth {
    const { reached, available, hearing, failure, latencyMs, wakeUpMs } = this.#link;
    if (available && hearing) return { reached, available, detail: 'Redis answers.', latencyMs, wakeUpMs };
    return { reached, available: false, detail: `Redis: ${failure}`, latencyMs };
  }

  async secret(name: string): Promise<Uint8Array> {
    return this.#secrets.get(name) ?? this.#share(name);
  }

  async close(): Promise<void> {
    await this.#link.close();
    await this.#clients.close();
  }

  /** Puts the secret that is known here, or a new one, where there is none. @returns the one that counts */
  async #share(name: string): Promise<Uint8Array> {
    const known = this.#secrets.get(name) ?? randomBytes(32);
    const key = `${this.#link.keys.prefix}secret:${name}`;
    const secret = (await this.#link.run(SECRET, [key], [Buffer.from(known).toString('base64')])) as string;
    const bytes = Buffer.from(secret, 'base64');
    this.#secrets.set(name, bytes);
    return bytes;
  }
}
