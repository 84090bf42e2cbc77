import { McpError } from '../../protocol/errors.js';
import type { AppendedEvent, Attachment, AttachmentListener, EventLog, EventRead } from '../event-log.port.js';
import { LoggedStream, type StreamReader } from './logged-stream.js';
import { StreamQueue } from './stream-queue.js';
import { warnOfListenerError, type ListenerErrorHandler } from '../notify.js';
import { DEFAULT_SWEEP_MS, startSweepTimer } from '../sweep-timer.js';

export interface MemoryEventLogOptions {
  /** Events kept of one stream. Default 1,000. */
  readonly maxEvents?: number;
  /** Size of the events kept of one stream, in bytes of UTF-8. Default 4 MiB. */
  readonly maxBytes?: number;
  /** Size of all events kept, in bytes of UTF-8; the streams least recently written lose theirs. Default 256 MiB. */
  readonly maxTotalBytes?: number;
  /**
   * Streams of one session; the least recently written one without a reader makes room for a new one. Default 100.
   */
  readonly maxStreams?: number;
  /**
   * How long a stream is kept after its last event, or after its last reader left if that was later. Milliseconds;
   * default 5 minutes. A stream that is being read is kept.
   */
  readonly retentionMs?: number;
  /** How often expired streams are looked for. Milliseconds; default 30 seconds. */
  readonly sweepMs?: number;
  /** Hears of an error that a listener threw. Default: a process warning. */
  readonly onListenerError?: ListenerErrorHandler;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * The event streams of one process. Listeners are called synchronously, from within the append, attach or clear that
 * gives the reason.
 *
 * Whatever had to be trimmed is a gap for those who have not read it, and only for them: a reader that has seen all
 * that is missing reads on. That holds for an event larger than the cap too: it is counted, trimmed at once, and a gap
 * for everyone.
 */
export class MemoryEventLog implements EventLog {
  /** The streams of each session; of those that nobody reads, the one that was touched least recently comes first. */
  readonly #sessions = new Map<string, Map<string, LoggedStream>>();
  /** The streams that hold events. */
  readonly #loaded = new StreamQueue();
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #maxTotalBytes: number;
  readonly #maxStreams: number;
  readonly #retentionMs: number;
  readonly #onListenerError: ListenerErrorHandler;
  readonly #now: () => number;
  readonly #stopSweeping: () => void;
  #totalBytes = 0;
  #streamsMade = 0;

  constructor(options: MemoryEventLogOptions = {}) {
    this.#maxEvents = options.maxEvents ?? 1_000;
    this.#maxBytes = options.maxBytes ?? 4 * 1024 * 1024;
    this.#maxTotalBytes = options.maxTotalBytes ?? 256 * 1024 * 1024;
    this.#maxStreams = options.maxStreams ?? 100;
    this.#retentionMs = options.retentionMs ?? 5 * 60_000;
    this.#onListenerError = options.onListenerError ?? warnOfListenerError;
    this.#now = options.now ?? Date.now;
    this.#stopSweeping = startSweepTimer(() => this.#removeExpired(), options.sweepMs ?? DEFAULT_SWEEP_MS);
  }

