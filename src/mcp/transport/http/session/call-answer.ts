import type { FastifyReply } from 'fastify';
import type { ErrorOutcome } from '../../../dispatch/outcome.js';
import { McpError } from '../../../protocol/errors.js';
import type { SessionRecord } from '../../../session/session-record.js';
import { patiently } from '../../../session/patience.js';
import { type RequestId, errorFrame } from '../../json-rpc.js';
import { sendAccepted, sendError, sendErrorOutcome, sendJson } from '../replies.js';
import { SseResponse } from '../sse-response.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import { newStreamId } from './event-id.js';
import { endWithErrors, reportLoss } from './lost-events.js';
import { EventPump, canPrime } from './event-pump.js';

/** Messages of one answer that may wait to be written to the log. */
const MAX_QUEUED = 1_000;

/** Milliseconds that the log is waited for when there is no connection, or no hurry. */
const ABSENT_MS = 5 * 60_000;

/** An event of the answer. */
interface Frame {
  readonly data: string;
  readonly last: boolean;
}

/** What a POST has to be answered with. */
interface Expected {
  readonly requestIds: readonly RequestId[];
  /** True if the answer is a batch, as the request was. */
  readonly batch: boolean;
}

/**
 * The answer to a POST with requests: JSON, unless something has to be said before all responses are there. From then
 * on everything goes through the event log, so that it outlives the connection.
 */
