import type { ServerResponse } from 'node:http';
import type { HttpReply } from './exchange.js';
import type { HttpOptions } from './http-options.js';
import { QuietConnection } from './quiet-connection.js';

export interface SseEvent {
  readonly id?: string;
  /** One line; an empty string primes the client with the id alone. */
  readonly data?: string;
  /** Milliseconds. */
  readonly retry?: number;
}

/** What a stream is for: a GET (changes, or the rest of an answer), `subscriptions/listen`, or the answer to a call. */
export type StreamKind = 'get' | 'listen' | 'call';

/** Characters of a turn that are held back to be written at once. */
const MAX_UNWRITTEN = 16 * 1024;
const NONE: readonly never[] = [];

/**
 * A response that stays open as `text/event-stream`. It owns its socket from the first byte on: Fastify's headers
 * (CORS, helmet) are copied, since a hijacked reply would lose them.
 *
 * What is said within one turn is written at its end, in one piece and, at first, with the head. There may be thousands
 * that are open and silent, so a stream holds no timer, and lets go of what only its opening needed.
 */
export class SseResponse {
  private readonly raw: ServerResponse;
  private closeListeners: readonly (() => void)[] = NONE;
  /** What was said in this turn. */
  private unwritten = '';
  /** True while a write is due at the end of this turn: at first, that of the head. */
  private due = false;
  /** True once the head is on its way. */
  private open = false;
  /** Null until the stream is open, and one that stays so; undefined if its connection must be as it is. */
  private connection: QuietConnection | undefined | null = null;
  /** What Node calls if the reader takes nothing; only while something waits for it. */
  private stalled: (() => void) | undefined;

  constructor(
    reply: HttpReply,
    private readonly keepAlive: KeepAlive,
    /** How much may wait for a slow reader before nothing more is {@link offer}ed, and for how long. */
    private readonly limits: Pick<HttpOptions, 'maxBufferedBytes' | 'stalledReaderMs'>,
    readonly kind: StreamKind,
  ) {
    const inherited = reply.getHeaders();
    reply.hijack();
    this.raw = reply.raw;
    writeHead(this.raw, inherited);
    this.raw.on('error', destroyThis);
    this.raw.on('close', () => {
      this.keepAlive.remove(this);
      for (const listener of this.closeListeners) listener();
      this.connection?.streamEnded();
    });
    // The client may have left before there was anything to stream, and `close` with it.
    if (this.raw.closed) return;
    this.keepAlive.add(this);
    this.writeSoon();
  }

  /** True once nothing can be sent any more. */
  get closed(): boolean {
    return this.raw.destroyed || this.raw.writableEnded;
  }

  /** Calls back when the connection is gone, whoever ended it. */
  onClose(listener: () => void): void {
    if (this.raw.closed) listener();
    // Of exactly the length: a list that grows keeps room for many more.
    else this.closeListeners = this.closeListeners.concat(listener);
  }

  /**
   * Sends an event, unless too much is waiting for the reader already.
   * @returns false if it was not sent: the caller knows whether it can be left out or the stream is broken without it
   */
  offer(event: SseEvent): boolean {
    // What is waiting counts, not the event itself: one large result is no sign of a slow reader.
    if (this.raw.writableLength + this.unwritten.length > this.limits.maxBufferedBytes) return false;
    this.send(event);
    return true;
  }

  /** Sends an event, however much is waiting. */
  send({ id, data, retry }: SseEvent): void {
    let text = '';
    if (id !== undefined) text = `id: ${id}\n`;
    if (retry !== undefined) text += `retry: ${retry}\n`;
    this.write(data === undefined ? `${text}\n` : `${text}data: ${data}\n\n`);
  }

  /** A line that clients ignore and proxies count as traffic. */
  comment(): void {
    if (!this.raw.writableNeedDrain) this.write(':\n\n');
  }

  /** Whether more is waiting for the reader than the socket wants: see {@link drained}. */
  get needsDrain(): boolean {
    return this.raw.writableNeedDrain;
  }

