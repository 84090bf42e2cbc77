/** One SSE event of a call's stream. */
export interface LoggedEvent {
  /** Cursor of the event within its stream; opaque to callers. */
  readonly cursor: string;
  /** The JSON-RPC message, serialised. */
  readonly data: string;
  /** True for the message that ends the stream (the response). */
  readonly last: boolean;
}

/** An event that has just been appended. */
export interface AppendedEvent extends LoggedEvent {
  /** Cursor of the event before it; `''` if it is the first. */
  readonly after: string;
}

export type EventRead =
  | { readonly status: 'ok'; readonly events: readonly LoggedEvent[] }
  /** The cursor is that of the last event: nothing will ever follow. */
  | { readonly status: 'ended' }
  /** The log does not cover the cursor any more, or the cursor lies ahead of its tail. */
  | { readonly status: 'gap' }
  /** The cursor is that of the newest event, and the replica that wrote it is gone: nothing will follow. */
  | { readonly status: 'orphaned' }
  /** No such stream in this session. */
  | { readonly status: 'unknown' };

/** A connection that reads a stream; a later one on the same stream displaces it. */
export interface Attachment {
  detach(): void;
}

export interface AttachmentListener {
  /**
   * Something may have been appended; read on from your cursor. A hint: it may come late, twice, or for nothing.
   * @param event what was appended, where it is at hand: who has read all that is before it need not read it
   */
  wake(event?: AppendedEvent): void;
  /**
   * Another connection took the stream over, or the session ended: end the connection. The one that takes over waits,
   * for a moment, until this has settled.
   */
  displaced(): void | Promise<void>;
}

/**
 * The event streams of a session: one stream for each call answered by SSE, made by its first append. Bounded in
 * length, bytes and time. The log is the truth; wake-ups only say that it is worth reading.
 */
export interface EventLog {
  /**
   * Appends a message and wakes the reader. Appends to one stream come one after the other, from one replica.
   * @returns the cursor of the event
   */
  append(sessionId: string, streamId: string, data: string, last?: boolean): string | Promise<string>;

  /** Reads at most `limit` events after the cursor; `''` is the beginning. */
  read(sessionId: string, streamId: string, after: string, limit: number): EventRead | Promise<EventRead>;

  /**
   * Takes the stream over for a connection; the connection that held it, on any replica, is told, and has let go of it
   * when this resolves, unless it is not to be reached.
   */
  attach(sessionId: string, streamId: string, listener: AttachmentListener): Attachment | Promise<Attachment>;

  /** Removes all streams of a session and displaces their readers. */
  clear(sessionId: string): Promise<void>;
}

export const EventLog = Symbol('EventLog');
