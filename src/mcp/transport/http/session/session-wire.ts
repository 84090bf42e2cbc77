import { Operation } from '../../../dispatch/operation.js';
import { McpError } from '../../../protocol/errors.js';
import { principalKey } from '../../../protocol/principal.js';
import type { SessionRecord } from '../../../session/session-record.js';
import { type JsonRpcMessage, type JsonRpcRequest, type RequestId } from '../../json-rpc.js';
import { initializeResult, openSession } from '../../session-methods.js';
import { AcceptCheck, acceptsAnswer } from '../accept.js';
import type { HttpReply, HttpRequest } from '../exchange.js';
import { spread } from '../jitter.js';
import { callerOf } from '../caller.js';
import { sendAccepted, sendOutcome } from '../replies.js';
import { SseResponse } from '../sse-response.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import { CallAnswer } from './call-answer.js';
import { ChangeStream, type StreamRequest } from './change-stream.js';
import { CHANGES_STREAM, changeCursorOf, parseEventId } from './event-id.js';
import { EventPump } from './event-pump.js';
import { endOrphan, reportLoss } from './lost-events.js';
import { fitsQuestion } from './question-id.js';
import { SessionCalls } from './session-calls.js';
import { SessionEntrance } from './session-entrance.js';

/** Characters of a reason to cancel; it is for logs. */
const MAX_REASON = 500;

/**
 * The wire of revisions 2025-03-26 to 2025-11-25: a handshake opens a session, POST carries messages, GET streams
 * changes and resumes broken answers, DELETE ends it.
 *
 * It keeps no session in memory: whatever a request needs is loaded for it, and whatever must reach another request
 * goes through the store, the event log and the mailbox. A closed connection does not cancel.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
 */
export class SessionWire {
  private readonly acceptsAnswer: AcceptCheck;
  private readonly acceptsStream = new AcceptCheck('text/event-stream');
  private readonly entrance: SessionEntrance;
  private readonly calls: SessionCalls;

  constructor(private readonly services: WireServices & SessionServices) {
    this.acceptsAnswer = acceptsAnswer(services.options);
    this.entrance = new SessionEntrance(services);
    this.calls = new SessionCalls(services);
  }

  /** Takes a body that is one message. @throws McpError when the whole request is refused */
  post(message: JsonRpcMessage, request: HttpRequest, reply: HttpReply): void | Promise<void> {
    switch (message.kind) {
      case 'invalid':
        throw new McpError('INVALID_REQUEST', message.why);
      case 'request':
        return this.call(message, request, reply);
      case 'notification':
      case 'response':
        return this.accept(message, request, reply);
    }
  }

  /** Takes a body that is a batch. @throws McpError when the whole request is refused */
  async postBatch(messages: readonly JsonRpcMessage[], request: HttpRequest, reply: HttpReply): Promise<void> {
    const [first] = messages;
    if (!first) throw new McpError('INVALID_REQUEST', 'A batch must have at least one message.');
    const invalid = messages.find((message) => message.kind === 'invalid');
    if (invalid) throw new McpError('INVALID_REQUEST', invalid.why);
    const requests = messages.filter((message) => message.kind === 'request');
    if (requests.length > 0) this.acceptsAnswer.require(request.headers.accept);

    const principal = callerOf(request);
    const record = await this.entrance.enterToCall(first, request, principal);
    this.checkBatch(record, messages.length, requests);
    for (const message of messages) if (message.kind !== 'request') await this.take(record, message);
    if (requests.length === 0) return sendAccepted(reply);
    await this.occupy(record, requests);
    const answer = new CallAnswer(this.services, record, reply, requests);
    const scope = { record, principal, headers: request.headers, answer };
    for (const call of requests) this.calls.run(scope, call);
  }

