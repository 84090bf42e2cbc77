import { randomBytes } from 'node:crypto';
import type { SessionBackend } from '../session-backend.js';
import { MemoryChangeBus, type MemoryChangeBusOptions } from './memory-change-bus.js';
import { MemoryEventLog, type MemoryEventLogOptions } from './memory-event-log.js';
import { MemoryMailbox } from './memory-mailbox.js';
import { MemorySessionStore, type MemorySessionStoreOptions } from './memory-session-store.js';
import type { ListenerErrorHandler } from '../notify.js';

export interface MemorySessionOptions {
  readonly store?: Omit<MemorySessionStoreOptions, 'onRemoved' | 'onListenerError' | 'now'>;
  readonly events?: Omit<MemoryEventLogOptions, 'onListenerError' | 'now'>;
  readonly changes?: Omit<MemoryChangeBusOptions, 'onListenerError'>;
  /** Hears of an error that a listener threw. Default: a process warning. */
  readonly onListenerError?: ListenerErrorHandler;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** The ports, with what can be done to these adapters besides. */
export interface MemorySession extends SessionBackend {
  readonly store: MemorySessionStore;
  readonly events: MemoryEventLog;
  readonly changes: MemoryChangeBus;
  readonly mailbox: MemoryMailbox;
  close(): void;
}

/**
 * Sessions in the memory of this process. When one is deleted or expires, its running calls hear `ended`, its
 * connections are displaced, and its streams are dropped.
 */
export function createMemorySession(options: MemorySessionOptions = {}): MemorySession {
  const shared = {
    ...(options.now && { now: options.now }),
    ...(options.onListenerError && { onListenerError: options.onListenerError }),
  };
  const events = new MemoryEventLog({ ...options.events, ...shared });
  const changes = new MemoryChangeBus({ ...options.changes, ...shared });
  const mailbox = new MemoryMailbox(shared);
  const store = new MemorySessionStore({
    ...options.store,
    ...shared,
    // Both settle before they return; calls end before their connections close, so that they can still say goodbye.
    onRemoved: (sessionId) => {
      void mailbox.end(sessionId);
      void events.clear(sessionId);
    },
  });
  const secrets = new Map<string, Uint8Array>();
  return {
    store,
    events,
    changes,
    mailbox,
    start: async () => undefined,
    health: () => ({ reached: true, available: true, detail: 'Sessions are in the memory of this process.' }),
    secret: async (name) => {
      const secret = secrets.get(name) ?? randomBytes(32);
      secrets.set(name, secret);
      return secret;
    },
    close: () => {
      store.close();
      events.close();
    },
  };
}
