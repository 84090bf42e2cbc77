import { McpError } from '../../protocol/errors.js';
import { type SessionChange, type SessionRecord, applyChange } from '../session-record.js';
import type { SessionEntry, SessionStore } from '../session-store.port.js';
import { notify, warnOfListenerError, type ListenerErrorHandler } from '../notify.js';
import { DEFAULT_SWEEP_MS, startSweepTimer } from '../sweep-timer.js';

export interface MemorySessionStoreOptions {
  /** A session that nobody enters for this long is gone. Milliseconds; default 30 minutes. */
  readonly idleMs?: number;
  /** A session this old is gone, however busy. Milliseconds; default 24 hours. */
  readonly absoluteMs?: number;
  /** Sessions in all. Default 10,000. */
  readonly maxSessions?: number;
  /** Sessions of one owner. Default 1,000. */
  readonly maxSessionsPerOwner?: number;
  /** An owner that is not one principal, and so is bound by `maxSessions` alone. Default none. */
  readonly uncappedOwner?: string;
  /** Resource subscriptions of one session. Default 1,000. */
  readonly maxSubscriptions?: number;
  /** How often expired sessions are looked for. Milliseconds; default 30 seconds. */
  readonly sweepMs?: number;
  /** Told once of every session that was deleted or expired, after it is gone: release what belongs to it. */
  readonly onRemoved?: (sessionId: string) => void;
  /** Hears of an error that a watcher threw. Default: a process warning. */
  readonly onListenerError?: ListenerErrorHandler;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

interface StoredSession {
  /** What its owner gets: it is made when the record changes, not whenever it is asked for. */
  entry: SessionEntry & { readonly status: 'ok' };
  /** Epoch milliseconds of the last `enter`, or of `create`. */
  enteredAt: number;
  /** Ids of running requests: `1` and `"1"` are two ids (JSON-RPC 2.0, section 4). Made for the first one. */
  running: Set<string | number> | undefined;
  /** Made for the first one. */
  watchers: Set<(record: SessionRecord) => void> | undefined;
}

const MINUTE = 60_000;
const UNKNOWN: SessionEntry = Object.freeze({ status: 'unknown' });
const IN_FLIGHT: SessionEntry = Object.freeze({ status: 'in-flight' });

/**
 * Sessions in the memory of one process: for one replica, for development and for tests. Expiry takes effect at the
 * very moment it is due, since every method looks at the clock; the sweep only gives the memory back.
 */
export class MemorySessionStore implements SessionStore {
  readonly idleMs: number;
  readonly maxSessions: number;
  readonly #sessions = new Map<string, StoredSession>();
  readonly #perOwner = new Map<string, number>();
  readonly #absoluteMs: number;
  readonly #maxSessionsPerOwner: number;
  readonly #uncappedOwner: string | undefined;
  readonly #maxSubscriptions: number;
  readonly #onRemoved: (sessionId: string) => void;
  readonly #onListenerError: ListenerErrorHandler;
  readonly #now: () => number;
  readonly #stopSweeping: () => void;

  constructor(options: MemorySessionStoreOptions = {}) {
    this.idleMs = options.idleMs ?? 30 * MINUTE;
    this.#absoluteMs = options.absoluteMs ?? 24 * 60 * MINUTE;
    this.maxSessions = options.maxSessions ?? 10_000;
    this.#maxSessionsPerOwner = options.maxSessionsPerOwner ?? 1_000;
    this.#uncappedOwner = options.uncappedOwner;
    this.#maxSubscriptions = options.maxSubscriptions ?? 1_000;
    this.#onRemoved = options.onRemoved ?? (() => undefined);
    this.#onListenerError = options.onListenerError ?? warnOfListenerError;
    this.#now = options.now ?? Date.now;
    this.#stopSweeping = startSweepTimer(() => this.#removeExpired(), options.sweepMs ?? DEFAULT_SWEEP_MS);
  }

  async count(): Promise<number> {
    let count = 0;
    for (const session of this.#sessions.values()) if (!this.#isExpired(session)) count += 1;
    return count;
  }

  /** @throws Error when the id is taken: ids are random, so that is a fault of the caller */
  async create(record: SessionRecord): Promise<void> {
    if (this.#find(record.id)) throw new Error('A session with this id exists. Make a new random id.');
    this.#makeRoom(record.owner);

    this.#sessions.set(record.id, {
      entry: { status: 'ok', record: copyOf(record) },
      enteredAt: this.#now(),
      running: undefined,
      watchers: undefined,
    });
    this.#count(record.owner, +1);
  }

