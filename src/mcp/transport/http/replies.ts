import { errorOutcome } from '../../dispatch/encode/result-encoder.js';
import type { ErrorOutcome, Outcome } from '../../dispatch/outcome.js';
import type { McpError } from '../../protocol/errors.js';
import { type RequestId, errorFrame, responseFrame, resultHead } from '../json-rpc.js';
import { DirectReply, JSON_TYPE } from './direct/direct-reply.js';
import type { HttpReply } from './exchange.js';
import { retryAfterSeconds } from './jitter.js';

/** Characters that the socket's own buffers surely take; a reader that never reads holds up only what is longer. */
const BUFFERED = 64 * 1024;
/** Milliseconds a reader of a long answer may stand still. */
const STALLED_READER_MS = 30_000;

/** @param end bytes that follow the text, such as the rest of an answer that is kept */
export function sendJson(reply: HttpReply, status: number, json: string, end?: Buffer): void {
  if (reply instanceof DirectReply) {
    reply.sendJson(status, json, end);
  } else {
    const whole = end ? Buffer.concat([Buffer.from(json), end]) : json;
    void reply.code(status).header('content-type', JSON_TYPE).header('cache-control', 'no-store').send(whole);
  }
  if (json.length + (end?.length ?? 0) <= BUFFERED) return;
  reply.raw.setTimeout(STALLED_READER_MS, () => reply.raw.destroy());
}

/** Answers a whole HTTP request with an error. */
export function sendError(reply: HttpReply, id: RequestId | undefined, error: McpError): void {
  sendErrorOutcome(reply, id, errorOutcome(error));
}

/** Answers a whole HTTP request with what a call came to. */
export function sendErrorOutcome(reply: HttpReply, id: RequestId | undefined, outcome: ErrorOutcome): void {
  if (outcome.status === 503) void reply.header('retry-after', String(retryAfterSeconds()));
  if (outcome.headers) void reply.headers(outcome.headers);
  sendJson(reply, outcome.status, errorFrame(id, outcome.error));
}

/** Answers a whole HTTP request with what a call came to; nothing if it was cancelled. */
export function sendOutcome(reply: HttpReply, id: RequestId, outcome: Outcome): void {
  if (outcome.kind === 'error') sendErrorOutcome(reply, id, outcome);
  else if (outcome.kind === 'result') {
    const { frameEnd } = outcome;
    // What is kept as bytes is not encoded again.
    if (frameEnd) sendJson(reply, 200, resultHead(id), frameEnd);
    else sendJson(reply, 200, responseFrame(id, outcome));
  }
}

/** A notification or response was accepted (all revisions: 202 without a body). */
export function sendAccepted(reply: HttpReply): void {
  void reply.code(202).send();
}
