import { Logger, type LoggerService } from '@nestjs/common';
import type { Change, ChangeBus, ChangeRead, LoggedChange } from '../change-bus.port.js';
import { notify, warnOfListenerError, type ListenerErrorHandler } from '../notify.js';
import type { SessionLimits } from '../session-backend.js';
import { PUBLISH, SINCE } from './change-scripts.js';
import { randomTag } from './random-tag.js';
import type { ReplicaLink } from './replica-link.js';

export interface RedisChangeBusOptions extends NonNullable<SessionLimits['changes']> {
  /** Hears that changes were dropped. Default: the logger of the application. */
  readonly logger?: Pick<LoggerService, 'warn'>;
  /** Hears of an error that a listener threw. Default: a process warning. */
  readonly onListenerError?: ListenerErrorHandler;
}

interface Subscription {
  readonly listener: (change: LoggedChange) => void;
  readonly lost: ((cursor: string) => void) | undefined;
}

/** A change that Redis has not taken yet; sent again with the same tag, by which Redis knows it. */
interface Pending {
  readonly change: Change;
  readonly tag: string;
  /** Cursor from before it was sent for the first time: Redis looks for the tag from there on. */
  readonly since: string;
}

interface Read {
  readonly covered: boolean;
  readonly newest: string;
  readonly changes: readonly LoggedChange[];
}

const CURSOR = /^\d{1,15}-\d{1,15}$/;
/** No cursor: Redis then says which one is the newest. */
const NO_CURSOR = '';
/** Where the bus begins, for Redis. */
const BEGINNING = '-';
/** Changes that wait for Redis, one a topic. */
const MAX_PENDING = 1_000;
/** Ids that are known for delivered when their message comes later than something newer. */
const MAX_RECENT = 1_000;

/**
 * The changes of all replicas. Redis keeps them in order; a replica hears of one by a message, by the reply to its own
 * command, or by reading on from what it heard last, and delivers each once, in order, whichever comes first. Every
 * message names the change before it: if that is not the last one heard, something was lost, and is read.
 */
export class RedisChangeBus implements ChangeBus {
  readonly #link: ReplicaLink;
  readonly #capacity: number;
  readonly #logger: Pick<LoggerService, 'warn'>;
  readonly #onListenerError: ListenerErrorHandler;
  readonly #subscriptions = new Set<Subscription>();
  /** Cursor up to which the listeners have heard; undefined until Redis has told where the bus is. */
  #last: string | undefined;
  readonly #recent = new Set<string>();
  #reading: Promise<void> | undefined;
  readonly #pending = new Map<string, Pending>();
  #dropped = 0;
  #flushing = false;

  constructor(link: ReplicaLink, options: RedisChangeBusOptions = {}) {
    this.#link = link;
    this.#capacity = options.capacity ?? 1_000;
    this.#logger = options.logger ?? new Logger('Mcp');
    this.#onListenerError = options.onListenerError ?? warnOfListenerError;
    link.on('change', ([id = '', json = '', before = '']) => {
      const logged = { cursor: id, change: JSON.parse(json) as Change };
      // What cannot be read now is read by the sweep.
      this.#hear(logged, before).catch(() => undefined);
    });
    link.onSweep(async () => {
      await this.#reach();
      await this.#flush();
    });
  }

  /** Learns where the bus is, so that subscriptions hear of all that comes after them. Never rejects. */
  async start(): Promise<void> {
    if (this.#last === undefined) await this.#reach().catch(() => undefined);
  }

  /** Resolves too if Redis is away: the change is then kept, one a topic, and told as soon as Redis is back. */
  async publish(change: Change): Promise<void> {
    const topic = topicOf(change);
    const pending: Pending = { change, tag: randomTag(), since: this.#last ?? BEGINNING };
    // It must not overtake those that wait.
    if (this.#pending.size > 0) {
      this.#keep(topic, pending);
      return this.#flush();
    }
    try {
      await this.#send(pending);
    } catch {
      this.#keep(topic, pending);
    }
  }

  /** @throws McpError `UNAVAILABLE` */
  async cursor(): Promise<string> {
    const { newest } = await this.#read(NO_CURSOR);
    await this.#reach(newest);
    return newest;
  }

  /** @throws McpError `UNAVAILABLE` */
  async since(cursor: string): Promise<ChangeRead> {
    const { covered, newest, changes } = await this.#read(CURSOR.test(cursor) ? cursor : NO_CURSOR);
    if (covered) this.#catchUp(cursor, changes);
    await this.#reach(newest);
    return covered ? { status: 'ok', changes } : { status: 'gap', cursor: newest };
  }

  subscribe(listener: (change: LoggedChange) => void, lost?: (cursor: string) => void): () => void {
    const subscription: Subscription = { listener, lost };
    this.#subscriptions.add(subscription);
    void this.start();
    return () => void this.#subscriptions.delete(subscription);
  }

  /** @throws McpError `UNAVAILABLE` when Redis has not taken it */
  async #send({ change, tag, since }: Pending): Promise<void> {
    const { keys } = this.#link;
    const args = [keys.everyone, tag, JSON.stringify(change), this.#capacity, since];
    const reply = await this.#link.run(PUBLISH, [keys.changes, keys.changesMeta], args);
    const [id = '', before = ''] = reply as string[];
    // It has been published: if Redis is away just now, the listeners here hear of it at the next sweep.
    await this.#hear({ cursor: id, change }, before).catch(() => undefined);
  }

  #keep(topic: string, pending: Pending): void {
    if (this.#pending.size < MAX_PENDING || this.#pending.has(topic)) {
      this.#pending.set(topic, pending);
      return;
    }
    this.#dropped += 1;
    if (this.#dropped > 1) return;
    this.#logger.warn(
      `Redis is away and ${MAX_PENDING} changes wait to be told; further ones are dropped. Bring Redis back.`,
    );
  }

  #oldestPending(): [topic: string, pending: Pending] | undefined {
    const [oldest] = this.#pending;
    return oldest;
  }

