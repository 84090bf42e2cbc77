import type { AppendedEvent, Attachment, AttachmentListener, EventRead, LoggedEvent } from '../event-log.port.js';
import { PackedTexts } from './packed-texts.js';

/** The connection that reads a stream. */
export interface StreamReader extends Attachment {
  readonly listener: AttachmentListener;
}

const NONE: string[] = [];

/**
 * One stream of the memory event log: a window over a sequence of events. `#floor` counts the events that were
 * trimmed away, so the window covers a cursor exactly if no event after it is missing. Of an event it keeps what cannot
 * be told from its place.
 */
export class LoggedStream {
  reader: StreamReader | undefined;
  /** Size of the events in the window, in bytes of UTF-8. */
  bytes = 0;
  /** True once the last event was written. */
  ended = false;
  /** Its place in a `StreamQueue`. */
  earlier: LoggedStream | undefined;
  later: LoggedStream | undefined;
  #data: string[] = [];
  /** The events of one that has ended, if it is short: see `pack`. */
  #packed: PackedTexts | undefined;
  #floor = 0;
  #newest = '';

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
    return this.#packed?.length ?? this.#data.length;
  }

  get #tail(): number {
    return this.#floor + this.length;
  }

  append(data: string, last: boolean): AppendedEvent {
    const after = this.#newest;
    this.#data.push(data);
    this.#newest = this.#cursorAt(this.#tail);
    this.bytes += Buffer.byteLength(data);
    this.ended = last;
    return { cursor: this.#newest, data, last, after };
  }

  /** Drops the oldest events until the window is no longer and no larger than this. */
  trim(maxEvents: number, maxBytes: number): void {
    if (this.length <= maxEvents && this.bytes <= maxBytes) return;
    let count = 0;
    for (const data of this.#data) {
      if (this.length - count <= maxEvents && this.bytes <= maxBytes) break;
      this.bytes -= Buffer.byteLength(data);
      count += 1;
    }
    this.#data.splice(0, count);
    this.#floor += count;
  }

  /** Drops all events. */
  empty(): void {
    this.#floor = this.#tail;
    this.#data = [];
    this.#packed = undefined;
    this.bytes = 0;
  }

  /** Makes one that has ended, and will be read by few, small. */
  pack(): void {
    this.#packed = PackedTexts.of(this.#data, this.bytes);
    if (this.#packed) this.#data = NONE;
  }

  read(after: string, limit: number): EventRead {
    const position = after === '' ? 0 : this.#positionOf(after);
    if (position === undefined || position < this.#floor || position > this.#tail) return { status: 'gap' };
    if (this.ended && position === this.#tail) return { status: 'ended' };
    const start = position - this.#floor;
    const events = (this.#packed ?? this.#data)
      .slice(start, start + limit)
      .map((data, n) => this.#eventAt(position + n + 1, data));
    return { status: 'ok', events };
  }

  #eventAt(position: number, data: string): LoggedEvent {
    return { cursor: this.#cursorAt(position), data, last: this.ended && position === this.#tail };
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