  /**
   * @throws Error when the stream has ended
   * @throws McpError `UNAVAILABLE` when the session has too many streams and all of them are being read
   */
  append(sessionId: string, streamId: string, data: string, last = false): string {
    const stream = this.#find(sessionId, streamId) ?? this.#make(sessionId, streamId);
    if (stream.ended) throw new Error('The stream has ended: its response was written before.');

    const before = stream.bytes;
    const event = stream.append(data, last);
    stream.trim(this.#maxEvents, this.#maxBytes);
    this.#totalBytes += stream.bytes - before;
    if (stream.length > 0) this.#loaded.putLast(stream);
    else this.#loaded.remove(stream);
    if (last) stream.pack();
    this.#keepWithinTotal();

    const { reader } = stream;
    // While somebody reads it, it is not asked when it was touched last.
    if (!reader) this.#touch(stream);
    // What is too large to be kept is a gap for the reader as well.
    else this.#wake(reader.listener, stream.length > 0 ? event : undefined);
    return event.cursor;
  }

  read(sessionId: string, streamId: string, after: string, limit: number): EventRead {
    const stream = this.#find(sessionId, streamId);
    return stream?.exists ? stream.read(after, limit) : { status: 'unknown' };
  }

  /** @throws McpError `UNAVAILABLE` when the session has too many streams and all of them are being read */
  attach(sessionId: string, streamId: string, listener: AttachmentListener): Attachment | Promise<Attachment> {
    const stream = this.#find(sessionId, streamId) ?? this.#make(sessionId, streamId);
    const former = stream.reader;
    const reader = new Reader(stream, listener, (left) => this.#touch(left));
    stream.reader = reader;
    if (former) return this.#displace(former.listener).then(() => this.#attached(reader));
    return this.#attached(reader);
  }

  async clear(sessionId: string): Promise<void> {
    for (const stream of [...(this.#sessions.get(sessionId)?.values() ?? [])]) {
      this.#remove(stream);
      if (stream.reader) void this.#displace(stream.reader.listener);
    }
  }

  /** Stops the sweep. */
  close(): void {
    this.#stopSweeping();
  }

  #attached(reader: Reader): Reader {
    const { stream, listener } = reader;
    // The former reader may have answered by taking the stream back.
    if (stream.reader === reader && stream.exists) this.#wake(listener);
    return reader;
  }

  #wake(listener: AttachmentListener, event?: AppendedEvent): void {
    try {
      listener.wake(event);
    } catch (error) {
      this.#onListenerError(error);
    }
  }

  async #displace(listener: AttachmentListener): Promise<void> {
    try {
      await listener.displaced();
    } catch (error) {
      this.#onListenerError(error);
    }
  }

  /** The stream, unless its time is over. */
  #find(sessionId: string, streamId: string): LoggedStream | undefined {
    const stream = this.#sessions.get(sessionId)?.get(streamId);
    if (!stream || !this.#isExpired(stream)) return stream;
    this.#remove(stream);
    return undefined;
  }

  #make(sessionId: string, streamId: string): LoggedStream {
    const streams = this.#sessions.get(sessionId) ?? new Map<string, LoggedStream>();
    if (streams.size >= this.#maxStreams) this.#makeRoom(streams);

    this.#streamsMade += 1;
    const stream = new LoggedStream(sessionId, streamId, this.#streamsMade, this.#now());
    // Only now, since making room may have dropped the session's last stream, and with it the map.
    this.#sessions.set(sessionId, streams.set(streamId, stream));
    return stream;
  }

  #makeRoom(streams: ReadonlyMap<string, LoggedStream>): void {
    // Those that nobody reads are in the order in which they were touched last.
    for (const stream of streams.values()) if (!stream.reader) return this.#remove(stream);
    throw new McpError('UNAVAILABLE', 'Too many streams are open on this session. Close one first.');
  }

  /** Notes that a stream that nobody reads was written, or was read until now. */
  #touch(stream: LoggedStream): void {
    stream.touchedAt = this.#now();
    const streams = this.#sessions.get(stream.sessionId);
    // It may have been removed.
    if (streams?.get(stream.streamId) !== stream) return;
    streams.delete(stream.streamId);
    streams.set(stream.streamId, stream);
  }

  #keepWithinTotal(): void {
    for (let { first } = this.#loaded; first && this.#totalBytes > this.#maxTotalBytes; first = this.#loaded.first) {
      this.#empty(first);
    }
  }

  #empty(stream: LoggedStream): void {
    this.#totalBytes -= stream.bytes;
    this.#loaded.remove(stream);
    stream.empty();
  }

  #isExpired(stream: LoggedStream): boolean {
    return !stream.reader && this.#now() >= stream.touchedAt + this.#retentionMs;
  }

  #removeExpired(): void {
    for (const streams of this.#sessions.values()) {
      for (const stream of streams.values()) {
        if (this.#isExpired(stream)) this.#remove(stream);
      }
    }
  }

  #remove(stream: LoggedStream): void {
    this.#empty(stream);
    const streams = this.#sessions.get(stream.sessionId);
    streams?.delete(stream.streamId);
    if (streams?.size === 0) this.#sessions.delete(stream.sessionId);
  }
}

/** A connection that reads a stream. A listener that is attached twice is two of them. */
class Reader implements StreamReader {
  constructor(
    readonly stream: LoggedStream,
    readonly listener: AttachmentListener,
    private readonly left: (stream: LoggedStream) => void,
  ) {}

  detach(): void {
    if (this.stream.reader !== this) return;
    this.stream.reader = undefined;
    this.left(this.stream);
  }
}
