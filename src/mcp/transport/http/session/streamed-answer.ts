import { McpError } from '../../../protocol/errors.js';
import { recover } from '../../../protocol/now-or-later.js';
import { patiently } from '../../../session/patience.js';
import type { HttpReply } from '../exchange.js';
import { SseResponse } from '../sse-response.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import { EventPump, type PumpStart } from './event-pump.js';
import { endWithErrors, reportLoss } from './lost-events.js';

/** Events that the log may be ahead of the connection before it waits for it: it is short. */
const MAX_AHEAD = 64;

/** Milliseconds that the log is waited for when there is no connection, or no hurry. */
const ABSENT_MS = 5 * 60_000;

/** An event of the answer. */
interface Frame {
  readonly data: string;
  readonly last: boolean;
}

/**
 * An answer that is a stream. Everything goes through the event log, so that it outlives the connection; as long as the
 * log takes it at once, nothing waits.
 */
export class StreamedAnswer {
  private readonly sse: SseResponse;
  private readonly pump: EventPump;
  /** In the log, but perhaps not sent yet. */
  private readonly unread: (Frame & { readonly cursor: string })[] = [];
  /** True once the log has refused a message. */
  private withoutLog = false;
  /** What waits until the frames before it are written. */
  private readonly queue: Frame[] = [];
  private writing: Promise<void> | undefined;

  constructor(
    private readonly services: WireServices & SessionServices,
    private readonly position: PumpStart,
    reply: HttpReply,
  ) {
    const { keepAlive, options, logger } = services;
    const { streamId } = position;
    this.sse = new SseResponse(reply, keepAlive, options, 'call');
    this.pump = new EventPump(services, this.sse, position, (reason, cause) => {
      logger.error(`An answer could not be read back from the event log (${reason}).`, cause);
      reportLoss(this.sse, streamId);
      this.sse.end();
    });
    const started = recover(
      () => this.pump.start(),
      (cause) => this.doWithoutLog(cause),
    );
    if (started instanceof Promise) this.writing = this.writeAfter(started);
    this.append('', false);
  }

  /** Settles when all that was said so far has been written to the log, or sent without it. Never rejects. */
  get written(): Promise<void> | undefined {
    return this.writing;
  }

  /** How many events wait to be written. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Adds an event; the last one ends the stream. */
  append(data: string, last: boolean): void {
    const frame = { data, last };
    if (this.writing) {
      this.queue.push(frame);
      return;
    }
    const writing = this.write(frame);
    if (writing) this.writing = this.writeAfter(writing);
  }

  /** Ends the connection as soon as the client can poll for the rest. */
  async release(): Promise<void> {
    await this.writing;
    await this.pump.caughtUp();
    // The client can only poll for what follows an event that it has seen.
    if (!this.withoutLog && this.pump.position !== '') this.sse.end();
  }

  /** Ends the connection: nothing is kept of the stream any more. */
  end(): void {
    this.sse.end();
  }

  /** Writes what waits, one after the other. Never rejects. */
  private async writeAfter(earlier: Promise<void>): Promise<void> {
    await earlier;
    for (let frame = this.queue[0]; frame; frame = this.queue[0]) {
      await this.write(frame);
      this.queue.shift();
    }
    this.writing = undefined;
  }

  /** Never throws or rejects. */
  private write(frame: Frame): Promise<void> | undefined {
    if (this.withoutLog || this.sse.needsDrain || this.unread.length >= MAX_AHEAD) return this.writeLater(frame);
    return this.log(frame)?.catch((cause: unknown) => this.sendWithoutLog(frame, cause));
  }

  /** Writes when the reader has caught up: the log must not run ahead of one that is there and only needs a moment. */
  private async writeLater(frame: Frame): Promise<void> {
    try {
      await this.sse.drained();
      if (this.withoutLog) return this.sendDirectly(frame);
      await this.pump.caughtUp();
      await this.log(frame);
    } catch (cause) {
      this.sendWithoutLog(frame, cause);
    }
  }

  /** Writes an event to the log; for as long as it takes, while there is no connection to which it could go instead. */
  private log(frame: Frame): Promise<void> | undefined {
    const cursor = this.appendToLog(frame);
    if (typeof cursor === 'string') {
      this.logged(frame, cursor);
      return undefined;
    }
    return cursor
      .catch((cause: unknown) => {
        if (!this.sse.closed) throw cause;
        return patiently(ABSENT_MS, () => this.appendToLog(frame));
      })
      .then((late) => this.logged(frame, late));
  }

  private appendToLog({ data, last }: Frame): string | Promise<string> {
    const { record, streamId } = this.position;
    try {
      return this.services.events.append(record.id, streamId, data, last);
    } catch (cause) {
      return Promise.reject(cause);
    }
  }

  /** What is in the log need not have been read from there yet when the log goes away. */
  private logged({ data, last }: Frame, cursor: string): void {
    this.services.telemetry.eventAppended();
    this.forgetRead();
    if (this.pump.position !== cursor && !this.sse.closed) this.unread.push({ data, last, cursor });
  }

  private forgetRead(): void {
    if (this.unread.length === 0) return;
    const { position } = this.pump;
    const read = this.unread.findLastIndex(({ cursor }) => cursor === position);
    this.unread.splice(0, read + 1);
  }

  private sendWithoutLog(frame: Frame, cause: unknown): void {
    this.doWithoutLog(cause);
    this.sendDirectly(frame);
  }

  /** The work may be done already, so its answer goes to the one connection there is; it cannot be resumed. */
  private doWithoutLog(cause: unknown): void {
    if (this.withoutLog) return;
    this.withoutLog = true;
    this.pump.stop();
    const { position } = this.pump;
    this.forgetRead();
    for (const event of this.unread.splice(0)) this.sendDirectly(event);
    // A session that has ended has no log, and nobody who could resume.
    if (cause instanceof McpError && cause.reason === 'SESSION_NOT_FOUND') return;
    this.services.logger.error('The event log refused an answer; it goes out, but cannot be resumed.', cause);
    if (position !== '') this.endLog();
  }

  /** Whoever resumes the stream all the same must not wait for what never came into the log. */
  private endLog(): void {
    const { logger } = this.services;
    const { record, streamId } = this.position;
    const end = (): Promise<void> => endWithErrors(this.services, record.id, streamId);
    patiently(ABSENT_MS, end).catch((cause: unknown) => {
      logger.warn('A stream was left without an end in the event log; who resumes it waits in vain.', cause);
    });
  }

  private sendDirectly({ data, last }: Frame): void {
    if (data !== '') this.sse.send({ data });
    if (last) this.sse.end();
  }
}
