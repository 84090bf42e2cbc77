import type { Attachment, LoggedEvent } from '../../../session/event-log.port.js';
import type { SessionRecord } from '../../../session/session-record.js';
import type { SseResponse } from '../sse-response.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import { eventId } from './event-id.js';

/** Events read at a time. */
const BATCH = 64;

/** Where a connection reads. */
export interface ReadPosition {
  readonly record: SessionRecord;
  readonly streamId: string;
  /** Cursor after which to begin; `''` is the beginning. */
  readonly after: string;
}

/**
 * Carries a stream from the log to a connection. Replay and live delivery are the same loop: it reads on from its
 * cursor whenever it is told that there may be more.
 */
export class EventPump {
  private cursor: string;
  private attachment: Attachment | undefined;
  private reading = false;
  private again = false;

  constructor(
    private readonly services: Pick<WireServices & SessionServices, 'events' | 'options'>,
    private readonly sse: SseResponse,
    private readonly position: ReadPosition,
    /** Hears of a log that cannot be read, or does not hold what was asked for. */
    private readonly onLoss: (reason: 'gap' | 'failed', cause?: unknown) => void,
  ) {
    this.cursor = position.after;
  }

  async start(): Promise<void> {
    const { record, streamId } = this.position;
    this.sse.onClose(() => this.attachment?.detach());
    this.attachment = await this.services.events.attach(record.id, streamId, {
      wake: () => this.wake(),
      displaced: () => this.sse.end(),
    });
    if (this.sse.closed) this.attachment.detach();
    this.wake();
  }

  private wake(): void {
    this.again = true;
    if (this.reading) return;
    this.reading = true;
    this.readOn().catch((cause: unknown) => this.onLoss('failed', cause));
  }

  private async readOn(): Promise<void> {
    try {
      while (this.again && !this.sse.closed) {
        this.again = false;
        await this.readBatch();
      }
    } finally {
      // In the same turn as the last look at `again`: a wake in between would be lost.
      this.reading = false;
    }
  }

  private async readBatch(): Promise<void> {
    const { events } = this.services;
    const read = await events.read(this.position.record.id, this.position.streamId, this.cursor, BATCH);
    // A stream without events is not there yet; the first one will wake us.
    if (read.status === 'unknown') return;
    if (read.status === 'ended') return this.sse.end();
    if (read.status === 'gap') return this.onLoss('gap');
    for (const event of read.events) {
      await this.sse.drained();
      if (this.sse.closed) return;
      this.deliver(event);
    }
    if (read.events.length === BATCH) this.again = true;
  }

  private deliver({ cursor, data, last }: LoggedEvent): void {
    const { streamId, record } = this.position;
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
