import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { McpError } from '../../protocol/errors.js';
import type {
  AppendedEvent,
  Attachment,
  AttachmentListener,
  EventLog,
  EventRead,
  LoggedEvent,
} from '../event-log.port.js';
import { notify, warnOfListenerError, type ListenerErrorHandler } from '../notify.js';
import { PATIENCE_MS, patiently } from '../patience.js';
import type { SessionLimits } from '../session-backend.js';
import { APPEND, ATTACH, CLEAR, DETACH, HOLD, READ } from './event-log-scripts.js';
import { inBatches } from './in-batches.js';
import { randomTag } from './random-tag.js';
import type { ReplicaLink } from './replica-link.js';

export interface RedisEventLogOptions extends NonNullable<SessionLimits['events']> {
  /**
   * Size of the events kept of all streams of one session, in bytes of UTF-8; beyond it, those go that were written least
   * recently and that nobody reads. Default 16 MiB.
   */
  readonly maxSessionBytes?: number;
  /**
   * How long an append or an attach is tried again while Redis is away, before it is refused. Milliseconds; default
   * 10,000. An event is written once, however often it was tried.
   */
  readonly patienceMs?: number;
  /** How long one who takes a stream over waits for the former reader to let go. Milliseconds; default 1,000. */
  readonly handoverMs?: number;
  /** Hears of an error that a listener threw. Default: a process warning. */
  readonly onListenerError?: ListenerErrorHandler;
  /** Epoch milliseconds, for tests. Default: the clock of the Redis server. */
  readonly now?: () => number;
}

/** A connection of this replica that reads a stream. */
interface LocalReader {
  readonly id: string;
  readonly sessionId: string;
  readonly streamId: string;
  readonly listener: AttachmentListener;
  /** The replica that wrote what was read last. */
  producer: string | undefined;
}

const CURSOR = /^[1-9]\d{0,14}-\d{1,15}$/;
const NO_CURSOR = '0-1';
/** Keys live at least this long, so that those who read have the time to say that they still do. */
const MIN_LIFE_MS = 120_000;

/**
 * The event streams of all replicas. The books and the events of a stream are one step of Redis; a wake-up is a message
 * to the replica whose connection reads, and the sweep makes up for one that was lost.
 *
 * Streams belong to sessions: nothing is written for a session that is gone.
 */
