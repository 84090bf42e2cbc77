import { McpError } from '../../protocol/errors.js';
import { warnOfListenerError, type ListenerErrorHandler } from '../notify.js';
import type { SessionLimits } from '../session-backend.js';
import type { SessionChange, SessionRecord } from '../session-record.js';
import type { RecordWatcher, SessionEntry, SessionStore } from '../session-store.port.js';
import { randomTag } from './random-tag.js';
import type { ReplicaLink } from './replica-link.js';
import { KnownRecords } from './known-records.js';
import { RequestMarks } from './request-marks.js';
import { SessionIndex } from './session-index.js';
import { CREATE, DELETE, ENTER, UPDATE } from './session-scripts.js';
import { SessionWatches } from './session-watches.js';
import { type StoredFields, constantOf, recordOf } from './stored-session.js';

export interface RedisSessionStoreOptions extends NonNullable<SessionLimits['store']> {
  /** Hears of an error that a watcher threw. Default: a process warning. */
  readonly onListenerError?: ListenerErrorHandler;
  /** Epoch milliseconds, for tests. Default: the clock of Redis, one for all replicas. */
  readonly now?: () => number;
}

/** The replica that runs the request, 1 if the record is as it is known here, or else the record. */
type EnterReply = string | 1 | [version: string, ...StoredFields] | null;

type EntryOrHolder = SessionEntry | { readonly status: 'in-flight'; readonly holder: string };

const MINUTE = 60_000;
const UNKNOWN: SessionEntry = Object.freeze({ status: 'unknown' });
const IN_FLIGHT: SessionEntry = Object.freeze({ status: 'in-flight' });

/**
 * Sessions in Redis, for any number of replicas. Each method is one script on keys of one slot; only `create` and
 * `delete` take more, since sessions are counted elsewhere. Expiry takes effect at the very moment it is due, since
 * every script looks at the clock; the time to live of the keys only gives the memory back.
 */
export class RedisSessionStore implements SessionStore {
  readonly idleMs: number;
  readonly maxSessions: number;
  readonly #link: ReplicaLink;
  readonly #absoluteMs: number;
  readonly #maxSubscriptions: number;
  readonly #now: (() => number) | undefined;
  readonly #index: SessionIndex;
  readonly #watches: SessionWatches;
  readonly #marks: RequestMarks;
  readonly #known = new KnownRecords();

