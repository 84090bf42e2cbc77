import type { TokenBuckets } from '../limits/token-buckets.port.js';
import type { ChangeBus } from './change-bus.port.js';
import type { EventLog } from './event-log.port.js';
import type { Mailbox } from './mailbox.port.js';
import type { SessionStore } from './session-store.port.js';

/** Name of the secret that seals the request state of stateless calls. */
export const REQUEST_STATE_SECRET = 'request-state';

/** Whether the sessions can be reached. */
export interface SessionBackendHealth {
  /** True once they could be, since the start of this process. */
  readonly reached: boolean;
  /** True if they can be now. */
  readonly available: boolean;
  /** For people: where the sessions are, and what is wrong. */
  readonly detail: string;
  /** Milliseconds that an answer took the last time; absent where nothing is asked over a network, or did not answer. */
  readonly latencyMs?: number | undefined;
  /** Milliseconds that a message of this replica to itself took the last time; absent while none comes. */
  readonly wakeUpMs?: number | undefined;
}

/** The four ports of the sessions era, wired together over one place where sessions are kept. */
export interface SessionBackend {
  /** Where limits are counted for all replicas together; absent where there is only this one. */
  readonly tokenBuckets?: TokenBuckets;
  /** Runs a script of the audit on what all replicas share; absent where there is nothing of the kind. */
  readonly appendAudit?: (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

  readonly store: SessionStore;
  readonly events: EventLog;
  readonly changes: ChangeBus;
  readonly mailbox: Mailbox;

  /** Begins to connect, and resolves when that is done or has been tried for a while. Never rejects. */
  start(): Promise<void>;

  health(): SessionBackendHealth;

  /**
   * 32 random bytes that all replicas share, made when they are first asked for.
   * @param name which of several secrets
   * @throws McpError `UNAVAILABLE`
   */
  secret(name: string): Promise<Uint8Array>;

  /** Closes connections and stops timers. Never rejects. */
  close(): void | Promise<void>;
}

/** Limits that every backend knows. */
export interface SessionLimits {
  readonly store?: {
    /** A session that nobody enters for this long is gone. Milliseconds; default 30 minutes. */
    readonly idleMs?: number;
    /** A session this old is gone, however busy. Milliseconds; default 24 hours. */
    readonly absoluteMs?: number;
    /** Sessions in all, on all replicas. Default 10,000. */
    readonly maxSessions?: number;
    /** Sessions of one owner. Default 1,000. */
    readonly maxSessionsPerOwner?: number;
    /** An owner that is not one principal, and so is bound by `maxSessions` alone. Default none. */
    readonly uncappedOwner?: string;
    /** Resource subscriptions of one session. Default 1,000. */
    readonly maxSubscriptions?: number;
  };
  readonly events?: {
    /** Events kept of one stream. Default 1,000. */
    readonly maxEvents?: number;
    /** Size of the events kept of one stream, in bytes of UTF-8. Default 4 MiB. */
    readonly maxBytes?: number;
    /** Streams of one session; the least recently written one without a reader makes room for a new one. Default 100. */
    readonly maxStreams?: number;
    /** How long a stream is kept after its last event, or after its last reader left. Milliseconds; default 5 minutes. */
    readonly retentionMs?: number;
  };
  readonly changes?: {
    /** How many changes `since` can look back. Default 1,000. */
    readonly capacity?: number;
  };
}