  /** Its session is loaded and it is marked in one step; the store may be a network away. */
  private call(message: JsonRpcRequest, request: HttpRequest, reply: HttpReply): void | Promise<void> {
    this.acceptsAnswer.require(request.headers.accept);
    if (message.method === 'initialize') return this.initialize(message, request, reply);
    const principal = callerOf(request);
    const run = (record: SessionRecord): void => {
      const answer = new CallAnswer(this.services, record, reply, message);
      this.calls.run({ record, principal, headers: request.headers, answer }, message);
    };
    const record = this.entrance.enterToCall(message, request, principal, message.id);
    return record instanceof Promise ? record.then(run) : run(record);
  }

  private async accept(
    message: Exclude<JsonRpcMessage, { kind: 'request' }>,
    request: HttpRequest,
    reply: HttpReply,
  ): Promise<void> {
    await this.take(await this.entrance.enterToCall(message, request, callerOf(request)), message);
    sendAccepted(reply);
  }

  /** GET: resumes the answer that an event id belongs to, or streams changes. @throws McpError */
  async get(request: HttpRequest, reply: HttpReply): Promise<void> {
    if (this.services.options.jsonOnly) {
      void reply.header('allow', 'POST, DELETE');
      throw new McpError('METHOD_NOT_ALLOWED', 'This server does not stream.');
    }
    this.acceptsStream.require(request.headers.accept);
    return this.operate('GET', request, () => this.openStream(request, reply));
  }

  private async openStream(request: HttpRequest, reply: HttpReply): Promise<void> {
    const record = await this.entrance.enter(request, callerOf(request));
    const stream = { record, principal: callerOf(request) };
    const last = request.headers['last-event-id'];
    if (last === undefined || last === '') return ChangeStream.open(this.services, stream, reply, undefined);

    const position = typeof last === 'string' ? parseEventId(last) : undefined;
    if (position?.streamId === CHANGES_STREAM) {
      this.services.telemetry.streamResumed();
      return ChangeStream.open(this.services, stream, reply, changeCursorOf(position.cursor));
    }
    if (!position) throw new McpError('INVALID_REQUEST', 'Last-Event-ID is not an event id of this server.');
    return this.resume(stream, position, reply);
  }

  /** DELETE: ends the session, on every replica. @throws McpError */
  async delete(request: HttpRequest, reply: HttpReply): Promise<void> {
    await this.operate('DELETE', request, async () => {
      const record = await this.entrance.enter(request, callerOf(request));
      const { store, events, mailbox, telemetry } = this.services;
      await store.delete(record.id);
      await mailbox.end(record.id);
      await events.clear(record.id);
      telemetry.sessionDeleted();
    });
    void reply.code(204).send();
  }

  private async initialize(message: JsonRpcRequest, request: HttpRequest, reply: HttpReply): Promise<void> {
    const { store, changes, server, stop, telemetry } = this.services;
    // A session that is opened here would soon have to move; the next replica is as good.
    if (stop.draining) throw new McpError('UNAVAILABLE', 'The server is stopping. Connect again.');
    let opened: SessionRecord | undefined;
    const open = async (): Promise<SessionRecord> => {
      opened = openSession(message.params, principalKey(callerOf(request)), await changes.cursor());
      await store.create(opened);
      return opened;
    };
    const record = await this.operate(message.method, request, open, message.params).catch(async (error: unknown) => {
      // It may be there all the same, if only the audit has refused it.
      if (opened) await store.delete(opened.id).catch(() => undefined);
      throw error;
    });
    telemetry.sessionStarted();
    void reply.header('mcp-session-id', record.id);
    sendOutcome(reply, message.id, initializeResult(record, server));
  }

  /** What is no call, but is limited and audited as one. */
  private operate<T>(
    method: string,
    request: HttpRequest,
    work: () => Promise<T>,
    params: JsonRpcRequest['params'] = {},
  ): Promise<T> {
    const { operations } = this.services;
    const { headers } = request;
    const operation = new Operation({ method, params, era: 'session', principal: callerOf(request), headers });
    return operations.watch(operation, async () => {
      await operations.admit(operation, undefined);
      return work();
    });
  }