  constructor(link: ReplicaLink, options: RedisSessionStoreOptions = {}) {
    this.#link = link;
    this.idleMs = options.idleMs ?? 30 * MINUTE;
    this.#absoluteMs = options.absoluteMs ?? 24 * 60 * MINUTE;
    this.#maxSubscriptions = options.maxSubscriptions ?? 1_000;
    this.#now = options.now;
    this.#marks = new RequestMarks(link);
    this.maxSessions = options.maxSessions ?? 10_000;
    const times = (): readonly (string | number)[] => this.#times();
    this.#index = new SessionIndex(link, {
      maxSessions: this.maxSessions,
      maxSessionsPerOwner: options.maxSessionsPerOwner ?? 1_000,
      uncappedOwner: options.uncappedOwner,
      times,
    });
    this.#watches = new SessionWatches(link, {
      onListenerError: options.onListenerError ?? warnOfListenerError,
      times,
    });
  }

  count(): Promise<number> {
    return this.#index.count();
  }

  /** @throws Error when the id is taken: ids are random, so that is a fault of the caller */
  async create(record: SessionRecord): Promise<void> {
    const { id, owner, logLevel = '', seen, createdAt, subscriptions } = record;
    const args = [owner, constantOf(record), randomTag(), logLevel, seen, createdAt, ...subscriptions];
    await this.#index.admit(record, async () => {
      const made = await this.#link.run(CREATE, this.#keysOf(id), [...this.#times(), ...args]);
      if (made !== 1) throw new Error('A session with this id exists. Make a new random id.');
    });
  }

  async enter(sessionId: string, owner: string, requestId?: string | number): Promise<SessionEntry> {
    if (requestId === undefined) return await this.#enter(sessionId, owner, '', '');

    const request = JSON.stringify(requestId);
    const mark = { sessionId, request };
    const isStale = this.#marks.begin(mark);
    let entry: EntryOrHolder;
    try {
      entry = await this.#enter(sessionId, owner, request, isStale ? this.#link.id : '');
      // A replica that was killed has taken nothing back, and must not block the id.
      if ('holder' in entry && (await this.#link.isGone(entry.holder))) {
        entry = await this.#enter(sessionId, owner, request, entry.holder);
      }
    } catch (error) {
      this.#marks.lose(mark);
      throw error;
    }
    if (entry.status !== 'ok') this.#marks.end(mark);
    return 'holder' in entry ? IN_FLIGHT : entry;
  }

  async leave(sessionId: string, requestId: string | number): Promise<void> {
    const request = JSON.stringify(requestId);
    const key = this.#link.keys.session(sessionId);
    try {
      await this.#link.send((client) => client.hdel(key, `r:${request}`, `c:${request}`), 'hdel');
    } catch (error) {
      this.#marks.lose({ sessionId, request });
      throw error;
    }
    this.#marks.end({ sessionId, request });
  }

  /** @throws McpError `INVALID_PARAMS` when a subscription would exceed the cap of subscriptions per session */
  async update(sessionId: string, change: SessionChange): Promise<boolean> {
    const from = 'owner' in change ? [change.from] : [];
    const args = [
      ...nameAndValueOf(change),
      this.#maxSubscriptions,
      sessionId,
      this.#link.keys.inboxPrefix,
      randomTag(),
      ...from,
    ];
    const [outcome, count] = (await this.#link.run(UPDATE, this.#keysOf(sessionId), [...this.#times(), ...args])) as
      ['gone'] | ['done'] | ['full', number];
    if (outcome === 'full') {
      throw new McpError(
        'INVALID_PARAMS',
        `This session has ${count} subscriptions, the most allowed. Unsubscribe from some first.`,
      );
    }
    return outcome === 'done';
  }

  watch(sessionId: string, changed: RecordWatcher): Promise<() => void> {
    return this.#watches.watch(sessionId, changed);
  }

  async delete(sessionId: string): Promise<boolean> {
    const { keys } = this.#link;
    const args = [...this.#times(), sessionId, keys.everyone, keys.inboxPrefix];
    const answer = (await this.#link.run(DELETE, this.#keysOf(sessionId), args)) as
      [found: number, owner: string] | null;
    if (!answer) return false;
    const [found, owner] = answer;
    await this.#index.remove(sessionId, owner);
    return found === 1;
  }

  /** @param stale the replica whose mark of the request does not count, or '' */
  async #enter(sessionId: string, owner: string, request: string, stale: string): Promise<EntryOrHolder> {
    const known = this.#known.get(sessionId);
    const args = [this.#now?.() ?? '', this.idleMs, this.#absoluteMs, owner, request, this.#link.id, stale];
    const answer = (await this.#link.run(ENTER, this.#keysOf(sessionId), [
      ...args,
      known?.version ?? '',
    ])) as EnterReply;
    if (answer === null) return UNKNOWN;
    if (answer === 1) return known!.entry;
    if (typeof answer === 'string') return { status: 'in-flight', holder: answer };
    const [version, ...fields] = answer;
    return this.#known.keep(version, { status: 'ok', record: recordOf({ id: sessionId, owner }, fields) }).entry;
  }

  /** The one key that scripts are given; they know the others. */
  #keysOf(sessionId: string): [session: string] {
    return [this.#link.keys.session(sessionId)];
  }

  /** What every script on a session begins its arguments with. */
  #times(): [clock: number | '', idleMs: number, absoluteMs: number] {
    return [this.#now?.() ?? '', this.idleMs, this.#absoluteMs];
  }
}

function nameAndValueOf(change: SessionChange): [name: string, value: string] {
  if ('logLevel' in change) return ['log', change.logLevel];
  if ('seen' in change) return ['seen', change.seen];
  if ('owner' in change) return ['owner', change.owner];
  if ('subscribe' in change) return ['subscribe', change.subscribe];
  return ['unsubscribe', change.unsubscribe];
}
