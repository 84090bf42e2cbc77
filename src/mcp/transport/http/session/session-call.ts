import type { CallOrigin, ClientRequest } from '../../../dispatch/call-origin.js';
import { ToolError } from '../../../protocol/errors.js';
import { CallStopped } from '../../../protocol/interruptions.js';
import type { ClientDescription } from '../../../protocol/mcp-call.js';
import type { Principal } from '../../../protocol/principal.js';
import type { SessionRecord } from '../../../session/session-record.js';
import { resultOf } from '../../client-answer.js';
import { type JsonObject, type RequestId, notificationFrame, notificationOf, requestFrame } from '../../json-rpc.js';
import { withoutCredentials } from '../caller.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import type { CallAnswer } from './call-answer.js';
import { newQuestionId } from './question-id.js';

/** What the calls of one POST share. */
export interface CallScope {
  readonly record: SessionRecord;
  readonly principal: Principal;
  /** As they came, credentials and all. */
  readonly headers: CallOrigin['headers'];
  readonly answer: CallAnswer;
}

/** One call of a session, as the dispatcher sees it: what it asks is looked up when it asks. */
export class SessionCall implements CallOrigin {
  readonly era = 'session';
  readonly ask?: typeof askClient;
  private described: ClientDescription | undefined;
  private shown: CallOrigin['headers'] | undefined;

  constructor(
    private readonly services: WireServices & SessionServices,
    private readonly scope: CallScope,
    readonly requestId: RequestId,
  ) {
    if (!services.options.jsonOnly) this.ask = askClient;
  }

  get revision() {
    return this.scope.record.revision;
  }
  get principal() {
    return this.scope.principal;
  }
  get client(): ClientDescription {
    const { clientInfo, clientCapabilities } = this.scope.record;
    return (this.described ??= { info: clientInfo, capabilities: clientCapabilities });
  }
  get headers() {
    return (this.shown ??= withoutCredentials(this.scope.headers));
  }
  get sessionId() {
    return this.scope.record.id;
  }
  get logLevel() {
    return this.scope.record.logLevel;
  }

  get abortedBy(): Error | undefined {
    return this.services.calls.isStopped ? new CallStopped() : undefined;
  }

  admitted(): void {
    this.scope.answer.mayStream();
  }

  notify(method: string, params: string): void {
    this.scope.answer.notify(notificationOf(method, params));
  }

  releaseConnection(): void {
    this.scope.answer.release();
  }

  /**
   * Sends a request to the client on the stream of the call it belongs to, and waits for the answer: until it comes,
   * the call is aborted, be it by a server that stops, or the client has taken too long.
   */
  async askClient({ method, params }: ClientRequest, signal: AbortSignal): Promise<JsonObject> {
    const { mailbox, options } = this.services;
    const { record, answer } = this.scope;
    const askId = newQuestionId(method);
    const tooLong = new AbortController();
    const timer = setTimeout(() => tooLong.abort(), options.askTimeoutMs);
    const gaveUp = AbortSignal.any([signal, tooLong.signal]);
    const answered = mailbox.expect(record.id, askId, gaveUp);
    answer.say(requestFrame(askId, method, params));
    const reply = await answered
      .catch((error: unknown) => {
        // Whatever it was: nobody waits for the answer any more.
        answer.say(notificationFrame('notifications/cancelled', { requestId: askId }));
        throw !signal.aborted && gaveUp.aborted ? new ToolError('No answer came in time.') : error;
      })
      .finally(() => clearTimeout(timer));
    return resultOf(reply);
  }
}

/** One function for all calls, for those of a server that may ask. */
function askClient(this: SessionCall, request: ClientRequest, signal: AbortSignal): Promise<JsonObject> {
  return this.askClient(request, signal);
}