  /** Resolves when the reader has caught up, or is gone; one that stands still is gone after a while. */
  async drained(): Promise<void> {
    if (this.closed || !this.raw.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.raw.off('drain', done);
        this.raw.off('close', done);
        resolve();
      };
      this.raw.once('drain', done);
      this.raw.once('close', done);
    });
  }

  end(): void {
    if (this.closed) return;
    // The last events, and that they are the last, in one piece.
    this.raw.end(this.taken());
    this.keepAlive.watchReader(this);
  }

  /** Breaks the connection off: the client sees that the stream did not end as it should. */
  destroy(): void {
    this.raw.destroy();
  }

  /** @internal Writes what was said in this turn. */
  flush(): void {
    this.due = false;
    if (this.closed) return;
    if (this.unwritten !== '') this.raw.write(this.taken());
    else this.raw.flushHeaders();
    if (!this.open) this.forgetOpening();
    this.keepAlive.watchReader(this);
  }

  /** @internal The socket has had a moment for what was written. */
  written(): void {
    // A call is soon gone, and the next one may come over its connection.
    if (this.connection === null && this.kind !== 'call' && !this.closed) {
      this.connection = QuietConnection.of(this.raw);
    }
    this.watchReader();
  }

  /**
   * Gives up a reader that takes nothing of what waits for it. Node counts it as active as long as it takes anything,
   * however little.
   */
  private watchReader(): void {
    if (this.stalled !== undefined || this.raw.writableLength === 0 || this.raw.destroyed) return;
    this.stalled = () => {
      if (this.raw.writableLength > 0) this.raw.destroy();
      else this.unwatchReader();
    };
    this.raw.setTimeout(this.limits.stalledReaderMs, this.stalled);
  }

  private unwatchReader(): void {
    if (this.stalled) this.raw.off('timeout', this.stalled);
    this.stalled = undefined;
    // Once it has ended, the socket waits for another request, and Node for that.
    if (!this.raw.writableFinished) this.raw.setTimeout(0);
  }

  private write(text: string): void {
    if (this.closed) return;
    this.unwritten += text;
    if (this.unwritten.length >= MAX_UNWRITTEN) this.flush();
    else this.writeSoon();
  }

  private writeSoon(): void {
    if (this.due) return;
    this.due = true;
    process.nextTick(flush, this);
  }

  private taken(): string {
    const text = this.unwritten;
    this.unwritten = '';
    return text;
  }

  /** What nobody asks for again while the stream is open is a good part of its memory. */
  private forgetOpening(): void {
    this.open = true;
    // A call is soon gone, and what it needed with it.
    if (this.kind === 'call') return;
    forgetHead(this.raw);
  }
}

function flush(stream: SseResponse): void {
  stream.flush();
}

function destroyThis(this: ServerResponse): void {
  this.destroy();
}

const CONTENT_TYPE = 'content-type';
const STREAM_HEADERS = {
  [CONTENT_TYPE]: 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** Headers are set one by one, so that whoever looks at the response later can read the type. */
function writeHead(raw: ServerResponse, inherited: ReturnType<HttpReply['getHeaders']>): void {
  for (const name in inherited) {
    const value = inherited[name];
    // Some may be there already, set past Fastify.
    if (value !== undefined && raw.getHeader(name) !== value) raw.setHeader(name, value);
  }
  raw.removeHeader('content-length');
  for (const [name, value] of Object.entries(STREAM_HEADERS)) raw.setHeader(name, value);
  raw.writeHead(200);
}

/**
 * Node keeps the head of a response twice, as headers and as text, and that of the request as it came: 3 kB and more. All
 * of it has been sent and read; only the type is looked at later, by metrics and logs. `_header` is the text, and in the
 * way of any change. Where Node keeps the headers has no public name: if it ever moves, they are kept.
 */
function forgetHead(response: ServerResponse): void {
  const raw = response as ServerResponse & { _header?: string | null } & Record<symbol, unknown>;
  raw.req.rawHeaders = [];
  headersKey ??= Object.getOwnPropertySymbols(raw).find(({ description }) => description === 'kOutHeaders');
  if (headersKey === undefined || typeof raw._header !== 'string') return;
  if (typeHeader === undefined) {
    raw._header = null;
    raw[headersKey] = null;
    raw.setHeader(CONTENT_TYPE, STREAM_HEADERS[CONTENT_TYPE]);
    typeHeader = raw[headersKey];
  }
  raw[headersKey] = typeHeader;
  raw._header = 'sent';
}

let headersKey: symbol | undefined;
/** What Node makes of the type: all streams share it, since nobody can change what has been sent. */
let typeHeader: unknown;

/** What all streams that are open have in common: one timer for their comments, and one look at who reads. */
export class KeepAlive {
  private readonly streams = new Set<SseResponse>();
  private written: SseResponse[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(intervalMs: number) {
    this.timer = setInterval(() => {
      for (const stream of this.streams) stream.comment();
    }, intervalMs).unref();
  }

  /** Streams that are open, by kind. */
  get open(): Readonly<Record<StreamKind, number>> {
    const open = { get: 0, listen: 0, call: 0 };
    for (const { kind } of this.streams) open[kind] += 1;
    return open;
  }

  add(stream: SseResponse): void {
    this.streams.add(stream);
  }

  remove(stream: SseResponse): void {
    this.streams.delete(stream);
  }

  /** Looks after this turn whether the reader has taken what was written. */
  watchReader(stream: SseResponse): void {
    this.written.push(stream);
    if (this.written.length === 1) setImmediate(() => this.watchReaders());
  }

  close(): void {
    clearInterval(this.timer);
  }

  private watchReaders(): void {
    const { written } = this;
    this.written = [];
    for (const stream of written) stream.written();
  }
}
