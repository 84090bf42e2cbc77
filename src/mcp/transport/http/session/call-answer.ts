import type { ErrorOutcome } from '../../../dispatch/outcome.js';
import { McpError } from '../../../protocol/errors.js';
import type { SessionRecord } from '../../../session/session-record.js';
import { type JsonRpcRequest, type RequestId, errorFrame } from '../../json-rpc.js';
import type { HttpReply } from '../exchange.js';
import { sendAccepted, sendError, sendErrorOutcome, sendJson } from '../replies.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import { newStreamId } from './event-id.js';
import { canPrime } from './event-pump.js';
import { StreamedAnswer } from './streamed-answer.js';

/** Messages of one answer that may wait to be written to the log. */
const MAX_QUEUED = 1_000;

/**
 * The answer to a POST with requests: JSON, unless something has to be said before all responses are there. From then
 * on it is a {@link StreamedAnswer}.
 */
export class CallAnswer {
  private outstanding: number;
  /** Responses of a batch, as long as they are not on a stream. */
  private frames: string[] | undefined;
  private stream: StreamedAnswer | undefined;
  private mayBeStream = false;
  private isLasting = false;
  private waiting: NodeJS.Timeout | undefined;

  /** @param asked what has to be answered: one request, or those of a batch */
  constructor(
    private readonly services: WireServices & SessionServices,
    private readonly record: SessionRecord,
    private readonly reply: HttpReply,
    private readonly asked: JsonRpcRequest | readonly JsonRpcRequest[],
  ) {
    this.outstanding = isBatch(asked) ? asked.length : 1;
  }

  /** One of the requests may be served: from now on the answer becomes a stream if it takes long. */
  mayStream(): void {
    this.mayBeStream = true;
    if (this.isLasting) this.wait();
  }

  /** One of the requests is not served at once. */
  outlasts(): void {
    this.isLasting = true;
    if (this.mayBeStream) this.wait();
  }

  /** Settles when all that was said so far has been written to the log, or sent without it. Never rejects. */
  get written(): Promise<void> | undefined {
    return this.stream?.written;
  }

  /** Sends a notification, unless too many are waiting already: progress and log messages can be left out. */
  notify(frame: string): void {
    if (this.services.options.jsonOnly) return;
    if (this.stream === undefined || this.stream.waiting < MAX_QUEUED) this.say(frame);
  }

  /** Sends a request of the server. Does nothing once all responses are there: they end the stream. */
  say(frame: string): void {
    if (this.outstanding > 0) this.open().append(frame, false);
  }

  /** Takes the response of one request; `undefined` if there is none because the client cancelled it. */
  respond(frame: string | undefined): void {
    if (this.outstanding === 0) return;
    this.outstanding -= 1;
    const last = this.outstanding === 0;
    if (this.stream) {
      // An empty last event ends the stream without saying anything.
      if (frame !== undefined || last) this.stream.append(frame ?? '', last);
      return;
    }
    if (isBatch(this.asked)) return this.collect(frame, last);
    this.sendAsJson(frame);
  }

  /** Ends the connection; the client polls for the rest, if it can. */
  release(): void {
    if (this.services.options.jsonOnly || !canPrime(this.record)) return;
    if (this.outstanding > 0) void this.open().release();
  }

  /** Takes the error of a request that could not be run. If it is all there is to say, it is the HTTP answer. */
  fail(id: RequestId, outcome: ErrorOutcome): void {
    if (this.stream || isBatch(this.asked)) return this.respond(errorFrame(id, outcome.error));
    if (this.outstanding === 0) return;
    this.close();
    sendErrorOutcome(this.reply, id, outcome);
  }

  /** The session has ended: nothing is kept for it any more. */
  abandon(id: RequestId): void {
    if (this.outstanding === 0) return;
    this.close();
    if (this.stream) this.stream.end();
    else sendError(this.reply, id, new McpError('SESSION_NOT_FOUND', 'The session has ended.'));
  }

  private wait(): void {
    const { jsonOnly, streamAfterMs } = this.services.options;
    const { raw } = this.reply;
    if (jsonOnly || this.waiting || this.stream || this.outstanding === 0 || raw.closed) return;
    this.waiting = setTimeout(() => {
      if (!raw.closed) this.open();
    }, streamAfterMs);
  }

  private open(): StreamedAnswer {
    if (this.stream) return this.stream;
    clearTimeout(this.waiting);
    const { record, asked } = this;
    const streamId = newStreamId(isBatch(asked) ? asked.map(({ id }) => id) : [asked.id]);
    this.stream = new StreamedAnswer(this.services, { record, streamId, after: '' }, this.reply);
    for (const frame of this.frames ?? []) this.stream.append(frame, false);
    return this.stream;
  }

  private collect(frame: string | undefined, last: boolean): void {
    const frames = (this.frames ??= []);
    if (frame !== undefined) frames.push(frame);
    if (last) this.sendAsJson(frames.length > 0 ? `[${frames.join(',')}]` : undefined);
  }

  private sendAsJson(json: string | undefined): void {
    this.close();
    if (json === undefined) sendAccepted(this.reply);
    else sendJson(this.reply, 200, json);
  }

  private close(): void {
    this.outstanding = 0;
    if (this.waiting) clearTimeout(this.waiting);
  }
}

function isBatch(asked: JsonRpcRequest | readonly JsonRpcRequest[]): asked is readonly JsonRpcRequest[] {
  return Array.isArray(asked);
}