  enter(sessionId: string, owner: string, requestId?: string | number): SessionEntry {
    const now = this.#now();
    const session = this.#find(sessionId, now);
    // A stranger must neither learn that the session exists nor keep it alive.
    if (!session || session.entry.record.owner !== owner) return UNKNOWN;

    session.enteredAt = now;
    if (requestId === undefined) return session.entry;
    const running = (session.running ??= new Set());
    if (running.has(requestId)) return IN_FLIGHT;
    running.add(requestId);
    return session.entry;
  }

  leave(sessionId: string, requestId: string | number): void {
    this.#sessions.get(sessionId)?.running?.delete(requestId);
  }

  /** @throws McpError `INVALID_PARAMS` when a subscription would exceed the cap of subscriptions per session */
  async update(sessionId: string, change: SessionChange): Promise<boolean> {
    const session = this.#find(sessionId);
    if (!session) return false;

    const { record } = session.entry;
    if ('owner' in change) {
      if (record.owner !== change.from) return false;
      this.#count(change.from, -1);
      this.#count(change.owner, +1);
    }
    this.#requireRoomFor(record, change);
    session.entry = { status: 'ok', record: applyChange(record, change) };
    // The present record each time: a watcher may have changed it again.
    for (const changed of session.watchers ?? []) notify(() => changed(session.entry.record), this.#onListenerError);
    return true;
  }

  async watch(sessionId: string, changed: (record: SessionRecord) => void): Promise<() => void> {
    const session = this.#find(sessionId);
    const watchers = session && (session.watchers ??= new Set());
    // A function of its own, so that one that watches twice can stop once.
    const watcher = (record: SessionRecord): void => changed(record);
    watchers?.add(watcher);
    return () => void watchers?.delete(watcher);
  }

  async delete(sessionId: string): Promise<boolean> {
    const session = this.#find(sessionId);
    if (!session) return false;

    this.#remove(session);
    return true;
  }

  /** Stops the sweep. */
  close(): void {
    this.#stopSweeping();
  }

  #requireRoomFor(record: SessionRecord, change: SessionChange): void {
    if (!('subscribe' in change) || record.subscriptions.includes(change.subscribe)) return;
    if (record.subscriptions.length < this.#maxSubscriptions) return;
    throw new McpError(
      'INVALID_PARAMS',
      `This session has ${record.subscriptions.length} subscriptions, the most allowed. Unsubscribe from some first.`,
    );
  }

  #makeRoom(owner: string): void {
    if (!this.#isFull(owner)) return;
    this.#removeExpired();
    if (!this.#isFull(owner)) return;
    throw new McpError('UNAVAILABLE', 'Too many sessions are open. Delete one that is not needed, or try again later.');
  }

  #isFull(owner: string): boolean {
    if (this.#sessions.size >= this.maxSessions) return true;
    return owner !== this.#uncappedOwner && this.#countOf(owner) >= this.#maxSessionsPerOwner;
  }

  #count(owner: string, more: number): void {
    const count = this.#countOf(owner) + more;
    if (count > 0) this.#perOwner.set(owner, count);
    else this.#perOwner.delete(owner);
  }

  #countOf(owner: string): number {
    return this.#perOwner.get(owner) ?? 0;
  }

  /** The session, unless its time is over. */
  #find(sessionId: string, now = this.#now()): StoredSession | undefined {
    const session = this.#sessions.get(sessionId);
    if (!session || !this.#isExpired(session, now)) return session;
    this.#remove(session);
    return undefined;
  }

  #isExpired({ entry: { record }, enteredAt }: StoredSession, now = this.#now()): boolean {
    return now >= enteredAt + this.idleMs || now >= record.createdAt + this.#absoluteMs;
  }

  #removeExpired(): void {
    for (const session of this.#sessions.values()) {
      if (this.#isExpired(session)) this.#remove(session);
    }
  }

  #remove({ entry }: StoredSession): void {
    const { id, owner } = entry.record;
    // Someone told of an earlier removal may have removed this one meanwhile.
    if (!this.#sessions.delete(id)) return;
    this.#count(owner, -1);
    this.#onRemoved(id);
  }
}

/** Nobody else can change it. Its texts are those that were given: a clone of them would be of each session's own. */
function copyOf(record: SessionRecord): SessionRecord {
  const { id, owner, revision, logLevel, seen, createdAt } = record;
  const { clientInfo, clientCapabilities, subscriptions } = structuredClone(record);
  return { id, owner, revision, clientInfo, clientCapabilities, logLevel, subscriptions, seen, createdAt };
}
