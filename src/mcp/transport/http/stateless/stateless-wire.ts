import { Operation } from '../../../dispatch/operation.js';
import { McpError } from '../../../protocol/errors.js';
import { goOn } from '../../../protocol/now-or-later.js';
import { discoverResult } from '../../discover.js';
import { type Envelope, readEnvelope, requireStatelessRevision } from '../../envelope.js';
import { type JsonRpcMessage, type JsonRpcRequest, idForError } from '../../json-rpc.js';
import { type AcceptCheck, acceptsAnswer } from '../accept.js';
import { callerOf, withoutCredentials } from '../caller.js';
import type { HttpReply, HttpRequest } from '../exchange.js';
import { sendAccepted, sendError, sendOutcome } from '../replies.js';
import type { WireServices } from '../wire-services.js';
import { checkRequestHeaders, checkVersionHeader } from './header-checks.js';
import { StatelessCall } from './stateless-call.js';
import { openSubscription } from './subscriptions.js';

/**
 * The wire of revision 2026-07-28: each POST carries one message and all that is needed to answer it.
 *
 * It checks what a request says of itself, hands it to the dispatcher, and answers with one JSON body; the first
 * notification, or a wait, turns the answer into a stream. Closing that stream cancels the call. It keeps nothing
 * between requests.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export class StatelessWire {
  private readonly acceptsAnswer: AcceptCheck;

  constructor(private readonly services: WireServices) {
    this.acceptsAnswer = acceptsAnswer(services.options);
  }

  /** @returns nothing if the request has been answered, or goes on by itself */
  handle(message: JsonRpcMessage, request: HttpRequest, reply: HttpReply): Promise<void> | void {
    // No client notification is defined over HTTP; whatever comes is none of our business ("Sending Messages").
    if (message.kind === 'notification') return sendAccepted(reply);
    if (message.kind !== 'request') {
      const why = message.kind === 'invalid' ? message.why : 'Clients send no responses in this revision.';
      return sendError(reply, idForError(message), new McpError('INVALID_REQUEST', why));
    }
    const refused = (error: unknown): void => {
      if (!(error instanceof McpError) || reply.sent) throw error;
      sendError(reply, message.id, error);
    };
    try {
      return this.answer(message, request, reply)?.catch(refused);
    } catch (error) {
      refused(error);
    }
  }

  /** @throws McpError when the request must not be served */
  private admit(message: JsonRpcRequest, { headers }: HttpRequest): Envelope {
    this.acceptsAnswer.require(headers.accept);
    const envelope = readEnvelope(message.params);
    checkVersionHeader(headers, envelope.version);
    requireStatelessRevision(envelope.version);
    checkRequestHeaders(headers, message);
    return envelope;
  }

  private answer(message: JsonRpcRequest, request: HttpRequest, reply: HttpReply): Promise<void> | void {
    const envelope = this.admit(message, request);
    switch (message.method) {
      case 'server/discover':
        return this.discover(message, request, reply);
      case 'subscriptions/listen':
        return this.listen(message, request, reply);
      default:
        return new StatelessCall(this.services, message, envelope, { request, reply }).run();
    }
  }

  private discover(message: JsonRpcRequest, request: HttpRequest, reply: HttpReply): Promise<void> | void {
    const { dispatcher, operations, server } = this.services;
    const operation = operationOf(message, request);
    const outcome = dispatcher.run(operation, () =>
      goOn(operations.admit(operation, undefined), () => discoverResult(server)),
    );
    return goOn(outcome, (known) => sendOutcome(reply, message.id, known));
  }

  private listen(message: JsonRpcRequest, request: HttpRequest, reply: HttpReply): Promise<void> {
    const { operations } = this.services;
    const operation = operationOf(message, request);
    return operations.watch(operation, async () => {
      await operations.admit(operation, undefined);
      // It has been read, and would be kept for as long as the stream is open.
      request.body = undefined;
      await openSubscription(this.services, callerOf(request), message, reply);
    });
  }
}

function operationOf({ method, params }: JsonRpcRequest, request: HttpRequest): Operation {
  const headers = withoutCredentials(request.headers);
  return new Operation({ method, params, era: 'stateless', principal: callerOf(request), headers });
}
