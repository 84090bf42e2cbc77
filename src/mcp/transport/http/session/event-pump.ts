import type { StreamLoss } from '../../../observability/server-observer.port.js';
import { McpError } from '../../../protocol/errors.js';
import { goOn } from '../../../protocol/now-or-later.js';
import type { AppendedEvent, Attachment, AttachmentListener, LoggedEvent } from '../../../session/event-log.port.js';
import type { SessionRecord } from '../../../session/session-record.js';
import type { SseResponse } from '../sse-response.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import { eventId } from './event-id.js';

/** Events read at a time. */
const BATCH = 64;
/** Milliseconds, on average, until a log that cannot be reached is tried again. */
const RETRY_MS = 300;

/** Where a connection reads. */
export interface PumpStart {
  readonly record: SessionRecord;
  readonly streamId: string;
  /** Cursor after which to begin; `''` is the beginning. */
  readonly after: string;
}

/**
 * Carries a stream from the log to a connection. Replay and live delivery are the same loop: it reads on from its
 * cursor whenever it is told that there may be more. What it is handed while it has read all that is before, it does not
 * read again. While the log cannot be reached, it tries again: nothing is lost.
 */
export class EventPump implements AttachmentListener {
  private cursor: string;
  private attachment: Attachment | undefined;
  private reading: Promise<void> | undefined;
  private again = false;
  private stopped = false;

  constructor(
    private readonly services: Pick<WireServices & SessionServices, 'events' | 'options' | 'telemetry'>,
    private readonly sse: SseResponse,
    private readonly begin: PumpStart,
    private readonly onLoss: (reason: StreamLoss, cause?: unknown) => void,
  ) {
    this.cursor = begin.after;
  }

  /** @throws McpError when the stream cannot be taken over; now or later */
  start(): void | Promise<void> {
    const { record, streamId } = this.begin;
    this.sse.onClose(() => this.attachment?.detach());
    return goOn(this.services.events.attach(record.id, streamId, this), (attachment) => this.attached(attachment));
  }

  /** Reads no more: something else carries the stream to the connection. */
  stop(): void {
    this.stopped = true;
    this.attachment?.detach();
  }

  /** Cursor of the event that was sent last; `''` or where it began if there was none. */
  get position(): string {
    return this.cursor;
  }

  /** Resolves when all that the log has woken it for has been sent. Never rejects. */
  async caughtUp(): Promise<void> {
    while (this.reading) await this.reading;
  }

  /** Looks whether there is more, unless what there is was handed to it. */
  wake(event?: AppendedEvent): void {
    if (event?.after === this.cursor && this.takes) return this.deliver(event);
    this.again = true;
    if (this.reading || this.stopped) return;
    this.reading = this.readOn().catch((cause: unknown) => {
      if (!(cause instanceof McpError && cause.reason === 'UNAVAILABLE')) return this.lose('failed', cause);
      setTimeout(() => this.wake(), RETRY_MS * (0.5 + Math.random())).unref();
    });
  }

  /** @internal Another connection has the stream now. */
  displaced(): void {
    this.sse.end();
  }

  private attached(attachment: Attachment): void {
    this.attachment = attachment;
    if (this.sse.closed || this.stopped) attachment.detach();
    // One who resumes must also hear if the stream has gone, of which nobody wakes it.
    if (this.begin.after !== '') this.wake();
  }

  /** Whether an event can go out as it is. */
  private get takes(): boolean {
    return !this.reading && !this.stopped && !this.sse.closed && !this.sse.needsDrain;
  }

  private async readOn(): Promise<void> {
    // Never before it is known that this reads.
    await Promise.resolve();
    try {
      while (this.again && !this.sse.closed && !this.stopped) {
        this.again = false;
        await this.readBatch();
      }
    } finally {
      // In the same turn as the last look at `again`: a wake in between would be lost.
      this.reading = undefined;
    }
  }

  private async readBatch(): Promise<void> {
    const { events } = this.services;
    const read = await events.read(this.begin.record.id, this.begin.streamId, this.cursor, BATCH);
    // A stream without events is not there yet, and the first one will wake us; one that had some is gone.
    if (read.status === 'unknown' && this.cursor === '') return;
    if (read.status === 'unknown') return this.lose('gap');
    if (read.status === 'ended') return this.sse.end();
    if (read.status === 'gap' || read.status === 'orphaned') return this.lose(read.status);
    for (const event of read.events) {
      await this.sse.drained();
      if (this.sse.closed || this.stopped) return;
      this.deliver(event);
    }
    if (read.events.length === BATCH) this.again = true;
  }

  private lose(reason: StreamLoss, cause?: unknown): void {
    this.services.telemetry.streamLost(reason);
    this.onLoss(reason, cause);
  }

  private deliver({ cursor, data, last }: LoggedEvent): void {
    const { streamId, record } = this.begin;
    this.cursor = cursor;
    const id = eventId(streamId, cursor);
    if (data !== '') this.sse.send({ id, data });
    else if (!last && canPrime(record)) this.sse.send({ id, data, retry: this.services.options.retryMs });
    if (last) this.sse.end();
  }
}

/** Clients of earlier revisions would take an event without data for a broken message. */
export function canPrime({ revision }: SessionRecord): boolean {
  return revision >= '2025-11-25';
}
