import type { SessionChange, SessionRecord } from './session-record.js';

export type SessionEntry =
  | { readonly status: 'ok'; readonly record: SessionRecord }
  /** No such session, expired, or another principal's: the caller cannot tell which. */
  | { readonly status: 'unknown' }
  /** A request with this id is running on the session, on this replica or another. */
  | { readonly status: 'in-flight' };

/**
 * @param since epoch milliseconds by the clock of this process: what happened since then has happened to a watcher who
 *   did not know yet; `-Infinity` if that may be long ago, undefined if the watcher hears at the moment of the change
 */
export type RecordWatcher = (record: SessionRecord, since?: number) => void;

/**
 * The session records. Each method is one atomic step (one round trip on a remote store). Those that every call needs
 * may answer at once: then nothing has to wait for them.
 * Expiry is the store's business: idle (sliding, renewed by `enter`) and absolute (from `createdAt`).
 */
export interface SessionStore {
  /** Milliseconds after which a session that nobody enters is gone. Whoever waits for longer enters now and then. */
  readonly idleMs: number;

  /** Sessions there may be in all, on all replicas; absent if there is no such limit. */
  readonly maxSessions?: number;

  /**
   * Sessions there are in all, on all replicas, for those who watch: some may have ended and not been looked at since.
   * Absent where nobody counts.
   * @throws McpError `UNAVAILABLE`
   */
  count?(): Promise<number>;

  /** @throws McpError `UNAVAILABLE` when the cap of sessions (per owner or in all) is reached. */
  create(record: SessionRecord): Promise<void>;

  /**
   * Loads a session for its owner and renews its idle expiry. With a request id, also marks that request as running,
   * atomically: of two callers with the same id one gets `in-flight`.
   *
   * @param requestId JSON-RPC id; `1` and `"1"` are two ids
   */
  enter(sessionId: string, owner: string, requestId?: string | number): SessionEntry | Promise<SessionEntry>;

  /** Marks a request as finished. Does nothing if the session or the mark is gone. */
  leave(sessionId: string, requestId: string | number): void | Promise<void>;

  /** @returns false if the session is gone, or is not of whom it was said to be */
  update(sessionId: string, change: SessionChange): Promise<boolean>;

  /**
   * Hears of each change of a record, from any replica, for whoever acts on it while a connection is open.
   * @returns the function that stops it
   */
  watch(sessionId: string, changed: RecordWatcher): Promise<() => void>;

  /** Removes the session and all that belongs to it. @returns false if it was gone */
  delete(sessionId: string): Promise<boolean>;
}

export const SessionStore = Symbol('SessionStore');