  /** @throws McpError when a batch must not be served */
  private checkBatch(record: SessionRecord, size: number, requests: readonly JsonRpcRequest[]): void {
    const { maxBatch } = this.services.options;
    if (record.revision !== '2025-03-26') {
      throw new McpError('INVALID_REQUEST', `Revision ${record.revision} has no batches. Send one message a request.`);
    }
    if (size > maxBatch) throw new McpError('INVALID_REQUEST', `A batch may have at most ${maxBatch} messages.`);
    if (new Set(requests.map(({ id }) => id)).size < requests.length) {
      throw new McpError('INVALID_REQUEST', 'Two requests of the batch have the same id.');
    }
  }

  /** Marks requests as running. @throws McpError if one of them is running already; none is marked then */
  private async occupy(record: SessionRecord, requests: readonly JsonRpcRequest[]): Promise<void> {
    const { store } = this.services;
    const marked: RequestId[] = [];
    try {
      for (const { id } of requests) {
        this.entrance.entered(await store.enter(record.id, record.owner, id), id);
        marked.push(id);
      }
    } catch (error) {
      await Promise.allSettled(marked.map(async (id) => store.leave(record.id, id)));
      throw error;
    }
  }

  /** Takes a notification or a response. @throws McpError for a response nobody waits for */
  private async take(record: SessionRecord, message: Exclude<JsonRpcMessage, { kind: 'request' }>): Promise<void> {
    const { mailbox } = this.services;
    if (message.kind === 'response') {
      if (typeof message.id === 'string' && !fitsQuestion(message.id, message.answer)) {
        throw new McpError('INVALID_REQUEST', 'The result has not the form that the request wants; it was not taken.');
      }
      if (typeof message.id === 'string' && (await mailbox.answer(record.id, message.id, message.answer))) return;
      throw new McpError('INVALID_REQUEST', 'No request of this server waits for this response.');
    }
    if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
      const { requestId, reason } = message.params;
      // Malformed cancellations are ignored (basic/utilities/cancellation, "Error Handling").
      if (typeof requestId !== 'string' && typeof requestId !== 'number') return;
      await mailbox.cancel(record.id, requestId, typeof reason === 'string' ? reason.slice(0, MAX_REASON) : undefined);
    }
  }

  private async resume(
    { record, principal }: StreamRequest,
    { streamId, cursor }: { readonly streamId: string; readonly cursor: string },
    reply: HttpReply,
  ): Promise<void> {
    const { events, keepAlive, options, logger, streams, telemetry } = this.services;
    const read = await events.read(record.id, streamId, cursor, 1);
    if (read.status === 'unknown')
      throw new McpError('INVALID_REQUEST', 'Last-Event-ID names no stream of this session.');
    const release = streams.open(principal, () => {
      sse.send({ retry: spread(options.retryMs) });
      sse.end();
    });
    const sse = new SseResponse(reply, keepAlive, options, 'get');
    sse.onClose(release);
    telemetry.streamResumed();
    const pump = new EventPump(this.services, sse, { record, streamId, after: cursor }, (reason, cause) => {
      if (reason === 'orphaned') return void this.bury(record, streamId, () => pump.wake());
      if (reason === 'failed') logger.error('A stream could not be read from the event log.', cause);
      else reportLoss(sse, streamId);
      sse.end();
    });
    try {
      await pump.start();
    } catch (cause) {
      logger.error('A stream could not be resumed; its connection was closed.', cause);
      sse.destroy();
    }
  }

  /** Ends a stream whose replica is gone, and lets the reader read on: to the end that was written, here or elsewhere. */
  private async bury(record: SessionRecord, streamId: string, readOn: () => void): Promise<void> {
    try {
      await endOrphan(this.services, record.id, streamId);
      this.services.logger.warn('A replica is gone; a call that it ran was ended with an error.');
    } catch (cause) {
      // Another connection may have ended it, or the log is away; the reader sees which when it looks again.
      this.services.logger.warn('The stream of a replica that is gone could not be ended here.', cause);
    }
    readOn();
  }
}