  /** Publishes what waits, oldest first, until Redis is away again. Never rejects. */
  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      for (let next = this.#oldestPending(); next; next = this.#oldestPending()) {
        const [topic, pending] = next;
        await this.#send(pending);
        // It may have changed once more meanwhile, and is then told once more.
        if (this.#pending.get(topic) === pending) this.#pending.delete(topic);
      }
      if (this.#dropped > 0) {
        this.#logger.warn(
          `${this.#dropped} changes were dropped while Redis was away: clients do not know of them until they read ` +
            'again. Publish a change of the lists concerned to make them.',
        );
        this.#dropped = 0;
      }
    } catch {
      // The next sweep tries again.
    } finally {
      this.#flushing = false;
    }
  }

  /**
   * Delivers a change, at once if it is the next one, and otherwise after all that lies between.
   * @param before cursor of the change before it; '' if that is not known
   * @throws McpError `UNAVAILABLE`
   */
  async #hear(logged: LoggedChange, before: string): Promise<void> {
    // The first thing that is heard of the bus: everything from here on.
    if (before !== '') this.#last ??= before;
    if (this.#last === before) this.#deliver([logged]);
    else await this.#reach(logged.cursor);
  }

  /**
   * Resolves when the listeners have heard everything up to a cursor; without one, up to the newest. What they have not
   * heard is read, one reading at a time.
   * @throws McpError `UNAVAILABLE`
   */
  async #reach(cursor?: string): Promise<void> {
    const isThere = (): boolean => cursor !== undefined && this.#hasHeard(cursor);
    if (isThere()) return;
    // One that is under way may have begun before there was what the caller has seen, but it may also go that far.
    if (this.#reading) await this.#reading.catch(() => undefined);
    if (isThere()) return;
    this.#reading ??= this.#readFromLast().finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  /** Reads what came after what was heard last, and delivers it. */
  async #readFromLast(): Promise<void> {
    for (;;) {
      const from = this.#last;
      const { covered, newest, changes } = await this.#read(from ?? NO_CURSOR);
      if (covered) return this.#catchUp(from, changes);
      // Unless messages came meanwhile: then it is asked again, from there.
      if (this.#last === from) return this.#jump(newest);
    }
  }

  /** Delivers those of the changes after `from` that have not been heard. */
  #catchUp(from: string | undefined, changes: readonly LoggedChange[]): void {
    if (this.#last === undefined) return;
    // Not in there if it is newer, because messages came meanwhile.
    const heard = [from, ...changes.map(({ cursor }) => cursor)].lastIndexOf(this.#last);
    if (heard >= 0) this.#deliver(changes.slice(heard));
  }

  /** Goes on from a cursor, with no way to know what came before it. */
  #jump(cursor: string): void {
    const isFirst = this.#last === undefined;
    this.#last = cursor;
    this.#recent.clear();
    if (isFirst) return;
    for (const subscription of [...this.#subscriptions]) {
      const { lost } = subscription;
      if (lost && this.#subscriptions.has(subscription)) notify(() => lost(cursor), this.#onListenerError);
    }
  }

  #deliver(changes: readonly LoggedChange[]): void {
    // Who subscribes while the others are told hears only what comes later.
    const audience = [...this.#subscriptions];
    for (const change of changes) {
      this.#last = change.cursor;
      this.#recent.add(change.cursor);
      for (const subscription of audience) {
        if (!this.#subscriptions.has(subscription)) continue;
        notify(() => subscription.listener(change), this.#onListenerError);
      }
    }
    for (const id of this.#recent) {
      if (this.#recent.size <= MAX_RECENT) break;
      this.#recent.delete(id);
    }
  }

  #hasHeard(id: string): boolean {
    return id === this.#last || this.#recent.has(id);
  }

  async #read(cursor: string): Promise<Read> {
    const { keys } = this.#link;
    const reply = await this.#link.run(SINCE, [keys.changes, keys.changesMeta], [randomTag(), cursor]);
    const [status, newest = '', ...fields] = reply as string[];
    const changes: LoggedChange[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      changes.push({ cursor: fields[i] ?? '', change: JSON.parse(fields[i + 1] ?? '') as Change });
    }
    return { covered: status === 'ok', newest, changes };
  }
}

/** Of two changes with the same topic, one says all that both say. */
function topicOf(change: Change): string {
  return change.kind === 'resource' ? `resource ${change.uri}` : change.kind;
}
