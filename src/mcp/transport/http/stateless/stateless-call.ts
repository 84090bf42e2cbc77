import type { LoggingLevel } from '@modelcontextprotocol/server';
import type { CallOrigin } from '../../../dispatch/call-origin.js';
import type { Outcome, RunningCall } from '../../../dispatch/outcome.js';
import { type PutOff, atEndOfTurn } from '../../../protocol/end-of-turn.js';
import { CallCancelled, CallStopped } from '../../../protocol/interruptions.js';
import type { ClientDescription } from '../../../protocol/mcp-call.js';
import type { Principal } from '../../../protocol/principal.js';
import { STATELESS_REVISION } from '../../../protocol/revisions.js';
import type { ToolCapability } from '../../../registry/capability.js';
import type { Envelope } from '../../envelope.js';
import { type JsonRpcRequest, notificationOf, responseFrame } from '../../json-rpc.js';
import { callerOf, withoutCredentials } from '../caller.js';
import type { HttpReply, HttpRequest } from '../exchange.js';
import { sendOutcome } from '../replies.js';
import type { CallEntry } from '../running-calls.js';
import { SseResponse } from '../sse-response.js';
import type { WireServices } from '../wire-services.js';
import { checkParamHeaders } from './header-checks.js';

const CLOSED = 'the connection was closed';

/**
 * One call, and its answer: a JSON body, unless something has to be said before it is ready. What only a call that
 * takes its time needs (to be cancelled when its connection closes, to become a stream) is put off to the end of the
 * turn.
 */
export class StatelessCall implements CallOrigin, PutOff {
  readonly principal: Principal;
  private readonly received: HttpRequest['headers'];
  private shown: CallOrigin['headers'] | undefined;
  private readonly reply: HttpReply;
  private running: RunningCall | undefined;
  private entry: CallEntry | undefined;
  private stream: SseResponse | undefined;
  private waiting: NodeJS.Timeout | undefined;
  /** Whether the answer may become a stream by itself. */
  private mayStream = false;
  private hasEnded = false;
  /** Whether it has not ended in the turn in which it began. */
  private waits = false;

  constructor(
    private readonly services: WireServices,
    private readonly message: JsonRpcRequest,
    private readonly envelope: Envelope,
    { request, reply }: { readonly request: HttpRequest; readonly reply: HttpReply },
  ) {
    this.principal = callerOf(request);
    this.received = request.headers;
    this.reply = reply;
  }

  /** Most calls are over without anybody having read them. */
  get headers(): CallOrigin['headers'] {
    return (this.shown ??= withoutCredentials(this.received));
  }
  get requestId(): string | number {
    return this.message.id;
  }
  get era(): 'stateless' {
    return 'stateless';
  }
  get revision(): typeof STATELESS_REVISION {
    return STATELESS_REVISION;
  }
  get client(): ClientDescription {
    return this.envelope.client;
  }
  get logLevel(): LoggingLevel | undefined {
    return this.envelope.logLevel;
  }

  /** The client may have gone while its credentials were checked. */
  get abortedBy(): Error | undefined {
    if (this.services.calls.isStopped) return new CallStopped();
    return this.reply.raw.closed ? new CallCancelled(CLOSED) : undefined;
  }

  /** Runs the call, and answers. */
  run(): void {
    const { method, params } = this.message;
    const running = this.services.dispatcher.dispatch(method, params, this);
    const { outcome } = running;
    if (!(outcome instanceof Promise)) return this.finish(outcome);
    this.running = running;
    this.entry = this.services.calls.enter();
    this.entry.runs(running);
    atEndOfTurn(this);
    void outcome.then((late) => this.finish(late));
  }

  admitted(tool: ToolCapability | undefined): void {
    if (tool && tool.headerParams.length > 0) {
      checkParamHeaders(this.headers, tool.headerParams, this.message.params['arguments']);
    }
    this.mayStream = !this.services.options.jsonOnly;
    if (this.waits) this.streamLater();
  }

  notify(method: string, params: string): void {
    if (this.services.options.jsonOnly) return;
    // Progress and log messages can be left out; the stream lets go of a reader that never catches up.
    this.open().offer({ data: notificationOf(method, params) });
  }

  /** @internal */
  endOfTurn(): void {
    if (this.hasEnded) return;
    this.waits = true;
    const { raw } = this.reply;
    // Closing the response is how this revision cancels ("Cancellation").
    if (raw.closed) return this.cancel();
    raw.once('close', () => this.cancel());
    if (this.mayStream) this.streamLater();
  }

  private cancel(): void {
    clearTimeout(this.waiting);
    this.running?.cancel(CLOSED);
  }

  /** From now on the answer becomes a stream if it takes long. */
  private streamLater(): void {
    if (!this.stream && !this.reply.raw.closed) {
      this.waiting = setTimeout(() => this.open(), this.services.options.streamAfterMs);
    }
  }

  private finish(outcome: Outcome): void {
    this.hasEnded = true;
    clearTimeout(this.waiting);
    try {
      this.send(outcome);
    } finally {
      this.entry?.leave();
    }
  }

  private send(outcome: Outcome): void {
    if (outcome.kind === 'cancelled') {
      // Only a connection that is gone cancels, so there is nobody left to answer.
      this.reply.raw.destroy();
    } else if (this.stream) {
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
