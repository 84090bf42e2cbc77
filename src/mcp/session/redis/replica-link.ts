import { randomBytes } from 'node:crypto';
import type { LoggerService } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import type { Telemetry } from '../../observability/telemetry.js';
import { McpError } from '../../protocol/errors.js';
import { BeatTimes } from './beat-times.js';
import { LuaScript } from './lua-script.js';
import { RedisComplaints } from './redis-complaints.js';
import { RedisKeys } from './redis-keys.js';
import { Sweeps } from './sweeps.js';
import { withoutArguments } from './without-arguments.js';

/** The connections a replica has; whoever made them closes them. */
export interface LinkClients {
  readonly commands: Redis | Cluster;
  readonly subscriber: Redis | Cluster;
}

export interface ReplicaLinkOptions {
  /** What all names of keys and channels begin with. */
  readonly keyPrefix: string;
  readonly logger: Pick<LoggerService, 'log' | 'warn' | 'error'>;
  /** Default: nobody hears of it. */
  readonly telemetry?: Pick<Telemetry, 'redisCommand' | 'wakeUp'>;
  /** How often the replica says that it is alive. Milliseconds; default 1,500. */
  readonly beatMs?: number;
  /** A replica that has not said so for this long is gone. Milliseconds; default 6,000. */
  readonly aliveMs?: number;
  /**
   * How often everything is looked at again in case a message was lost unnoticed. Milliseconds; default 30,000. 0 is
   * never, not even when messages were lost, for tests that count commands.
   */
  readonly sweepMs?: number;
}

type MessageHandler = (fields: readonly string[]) => void;

/** Those who must know when a replica they depend on is gone. */
export interface PresenceWatch {
  /** The replicas they depend on now. */
  replicas(): Iterable<string>;
  gone(replica: string): void;
}

/** Beats that may be missing before messages are held to be lost for good. */
const DEAF_AFTER = 3;

/**
 * Sets a key that says that a replica is alive, and sends the replica a message, by which it knows that it still hears.
 *
 * KEYS[1] alive key of the replica
 * ARGV[1] milliseconds until it lapses  ARGV[2] inbox of the replica  ARGV[3] number of the beat
 */
const BEAT = new LuaScript(
  'rookeryBeat',
  `
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
tell(ARGV[2], 'beat', ARGV[3])
`,
);

/**
 * What ties this process to the other replicas: commands and scripts, messages to one replica or to all, and knowing
 * who is alive.
 *
 * Messages are hints and may be lost. The link counts its own beats as they come back to it: when one is missing,
 * others may be, and everyone who depends on messages is told to look at the truth (a sweep).
 */
export class ReplicaLink {
  /** Unique for this process; a restarted one is another replica. */
  readonly id = randomBytes(12).toString('base64url');
  readonly keys: RedisKeys;
  readonly #clients: LinkClients;
  readonly #logger: ReplicaLinkOptions['logger'];
  readonly #telemetry: ReplicaLinkOptions['telemetry'];
  readonly #times: BeatTimes;
  readonly #beatMs: number;
  readonly #aliveMs: number;
  readonly #handlers = new Map<string, MessageHandler[]>();
  readonly #sweeps: Sweeps;
  readonly #presence: PresenceWatch[] = [];
  readonly #defined = new Set<string>();
  readonly #complaints: RedisComplaints;
  readonly #onMessage = (_channel: string, text: string): void => this.#receive(text);
  /** The connection was away: messages were lost, even if no beat was among them. */
  readonly #onReady = (): void => void this.#subscribe().then(() => this.#sweeps.soon());
  #beats = 0;
  #heardBeat = 0;
  #heardAt = 0;
  /** Since when every beat has succeeded, by a clock that nobody sets. */
  #healthySince: number | undefined;
  #lastBeatAt = 0;
  #reached = false;
  #beatTimer: NodeJS.Timeout | undefined;
  #subscribing = false;
  #closed = false;