export class RedisEventLog implements EventLog {
  readonly #link: ReplicaLink;
  readonly #options: Required<Omit<RedisEventLogOptions, 'now'>>;
  readonly #now: () => number | '';
  readonly #lifeMs: number;
  /** By the id of the connection. */
  readonly #readers = new Map<string, LocalReader>();
  /** The connection that reads, by the key of the books. */
  readonly #byStream = new Map<string, LocalReader>();
  /** Those who wait for a former reader to let go, by the id of their own connection. */
  /** Readers that were taken over, until they have let go. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #handovers = new Map<string, () => void>();
  readonly #gone = new Set<string>();

  constructor(link: ReplicaLink, options: RedisEventLogOptions = {}) {
    const { now, ...given } = options;
    this.#link = link;
    this.#options = {
      maxEvents: 1_000,
      maxBytes: 4 * 1024 * 1024,
      maxSessionBytes: 16 * 1024 * 1024,
      maxStreams: 100,
      retentionMs: 5 * 60_000,
      patienceMs: PATIENCE_MS,
      handoverMs: 1_000,
      onListenerError: warnOfListenerError,
      ...given,
    };
    this.#now = now ?? (() => '');
    this.#lifeMs = Math.max(this.#options.retentionMs, MIN_LIFE_MS);
    link.on('wake', ([reader]) => this.#wake(reader));
    link.on('displaced', ([, , reader, replica, successor]) => void this.#giveWay(reader, replica, successor));
    link.on('released', ([reader]) => this.#handovers.get(reader ?? '')?.());
    link.onSweep(() => this.#holdAll());
    link.onGone({ replicas: () => this.#producers(), gone: (replica) => this.#mourn(replica) });
  }

  /**
   * @throws Error when the stream has ended
   * @throws McpError `SESSION_NOT_FOUND` when the session is gone
   * @throws McpError `UNAVAILABLE` when Redis is away, or the session has too many streams and all are being read
   */
  async append(sessionId: string, streamId: string, data: string, last = false): Promise<string> {
    const { maxEvents, maxBytes, maxSessionBytes, maxStreams, retentionMs } = this.#options;
    const keys = this.#keys(sessionId, streamId);
    const event = [this.#link.keys.ofSession(sessionId), streamId, data, last ? '1' : '0', randomTag()];
    const limits = [maxEvents, maxBytes, maxStreams, retentionMs, this.#lifeMs, maxSessionBytes];
    const reply = await patiently(this.#options.patienceMs, () =>
      this.#link.run(APPEND, keys, [this.#now(), ...event, this.#link.id, this.#link.keys.inboxPrefix, ...limits]),
    );
    const [status, cursor = '', reader, after] = reply as string[];
    this.#require(status);
    this.#wake(reader, after === undefined ? undefined : { cursor, data, last, after });
    return cursor;
  }

  async read(sessionId: string, streamId: string, after: string, limit: number): Promise<EventRead> {
    const keys = this.#keys(sessionId, streamId).slice(2);
    // What is no cursor is asked for all the same, in a form that Redis can read: first of all the stream must exist.
    const cursor = after === '' || CURSOR.test(after) ? after : NO_CURSOR;
    const reply = await this.#link.run(READ, keys, [this.#now(), this.#options.retentionMs, cursor, limit]);
    const [status, producer = '', ...fields] = reply as string[];
    if (status !== 'ok') return { status: status as 'ended' | 'gap' | 'unknown' };

    this.#remember(sessionId, streamId, producer);
    if (fields.length === 0 && (await this.#isGone(producer))) return { status: 'orphaned' };
    const events: LoggedEvent[] = [];
    for (let i = 0; i < fields.length; i += 3) {
      events.push({ cursor: fields[i] ?? '', data: fields[i + 1] ?? '', last: fields[i + 2] === '1' });
    }
    return { status: 'ok', events };
  }

  /**
   * @throws McpError `SESSION_NOT_FOUND` when the session is gone
   * @throws McpError `UNAVAILABLE` when Redis is away, or the session has too many streams and all are being read
   */
  async attach(sessionId: string, streamId: string, listener: AttachmentListener): Promise<Attachment> {
    const reader = randomBytes(12).toString('base64url');
    const local: LocalReader = { id: reader, sessionId, streamId, listener, producer: undefined };
    const stream = this.#link.keys.streamMeta(sessionId, streamId);
    const former = this.#byStream.get(stream);
    // First of all, since it may be woken before the reply is here.
    this.#readers.set(reader, local);
    this.#byStream.set(stream, local);
    try {
      const position = await this.#takeOver(sessionId, streamId, reader);
      if (former) await this.#giveWay(former.id);
      if (position > 0) this.#wake(reader);
    } catch (error) {
      this.#forget(reader);
      throw error;
    }
    return { detach: () => this.#detach(sessionId, streamId, reader) };
  }

  async clear(sessionId: string): Promise<void> {
    const { keys } = this.#link;
    await this.#link.run(CLEAR, [keys.streams(sessionId)], [keys.ofSession(sessionId), keys.inboxPrefix, sessionId]);
  }

  /** @returns the position of the stream */
  async #takeOver(sessionId: string, streamId: string, reader: string): Promise<number> {
    const { keys, id } = this.#link;
    const { maxStreams, retentionMs } = this.#options;
    // Waiting begins before the former reader can know.
    const handover = this.#expectHandover(reader);
    try {
      const own = this.#keys(sessionId, streamId).slice(0, 3);
      const names = [keys.ofSession(sessionId), streamId, id, reader, keys.inboxPrefix];
      const limits = [maxStreams, retentionMs, this.#lifeMs, sessionId];
      const reply = await patiently(this.#options.patienceMs, () =>
        this.#link.run(ATTACH, own, [this.#now(), ...names, ...limits]),
      );
      const [status, holder = '', position] = reply as string[];
      this.#require(status);
      if (holder !== '' && holder !== id) await handover.done;
      return Number(position);
    } finally {
      handover.cancel();
    }
  }

  #expectHandover(reader: string): { readonly done: Promise<void>; cancel(): void } {
    const abort = new AbortController();
    const patience = delay(this.#options.handoverMs, undefined, { signal: abort.signal, ref: false });
    const done = patience.catch(() => undefined).then(() => void this.#handovers.delete(reader));
    const cancel = (): void => abort.abort();
    this.#handovers.set(reader, cancel);
    return { done, cancel };
  }

  /** Ends a reader that was taken over, and tells the one who took over when it has let go. */
  async #giveWay(reader = '', replica = '', successor = ''): Promise<void> {
    await this.#letGo(reader);
    if (replica === '') return;
    const message = JSON.stringify(['released', successor]);
    const inbox = this.#link.keys.inbox(replica);
    // The other one has its patience; without Redis there is no telling it.
    await this.#link.send((client) => client.publish(inbox, message), 'publish').catch(() => undefined);
  }

  /** The sweep and the message of the successor may both find out: the second waits for what the first has begun. */
  #letGo(reader: string): Promise<void> {
    const leaving = this.#leaving.get(reader) ?? this.#displace(this.#forget(reader)?.listener);
    this.#leaving.set(reader, leaving);
    return leaving.finally(() => this.#leaving.delete(reader));
  }

  async #displace(listener: AttachmentListener | undefined): Promise<void> {
    try {
      await listener?.displaced();
    } catch (error) {
      this.#options.onListenerError(error);
    }
  }

  #detach(sessionId: string, streamId: string, reader: string): void {
    if (!this.#forget(reader)) return;
    const [, ...keys] = this.#keys(sessionId, streamId);
    // A stream that is not let go of now is when its keys lapse.
    this.#link.run(DETACH, keys, [this.#now(), streamId, reader]).catch(() => undefined);
  }

  #wake(reader = '', event?: AppendedEvent): void {
    const local = this.#readers.get(reader);
    if (local) notify(() => local.listener.wake(event), this.#options.onListenerError);
  }

  /** Keeps what is being read, and wakes those whose wake-up may have been lost. */
  async #holdAll(): Promise<void> {
    await inBatches([...this.#readers], async ([reader, { sessionId, streamId }]) => {
      const reply = await this.#link.run(HOLD, this.#keys(sessionId, streamId), [reader, this.#lifeMs]);
      const [status, position] = reply as string[];
      // It may have been attached or detached while the question was on its way.
      if (!this.#readers.has(reader) || this.#handovers.has(reader)) return;
      if (status === 'lost') await this.#giveWay(reader);
      else if (position !== '0') this.#wake(reader);
    });
  }

  #remember(sessionId: string, streamId: string, producer: string): void {
    if (producer === this.#link.id) return;
    const reader = this.#byStream.get(this.#link.keys.streamMeta(sessionId, streamId));
    if (reader) reader.producer = producer;
  }

  #forget(reader: string): LocalReader | undefined {
    const local = this.#readers.get(reader);
    if (!local) return undefined;
    this.#readers.delete(reader);
    const stream = this.#link.keys.streamMeta(local.sessionId, local.streamId);
    // It may be another connection's by now.
    if (this.#byStream.get(stream) === local) this.#byStream.delete(stream);
    return local;
  }

  *#producers(): Iterable<string> {
    for (const { producer } of this.#readers.values()) {
      if (producer !== undefined && !this.#gone.has(producer)) yield producer;
    }
  }

  /** Asked again each time: a replica that only stood still for a while is not gone. */
  async #isGone(replica: string): Promise<boolean> {
    if (!this.#gone.has(replica)) return false;
    if (await this.#link.isGone(replica)) return true;
    this.#gone.delete(replica);
    return false;
  }

  #mourn(replica: string): void {
    this.#gone.add(replica);
    for (const [reader, { producer }] of this.#readers) if (producer === replica) this.#wake(reader);
  }

  /** @throws what a script that could not do its work comes to */
  #require(status: string | undefined): void {
    if (status === 'ok') return;
    if (status === 'gone') throw new McpError('SESSION_NOT_FOUND', 'The session has ended.');
    if (status === 'ended') throw new Error('The stream has ended: its response was written before.');
    throw new McpError('UNAVAILABLE', 'Too many streams are open on this session. Close one first.');
  }

  #keys(sessionId: string, streamId: string): [session: string, index: string, meta: string, stream: string] {
    const { keys } = this.#link;
    return [
      keys.session(sessionId),
      keys.streams(sessionId),
      keys.streamMeta(sessionId, streamId),
      keys.stream(sessionId, streamId),
    ];
  }
}
