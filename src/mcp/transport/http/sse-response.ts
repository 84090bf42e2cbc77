import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { HttpOptions } from './http-options.js';

export interface SseEvent {
  readonly id?: string;
  /** One line; an empty string primes the client with the id alone. */
  readonly data?: string;
  /** Milliseconds. */
  readonly retry?: number;
}

/** What a stream is for: a GET (changes, or the rest of an answer), `subscriptions/listen`, or the answer to a call. */
export type StreamKind = 'get' | 'listen' | 'call';

/**
 * A response that stays open as `text/event-stream`. It owns its socket from the first byte on: Fastify's headers
 * (CORS, helmet) are copied, since a hijacked reply would lose them.
 */
export class SseResponse {
  private readonly raw: ServerResponse;
  private readonly closeListeners: (() => void)[] = [];

  constructor(
    reply: FastifyReply,
    private readonly keepAlive: KeepAlive,
    /** How much may wait for a slow reader before nothing more is {@link offer}ed, and for how long. */
    private readonly limits: Pick<HttpOptions, 'maxBufferedBytes' | 'stalledReaderMs'>,
    readonly kind: StreamKind,
  ) {
    const inherited = reply.getHeaders();
    reply.hijack();
    this.raw = reply.raw;
    for (const [name, value] of Object.entries(inherited)) if (value !== undefined) this.raw.setHeader(name, value);
    this.raw.removeHeader('content-length');
    for (const [name, value] of Object.entries(STREAM_HEADERS)) this.raw.setHeader(name, value);
    this.raw.writeHead(200);
    this.raw.flushHeaders();
    this.raw.on('error', () => this.raw.destroy());
    // Node counts a socket as active as long as its reader takes anything, however little.
    this.raw.setTimeout(limits.stalledReaderMs, () => {
      if (this.raw.writableLength > 0) this.raw.destroy();
    });
    this.raw.once('close', () => {
      this.keepAlive.remove(this);
      for (const listener of this.closeListeners) listener();
    });
    // The client may have left before there was anything to stream, and `close` with it.
    if (!this.raw.closed) this.keepAlive.add(this);
  }

  /** True once nothing can be sent any more. */
  get closed(): boolean {
    return this.raw.destroyed || this.raw.writableEnded;
  }

  /** Calls back when the connection is gone, whoever ended it. */
  onClose(listener: () => void): void {
    if (this.raw.closed) listener();
    else this.closeListeners.push(listener);
  }

  /**
   * Sends an event, unless too much is waiting for the reader already.
   * @returns false if it was not sent: the caller knows whether it can be left out or the stream is broken without it
   */
  offer(event: SseEvent): boolean {
    // What is waiting counts, not the event itself: one large result is no sign of a slow reader.
    if (this.raw.writableLength > this.limits.maxBufferedBytes) return false;
    this.send(event);
    return true;
  }

  /** Sends an event, however much is waiting. */
  send({ id, data, retry }: SseEvent): void {
    const idLine = id === undefined ? '' : `id: ${id}\n`;
    const retryLine = retry === undefined ? '' : `retry: ${retry}\n`;
    const dataLine = data === undefined ? '' : `data: ${data}\n`;
    this.write(`${idLine}${retryLine}${dataLine}\n`);
  }

  /** A line that clients ignore and proxies count as traffic. */
  comment(): void {
    if (!this.raw.writableNeedDrain) this.write(':\n\n');
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
    if (!this.closed) this.raw.end();
  }

  /** Breaks the connection off: the client sees that the stream did not end as it should. */
  destroy(): void {
    this.raw.destroy();
  }

  private write(text: string): void {
    if (!this.closed) this.raw.write(text);
  }
}

/** Set one by one, so that whoever looks at the response later can read them. */
const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** Sends a comment on every open stream now and then: one timer for all of them. */
export class KeepAlive {
  private readonly streams = new Set<SseResponse>();
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

  close(): void {
    clearInterval(this.timer);
  }
}
