import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallOrigin } from '../../../dispatch/call-origin.js';
import { Operation } from '../../../dispatch/operation.js';
import type { Outcome, RunningCall } from '../../../dispatch/outcome.js';
import { McpError } from '../../../protocol/errors.js';
import type { Principal } from '../../../protocol/principal.js';
import { STATELESS_REVISION } from '../../../protocol/revisions.js';
import { discoverResult } from '../../discover.js';
import { type Envelope, readEnvelope, requireStatelessRevision } from '../../envelope.js';
import {
  type JsonRpcMessage,
  type JsonRpcRequest,
  idForError,
  notificationFrame,
  responseFrame,
} from '../../json-rpc.js';
import { requireAccept } from '../accept.js';
import { callerOf, withoutCredentials } from '../caller.js';
import { sendAccepted, sendError, sendOutcome } from '../replies.js';
import { SseResponse } from '../sse-response.js';
import type { WireServices } from '../wire-services.js';
import { checkParamHeaders, checkRequestHeaders, checkVersionHeader } from './header-checks.js';
import { openSubscription } from './subscriptions.js';

/** A request that has been admitted, and where its answer goes. */
interface Exchange {
  readonly message: JsonRpcRequest;
  readonly envelope: Envelope;
  readonly principal: Principal;
  readonly headers: FastifyRequest['headers'];
  readonly reply: FastifyReply;
}

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
  constructor(private readonly services: WireServices) {}

  async handle(message: JsonRpcMessage, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    // No client notification is defined over HTTP; whatever comes is none of our business ("Sending Messages").
    if (message.kind === 'notification') return sendAccepted(reply);
    if (message.kind !== 'request') {
      const why = message.kind === 'invalid' ? message.why : 'Clients send no responses in this revision.';
      return sendError(reply, idForError(message), new McpError('INVALID_REQUEST', why));
    }
    try {
      const envelope = this.admit(message, request);
      await this.answer({
        message,
        envelope,
        principal: callerOf(request),
        headers: withoutCredentials(request.headers),
        reply,
      });
    } catch (error) {
      if (!(error instanceof McpError) || reply.sent) throw error;
      sendError(reply, message.id, error);
    }
  }

  /** @throws McpError when the request must not be served */
  private admit(message: JsonRpcRequest, request: FastifyRequest): Envelope {
    const { headers } = request;
    if (this.services.options.jsonOnly) requireAccept(headers.accept, 'application/json');
    else requireAccept(headers.accept, 'application/json', 'text/event-stream');
    const envelope = readEnvelope(message.params);
    checkVersionHeader(headers, envelope.version);
    requireStatelessRevision(envelope.version);
    checkRequestHeaders(headers, message);
    return envelope;
  }

  private async answer(exchange: Exchange): Promise<void> {
    const { message } = exchange;
    switch (message.method) {
      case 'server/discover':
        return this.discover(exchange);
      case 'subscriptions/listen':
        return this.listen(exchange);
      default:
        return this.call(exchange);
    }
  }

  private async discover({ message, principal, headers, reply }: Exchange): Promise<void> {
    const { dispatcher, operations, server } = this.services;
    const operation = new Operation({ ...message, era: 'stateless', principal, headers });
    const outcome = await dispatcher.run(operation, async () => {
      await operations.admit(operation, undefined);
      return discoverResult(server);
    });
    sendOutcome(reply, message.id, outcome);
  }

  private listen({ message, principal, headers, reply }: Exchange): Promise<void> {
    const { operations } = this.services;
    const operation = new Operation({ ...message, era: 'stateless', principal, headers });
    return operations.watch(operation, async () => {
      await operations.admit(operation, undefined);
      await openSubscription(this.services, principal, message, reply);
    });
  }

  private call({ message, envelope, principal, headers, reply }: Exchange): void {
    const answer = new StatelessAnswer(this.services, message, reply);
    const origin: CallOrigin = {
      requestId: message.id,
      era: 'stateless',
      revision: STATELESS_REVISION,
      principal,
      client: envelope.client,
      headers,
      logLevel: envelope.logLevel,
      admitted: (tool) => {
        if (tool && tool.headerParams.length > 0) {
          checkParamHeaders(headers, tool.headerParams, message.params['arguments']);
        }
        answer.mayStream();
      },
      notify: (method, params) => answer.notify(method, params),
    };
    answer.follow(this.services.dispatcher.dispatch(message.method, message.params, origin));
  }
}

/** The answer to one call: a JSON body, unless something has to be said before it is ready. */
class StatelessAnswer {
  private stream: SseResponse | undefined;
  private waiting: NodeJS.Timeout | undefined;

  constructor(
    private readonly services: WireServices,
    private readonly message: JsonRpcRequest,
    private readonly reply: FastifyReply,
  ) {}

  notify(method: string, params: Readonly<Record<string, unknown>>): void {
    if (this.services.options.jsonOnly) return;
    // Progress and log messages can be left out; the stream lets go of a reader that never catches up.
    this.open().offer({ data: notificationFrame(method, params) });
  }

  /** The call may be served: from now on its answer becomes a stream if it takes long. */
  mayStream(): void {
    const { jsonOnly, streamAfterMs } = this.services.options;
    if (!jsonOnly && !this.reply.raw.closed) this.waiting = setTimeout(() => this.open(), streamAfterMs);
  }

  follow(call: RunningCall): void {
    // Closing the response is how this revision cancels ("Cancellation").
    const { raw } = this.reply;
    const cancel = (): void => {
      clearTimeout(this.waiting);
      call.cancel('the connection was closed');
    };
    // The client may have gone while its credentials were checked.
    if (raw.closed) cancel();
    else raw.once('close', cancel);
    const entry = this.services.calls.enter();
    entry.runs(call);
    void call.outcome.then((outcome) => this.finish(outcome)).finally(() => entry.leave());
  }

  private finish(outcome: Outcome): void {
    clearTimeout(this.waiting);
    if (outcome.kind === 'cancelled') {
      // Only a connection that is gone cancels, so there is nobody left to answer.
      this.reply.raw.destroy();
      return;
    }
    if (this.stream) {
      this.stream.send({ data: responseFrame(this.message.id, outcome) });
      this.stream.end();
    } else {
      sendOutcome(this.reply, this.message.id, outcome);
    }
  }

  private open(): SseResponse {
    clearTimeout(this.waiting);
    const { keepAlive, options } = this.services;
    return (this.stream ??= new SseResponse(this.reply, keepAlive, options, 'call'));
  }
}
