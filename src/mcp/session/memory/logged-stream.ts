import type { Attachment, AttachmentListener, EventRead, LoggedEvent } from '../event-log.port.js';

/** The connection that reads a stream. */
export interface StreamReader extends Attachment {
  readonly listener: AttachmentListener;
}

interface StoredEvent extends LoggedEvent {
  readonly bytes: number;
}

/**
 * One stream of the memory event log: a window over a sequence of events. `#floor` counts the events that were
 * trimmed away, so the window covers a cursor exactly if no event after it is missing.
 */
export class LoggedStream {
  reader: StreamReader | undefined;
  /** Size of the events in the window, in bytes of UTF-8. */
  bytes = 0;
  /** True once the last event was written. */
  ended = false;
  readonly #events: StoredEvent[] = [];
  #floor = 0;

  /**
   * @param id unique among all streams there ever were, so that a cursor of an earlier stream of the same name is
   *   known for foreign
   * @param touchedAt epoch milliseconds of the last event, or of the moment the last reader left
   */
  constructor(
    readonly sessionId: string,
    readonly streamId: string,
    readonly id: number,
    public touchedAt: number,
  ) {}

  /** True once something was appended, even if it has been trimmed away since. */
  get exists(): boolean {
    return this.#tail > 0;
  }

  get length(): number {
    return this.#events.length;
  }

  get #tail(): number {
    return this.#floor + this.#events.length;
  }

  append(data: string, last: boolean): string {
    const event = { cursor: this.#cursorAt(this.#tail + 1), data, last, bytes: Buffer.byteLength(data) };
    this.#events.push(event);
    this.bytes += event.bytes;
    this.ended = last;
    return event.cursor;
  }

  /** Drops the oldest events until the window is no longer and no larger than this. */
  trim(maxEvents: number, maxBytes: number): void {
    let count = 0;
    let bytes = this.bytes;
    for (const event of this.#events) {
      if (this.#events.length - count <= maxEvents && bytes <= maxBytes) break;
      bytes -= event.bytes;
      count += 1;
    }
    this.#events.splice(0, count);
    this.#floor += count;
    this.bytes = bytes;
  }

  read(after: string, limit: number): EventRead {
    const position = after === '' ? 0 : this.#positionOf(after);
    if (position === undefined || position < this.#floor || position > this.#tail) return { status: 'gap' };
    if (this.ended && position === this.#tail) return { status: 'ended' };
    const start = position - this.#floor;
    const events = this.#events.slice(start, start + limit).map(({ cursor, data, last }) => ({ cursor, data, last }));
    return { status: 'ok', events };
  }

  #cursorAt(position: number): string {
    return `${this.id}-${position}`;
  }

  #positionOf(cursor: string): number | undefined {
    const position = Number(cursor.slice(cursor.indexOf('-') + 1));
    const isPosition = Number.isSafeInteger(position) && position >= 1;
    return isPosition && cursor === this.#cursorAt(position) ? position : undefined;
  }
}
