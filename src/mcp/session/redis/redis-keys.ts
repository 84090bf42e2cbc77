import { createHash } from 'node:crypto';

/**
 * Names of all keys and channels. Whatever belongs to a session has the hash tag `{sessionId}`, so that it lies in one
 * slot of a cluster and one script can work on it.
 */
export class RedisKeys {
  /** Every replica hears this channel. */
  readonly everyone: string;
  /** Stream of changes. */
  readonly changes: string;
  /** Hash beside it: position, and what was trimmed. */
  readonly changesMeta: string;
  /** Sorted set of all session ids by the earliest moment they can expire. */
  readonly sessions: string;

  /**
   * @param prefix what all names begin with, such as `rookery:`
   * @throws Error when it holds a brace, which would put all keys into one slot of a cluster, or tear sessions apart
   */
  constructor(readonly prefix: string) {
    if (/[{}]/.test(prefix)) throw new Error(`The key prefix ${JSON.stringify(prefix)} must not hold braces.`);
    this.everyone = `${prefix}everyone`;
    this.changes = `${prefix}{changes}:log`;
    this.changesMeta = `${prefix}{changes}:meta`;
    this.sessions = `${prefix}sessions`;
  }

  /** Only this replica hears the channel. Scripts build it from {@link inboxPrefix}. */
  inbox(replica: string): string {
    return `${this.inboxPrefix}${replica}`;
  }

  get inboxPrefix(): string {
    return `${this.prefix}inbox:`;
  }

  /** Exists for as long as the replica is alive. */
  alive(replica: string): string {
    return `${this.prefix}alive:${replica}`;
  }

  /** Sorted set like {@link sessions}, of one owner; an owner is too long and too telling for a name. */
  sessionsOf(owner: string): string {
    return `${this.prefix}owner:${createHash('sha256').update(owner).digest('base64url')}`;
  }

  /** Hash: the record, with the requests that are running. */
  session(sessionId: string): string {
    return `${this.ofSession(sessionId)}session`;
  }

  /** Set of the URIs a session subscribed to. */
  subscriptions(sessionId: string): string {
    return `${this.ofSession(sessionId)}subscriptions`;
  }

  /** Hash whose fields are the replicas that watch the record. */
  watchers(sessionId: string): string {
    return `${this.ofSession(sessionId)}watchers`;
  }

  /** Hash of the questions that wait for an answer. */
  asks(sessionId: string): string {
    return `${this.ofSession(sessionId)}asks`;
  }

  /** Sorted set: ids of the session's streams by the time of their last event. */
  streams(sessionId: string): string {
    return `${this.ofSession(sessionId)}streams`;
  }

  /** Redis Stream of the events. Scripts build it from {@link ofSession}. */
  stream(sessionId: string, streamId: string): string {
    return `${this.ofSession(sessionId)}stream:${streamId}`;
  }

  /** Hash beside it: position, size, who reads, who writes. Scripts build it from {@link ofSession}. */
  streamMeta(sessionId: string, streamId: string): string {
    return `${this.ofSession(sessionId)}meta:${streamId}`;
  }

  /** What the names of all keys of a session begin with. An id that a client made up may hold braces. */
  ofSession(sessionId: string): string {
    return `${this.prefix}{${encodeURIComponent(sessionId)}}:`;
  }
}
