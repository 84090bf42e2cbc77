import { TextDecoder } from 'node:util';
import { Operation } from '../../dispatch/operation.js';
import type { Outcome } from '../../dispatch/outcome.js';
import { McpError } from '../../protocol/errors.js';
import { principalKey } from '../../protocol/principal.js';
import { isSessionRevision } from '../../protocol/revisions.js';
import { claimedRevision } from '../envelope.js';
import {
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  errorFrame,
  isJsonObject,
  readMessage,
  responseFrame,
} from '../json-rpc.js';
import { nestingDepth } from '../json-text.js';
import { initializeResult, openSession } from '../session-methods.js';
import { RunningRequests, type Work } from './running-requests.js';
import { startStateless } from './stateless-requests.js';
import type { StdioServices } from './stdio-services.js';
import { StdioSession } from './stdio-session.js';

/** Takes the response to a request, or nothing for what has none. Called once for each message. */
type Respond = (frame: string | undefined) => void;

/**
 * One channel of newline-delimited JSON-RPC messages that serves both eras at once: a request with an envelope in its
 * `_meta` is served on its own, and `initialize` opens the one session of the channel.
 *
 * It reads messages, tells the eras apart and keeps track of what runs; it knows nothing of streams and processes.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
export class StdioConnection {
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true });
  private readonly requests = new RunningRequests();
  private session: StdioSession | undefined;
  private ended = false;

  constructor(private readonly services: StdioServices) {}

  /** Takes one line, without its newline. */
  take(line: Buffer): void {
    if (this.ended) return;
    try {
      const text = this.decode(line);
      if (text.trim() !== '') this.takeValue(this.parse(text));
    } catch (error) {
      this.refuse(this.asMcpError(error, 'A line could not be served.'));
    }
  }

  /** Answers a line that was too long to be read. */
  takeOverlong(): void {
    const { maxBodyBytes } = this.services.options;
    if (!this.ended) this.refuse(new McpError('PAYLOAD_TOO_LARGE', `The line is longer than ${maxBodyBytes} bytes.`));
  }

  /** Cancels what runs and ends subscriptions in good order; nothing is taken any more. */
  end(): void {
    this.ended = true;
    this.requests.endAll();
    this.session?.end();
  }

  private decode(line: Buffer): string {
    try {
      return this.utf8.decode(line);
    } catch {
      throw new McpError('PARSE_ERROR', 'The line is not valid UTF-8.');
    }
  }

  private parse(text: string): unknown {
    const { maxBodyDepth } = this.services.options;
    if (nestingDepth(text) > maxBodyDepth) {
      throw new McpError('INVALID_REQUEST', `The message nests deeper than ${maxBodyDepth} levels.`);
    }
    try {
      return JSON.parse(text);
    } catch {
      throw new McpError('PARSE_ERROR', 'The line is not valid JSON.');
    }
  }

  private takeValue(value: unknown): void {
    if (Array.isArray(value)) this.takeBatch(value);
    else this.takeMessage(readMessage(value), (frame) => this.write(frame));
  }

  /** @throws McpError when there are no batches here */
  private takeBatch(values: readonly unknown[]): void {
    const { maxBatch } = this.services.options;
    if (this.session?.revision !== '2025-03-26' || values.some((value) => isJsonObject(value) && isStateless(value))) {
      throw new McpError('INVALID_REQUEST', 'Only sessions of revision 2025-03-26 have batches. Send single messages.');
    }
    if (values.length === 0) throw new McpError('INVALID_REQUEST', 'A batch must have at least one message.');
    if (values.length > maxBatch) {
      throw new McpError('INVALID_REQUEST', `A batch may have at most ${maxBatch} messages.`);
    }
    const frames: string[] = [];
    let outstanding = values.length;
    for (const value of values) {
      this.takeMessage(readMessage(value), (frame) => {
        if (frame !== undefined) frames.push(frame);
        outstanding -= 1;
        if (outstanding === 0 && frames.length > 0) this.write(`[${frames.join(',')}]`);
      });
    }
  }

  private takeMessage(message: JsonRpcMessage, respond: Respond): void {
    switch (message.kind) {
      case 'request':
        return void this.answer(message, respond);
      case 'notification':
        this.hear(message);
        return respond(undefined);
      case 'response':
        this.session?.answer(message.id, message.answer);
        return respond(undefined);
      case 'invalid':
        return respond(errorFrame(message.id, new McpError('INVALID_REQUEST', message.why)));
    }
  }

  /** Other notifications of clients need nothing to be done. */
  private hear({ method, params: { requestId, reason } }: JsonRpcNotification): void {
    if (method !== 'notifications/cancelled') return;
    // Malformed cancellations are ignored (basic/patterns/cancellation, "Error Handling").
    if (typeof requestId !== 'string' && typeof requestId !== 'number') return;
    this.requests.cancel(requestId, typeof reason === 'string' ? reason : undefined);
  }

  /** Never rejects. */
  private async answer(message: JsonRpcRequest, respond: Respond): Promise<void> {
    let frame: string | undefined;
    try {
      const outcome = await this.requests.run(message.id, (isLive) => this.start(message, isLive));
      if (outcome.kind !== 'cancelled') frame = responseFrame(message.id, outcome);
    } catch (error) {
      frame = errorFrame(message.id, this.asMcpError(error, `${message.method} failed outside of its handler.`));
    }
    respond(frame);
  }

  /** @throws McpError when the request belongs to no era */
  private start(message: JsonRpcRequest, isLive: () => boolean): Work {
    if (isStateless(message)) return startStateless(this.services, message, isLive);
    if (this.session) return this.session.start(message, isLive);
    switch (message.method) {
      case 'initialize':
        return this.run(message, async () => this.initialize(message));
      case 'ping':
        // The one request that may come before the handshake (2025-11-25 basic/lifecycle, "Initialization").
        return this.run(message, async () => ({ kind: 'result', json: '{}' }));
      default:
        throw new McpError(
          'INVALID_PARAMS',
          'The request names no revision that can be served: put 2026-07-28 and the rest of the envelope into ' +
            'params._meta, or send initialize first.',
        );
    }
  }

  private run(message: JsonRpcRequest, work: () => Promise<Outcome>): Work {
    const { dispatcher, principal } = this.services;
    const operation = new Operation({ ...message, era: 'session', principal });
    return { outcome: dispatcher.run(operation, work), cancel: () => undefined };
  }

  private initialize({ params }: JsonRpcRequest): Outcome {
    const record = openSession(params, principalKey(this.services.principal), '');
    this.session = new StdioSession(this.services, record);
    return initializeResult(record, this.services.server);
  }

  private asMcpError(error: unknown, whatFailed: string): McpError {
    if (error instanceof McpError) return error;
    this.services.logger.error(whatFailed, error);
    return new McpError('INTERNAL_ERROR', 'Internal error.');
  }

  private refuse(error: McpError): void {
    this.write(errorFrame(undefined, error));
  }

  private write(frame: string | undefined): void {
    if (frame !== undefined) this.services.writer.write(frame);
  }
}

/** Whether a message says of itself that it belongs to the era without sessions; an envelope in bad order does too. */
function isStateless({ params }: { readonly params?: unknown }): boolean {
  const claimed = claimedRevision(params);
  return claimed !== undefined && !(typeof claimed === 'string' && isSessionRevision(claimed));
}