  constructor(clients: LinkClients, options: ReplicaLinkOptions) {
    this.#clients = clients;
    this.#logger = options.logger;
    this.#complaints = new RedisComplaints(options.logger);
    this.#telemetry = options.telemetry;
    this.#times = new BeatTimes((latencyMs) => this.#telemetry?.wakeUp(latencyMs));
    this.keys = new RedisKeys(options.keyPrefix);
    this.#beatMs = options.beatMs ?? 1_500;
    this.#aliveMs = options.aliveMs ?? 6_000;
    this.#sweeps = new Sweeps(options.sweepMs ?? 30_000, options.logger);
    clients.subscriber.on('message', this.#onMessage);
    clients.subscriber.on('ready', this.#onReady);
  }

  /**
   * Subscribes and begins to beat. Resolves once it hears and is heard, or else as soon as Redis is known to be away; it
   * goes on trying then. Never rejects.
   */
  async start(): Promise<void> {
    const subscribed = this.#subscribe();
    await this.#beat();
    if (this.available) await subscribed;
    this.#sweeps.start();
  }

  /** True once Redis has answered. */
  get reached(): boolean {
    return this.#reached;
  }

  /** True if Redis answered the last time it was asked. */
  get available(): boolean {
    return this.#healthySince !== undefined;
  }

  /** True if messages come through: the beats do. */
  get hearing(): boolean {
    return performance.now() - this.#heardAt <= DEAF_AFTER * this.#beatMs;
  }

  /** Milliseconds that Redis took to answer the last beat; undefined if it did not. */
  get latencyMs(): number | undefined {
    return this.#times.latencyMs;
  }

  /** Milliseconds that the last beat which was heard took to come back; undefined while none is. */
  get wakeUpMs(): number | undefined {
    return this.hearing ? this.#times.wakeUpMs : undefined;
  }

  /** What is wrong, for people. */
  get failure(): string {
    if (!this.available) return this.#complaints.failure;
    return this.hearing ? '' : 'Messages do not come through.';
  }

  /** Hears the messages of one kind. */
  on(kind: string, handler: MessageHandler): void {
    this.#handlers.set(kind, [...(this.#handlers.get(kind) ?? []), handler]);
  }

  /** Takes part in sweeps. */
  onSweep(sweeper: () => Promise<void>): void {
    this.#sweeps.add(sweeper);
  }

  /** Hears of replicas that are gone. */
  onGone(watch: PresenceWatch): void {
    this.#presence.push(watch);
  }

  /**
   * Runs a script.
   * @throws McpError `UNAVAILABLE` when Redis does not answer; it may have done it all the same
   */
  run(script: LuaScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const { commands } = this.#clients;
    if (!this.#defined.has(script.name)) {
      commands.defineCommand(script.name, { lua: script.source });
      this.#defined.add(script.name);
    }
    // The client knows scripts by name, but its type does not.
    const command = Reflect.get(commands, script.name) as (...all: unknown[]) => Promise<unknown>;
    return this.send(() => command.call(commands, keys.length, ...keys, ...args), script.name);
  }

  /**
   * Sends a command.
   * @param name under which it is counted: a literal, never made of what a caller sent
   * @throws McpError `UNAVAILABLE` when Redis does not answer; it may have done it all the same
   */
  send<T>(command: (client: Redis | Cluster) => Promise<T>, name = '_other'): Promise<T> {
    const answered = this.#telemetry?.redisCommand(name);
    const failed = (cause: unknown): never => {
      answered?.(cause);
      this.#complaints.note(cause);
      throw new McpError('UNAVAILABLE', 'Sessions cannot be reached at the moment. Try again.', undefined, {
        cause: withoutArguments(cause),
      });
    };
    const sent = command(this.#clients.commands);
    if (!answered) return sent.catch(failed);
    return sent.then((reply) => {
      answered();
      return reply;
    }, failed);
  }

  /**
   * Whether a replica is gone for good. It is not held to be while Redis itself has only just come back: then the others
   * have not had the time to say that they are there.
   * @throws McpError `UNAVAILABLE`
   */
  async isGone(replica: string): Promise<boolean> {
    if (replica === this.id) return false;
    const alive = await this.send((client) => client.exists(this.keys.alive(replica)), 'exists');
    return alive === 0 && this.#healthySince !== undefined && performance.now() - this.#healthySince >= this.#aliveMs;
  }

  /** Says goodbye, so that nobody waits for this replica. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#beatTimer);
    this.#clients.subscriber.off('message', this.#onMessage);
    this.#clients.subscriber.off('ready', this.#onReady);
    await this.#sweeps.close();
    if (this.available) await this.send((client) => client.del(this.keys.alive(this.id)), 'del').catch(() => undefined);
  }

  #receive(text: string): void {
    const [kind = '', ...fields] = this.#parse(text);
    if (kind === 'beat') return this.#hearBeat(Number(fields[0]));
    for (const handler of this.#handlers.get(kind) ?? []) {
      try {
        handler(fields);
      } catch (error) {
        this.#logger.error(`A message of the kind ${kind} could not be handled; this is a defect of Rookery.`, error);
      }
    }
  }

  /** Others may publish here too: an installation with the same prefix, or a person. */
  #parse(text: string): string[] {
    try {
      const message: unknown = JSON.parse(text);
      if (Array.isArray(message) && message.every((field) => typeof field === 'string')) return message;
    } catch {
      // As any other message that is none of ours.
    }
    this.#logger.warn('A message on a channel of Rookery is none of its own. Give each installation its own prefix.');
    return [];
  }

  #hearBeat(beat: number): void {
    this.#times.heard(beat);
    const missed = beat !== this.#heardBeat + 1;
    this.#heardBeat = beat;
    this.#heardAt = performance.now();
    if (missed) this.#sweeps.soon();
  }

  async #subscribe(): Promise<void> {
    if (this.#subscribing) return;
    this.#subscribing = true;
    try {
      await this.#clients.subscriber.subscribe(this.keys.everyone, this.keys.inbox(this.id));
    } catch (cause) {
      this.#complaints.note(cause);
    } finally {
      this.#subscribing = false;
    }
  }

  async #beat(): Promise<void> {
    this.#beats += 1;
    const sentAt = performance.now();
    this.#times.sent(this.#beats, sentAt);
    try {
      await this.run(BEAT, [this.keys.alive(this.id)], [this.#aliveMs, this.keys.inbox(this.id), this.#beats]);
      if (this.#healthySince === undefined) this.#logger.log('Redis answers; sessions can be used.');
      const now = performance.now();
      this.#times.answered(now - sentAt);
      // A process that stood still has not seen the others beat, nor has its own key lived.
      if (this.#healthySince === undefined || now - this.#lastBeatAt > this.#aliveMs) {
        this.#healthySince = now;
        // The time in which nothing could be heard does not count.
        this.#heardAt = now;
        this.#sweeps.soon();
      }
      this.#lastBeatAt = now;
      this.#reached = true;
      await this.#lookForOthers();
    } catch {
      if (this.#healthySince !== undefined) {
        this.#logger.error(
          `Redis does not answer: requests of sessions are refused with 503 until it does. ${this.#complaints.failure}`,
        );
      }
      this.#healthySince = undefined;
      this.#times.forget();
    }
    if (this.#closed) return;
    if (this.available && !this.hearing) this.#recoverHearing();
    this.#beatTimer = setTimeout(() => void this.#beat(), this.#beatMs).unref();
  }

  /** Redis answers, but messages do not come: until they do, everyone looks at the truth at each beat. */
  #recoverHearing(): void {
    this.#complaints.complain(
      'DEAF',
      'Redis answers, but its messages do not come through: is SUBSCRIBE allowed, and a connection free?',
    );
    this.#sweeps.soon();
    if (this.#clients.subscriber.status === 'ready') void this.#subscribe();
    if (performance.now() - this.#heardAt > 3 * DEAF_AFTER * this.#beatMs) this.#clients.subscriber.disconnect(true);
  }

  async #lookForOthers(): Promise<void> {
    for (const watch of this.#presence) {
      await Promise.all(
        [...new Set(watch.replicas())].map(async (replica) => {
          if (await this.isGone(replica)) watch.gone(replica);
        }),
      );
    }
  }

  /** Lets everyone who depends on messages look at the truth. Never rejects. */
  sweep(): Promise<void> {
    return this.#sweeps.sweep();
  }
}