export class CallAnswer {
  private readonly streamId: string;
  private readonly frames: string[] = [];
  private outstanding: number;
  private sse: SseResponse | undefined;
  private pump: EventPump | undefined;
  private waiting: NodeJS.Timeout | undefined;
  /** In the log, but perhaps not sent yet. */
  private readonly unread: (Frame & { readonly cursor: string })[] = [];
  /** True once the log has refused a message. */
  private withoutLog = false;
  /** Messages that wait to be written to the log. */
  private queued = 0;
  /** Appends happen one after the other, in the order of the calls. */
  private appended: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly services: WireServices & SessionServices,
    private readonly record: SessionRecord,
    private readonly reply: FastifyReply,
    private readonly expected: Expected,
  ) {
    this.streamId = newStreamId(expected.requestIds);
    this.outstanding = expected.requestIds.length;
    reply.raw.once('close', () => clearTimeout(this.waiting));
  }

  /** One of the requests may be served: from now on the answer becomes a stream if it takes long. */
  mayStream(): void {
    const { jsonOnly, streamAfterMs } = this.services.options;
    if (jsonOnly || this.waiting || this.sse || this.outstanding === 0 || this.reply.raw.closed) return;
    this.waiting = setTimeout(() => this.open(), streamAfterMs);
  }

  /** Settles when all that was said so far has been written to the log, or sent without it. Never rejects. */
  get written(): Promise<unknown> {
    return this.appended;
  }

  /** Sends a notification, unless too many are waiting already: progress and log messages can be left out. */
  notify(frame: string): void {
    if (this.services.options.jsonOnly || this.queued >= MAX_QUEUED) return;
    this.say(frame);
  }

  /** Sends a request of the server. Does nothing once all responses are there: they end the stream. */
  say(frame: string): void {
    if (this.outstanding === 0) return;
    this.open();
    this.append(frame, false);
  }

  /** Takes the response of one request; `undefined` if there is none because the client cancelled it. */
  respond(frame: string | undefined): void {
    if (this.outstanding === 0) return;
    this.outstanding -= 1;
    const last = this.outstanding === 0;
    if (this.sse) {
      // An empty last event ends the stream without saying anything.
      if (frame !== undefined || last) this.append(frame ?? '', last);
      return;
    }
    if (frame !== undefined) this.frames.push(frame);
    if (last) this.sendAsJson();
  }

  /** Ends the connection; the client polls for the rest, if it can. */
  release(): void {
    if (this.services.options.jsonOnly || !canPrime(this.record)) return;
    this.open();
    void this.appended
      .then(() => this.pump?.caughtUp())
      .then(() => {
        // The client can only poll for what follows an event that it has seen.
        if (!this.withoutLog && this.pump?.position !== '') this.sse?.end();
      });
  }

  /** Takes the error of a request that could not be run. If it is all there is to say, it is the HTTP answer. */
  fail(id: RequestId, outcome: ErrorOutcome): void {
    if (this.sse || this.expected.batch) return this.respond(errorFrame(id, outcome.error));
    this.outstanding = 0;
    clearTimeout(this.waiting);
    sendErrorOutcome(this.reply, id, outcome);
  }

  /** The session has ended: nothing is kept for it any more. */
  abandon(id: RequestId): void {
    if (this.outstanding === 0) return;
    this.outstanding = 0;
    clearTimeout(this.waiting);
    if (this.sse) this.sse.end();
    else sendError(this.reply, id, new McpError('SESSION_NOT_FOUND', 'The session has ended.'));
  }

  private open(): void {
    clearTimeout(this.waiting);
    if (this.sse || this.reply.sent) return;
    const { keepAlive, options, logger } = this.services;
    this.sse = new SseResponse(this.reply, keepAlive, options, 'call');
    const position = { record: this.record, streamId: this.streamId, after: '' };
    const pump = (this.pump = new EventPump(this.services, this.sse, position, (reason, cause) => {
      logger.error(`An answer could not be read back from the event log (${reason}).`, cause);
      if (this.sse) reportLoss(this.sse, this.streamId);
      this.sse?.end();
    }));
    this.appended = this.appended.then(() => pump.start()).catch((cause: unknown) => this.doWithoutLog(cause));
    for (const frame of ['', ...this.frames.splice(0)]) this.append(frame, false);
  }

  private append(data: string, last: boolean): void {
    this.queued += 1;
    this.appended = this.appended
      // The log is short: it must not run ahead of a reader that is there and only needs a moment.
      .then(() => this.sse?.drained())
      .then(async () => {
        if (!this.withoutLog) await this.write({ data, last });
      })
      .catch((cause: unknown) => this.doWithoutLog(cause))
      .finally(() => {
        this.queued -= 1;
        if (this.withoutLog) this.sendDirectly({ data, last });
      });
  }

  /** Writes an event to the log; for as long as it takes, while there is no connection to which it could go instead. */
  private async write(event: Frame): Promise<void> {
    const { events, telemetry } = this.services;
    const write = async (): Promise<void> => {
      const cursor = await events.append(this.record.id, this.streamId, event.data, event.last);
      telemetry.eventAppended();
      this.keepUnread({ ...event, cursor });
    };
    await write().catch(async (cause: unknown) => {
      if (!this.sse?.closed) throw cause;
      await patiently(ABSENT_MS, write);
    });
  }

  /** What is in the log need not have been read from there yet when the log goes away. */
  private keepUnread(event: Frame & { readonly cursor: string }): void {
    const position = this.pump?.position;
    const read = this.unread.findIndex(({ cursor }) => cursor === position);
    this.unread.splice(0, read + 1);
    if (!this.sse?.closed) this.unread.push(event);
  }

  /** The work may be done already, so its answer goes to the one connection there is; it cannot be resumed. */
  private doWithoutLog(cause: unknown): void {
    if (this.withoutLog) return;
    this.withoutLog = true;
    this.pump?.stop();
    const position = this.pump?.position;
    const read = this.unread.findIndex(({ cursor }) => cursor === position);
    for (const event of this.unread.splice(0).slice(read + 1)) this.sendDirectly(event);
    // A session that has ended has no log, and nobody who could resume.
    if (cause instanceof McpError && cause.reason === 'SESSION_NOT_FOUND') return;
    this.services.logger.error('The event log refused an answer; it goes out, but cannot be resumed.', cause);
    if (position !== '') this.endLog();
  }

  /** Whoever resumes the stream all the same must not wait for what never came into the log. */
  private endLog(): void {
    const { logger } = this.services;
    const end = (): Promise<void> => endWithErrors(this.services, this.record.id, this.streamId);
    patiently(ABSENT_MS, end).catch((cause: unknown) => {
      logger.warn('A stream was left without an end in the event log; who resumes it waits in vain.', cause);
    });
  }

  private sendDirectly({ data, last }: Frame): void {
    if (data !== '') this.sse?.send({ data });
    if (last) this.sse?.end();
  }

  private sendAsJson(): void {
    clearTimeout(this.waiting);
    const [only] = this.frames;
    if (only === undefined) sendAccepted(this.reply);
    else sendJson(this.reply, 200, this.expected.batch ? `[${this.frames.join(',')}]` : only);
  }
}
