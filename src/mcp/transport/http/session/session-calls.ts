import type { CallOrigin, ClientRequest } from '../../../dispatch/call-origin.js';
import { errorOutcome } from '../../../dispatch/encode/result-encoder.js';
import { Operation } from '../../../dispatch/operation.js';
import type { Outcome, RunningCall } from '../../../dispatch/outcome.js';
import { McpError, ToolError } from '../../../protocol/errors.js';
import type { Principal } from '../../../protocol/principal.js';
import type { SessionChange, SessionRecord } from '../../../session/session-record.js';
import { Audience } from '../../audience.js';
import { resultOf } from '../../client-answer.js';
import { type JsonRpcRequest, notificationFrame, requestFrame, responseFrame } from '../../json-rpc.js';
import { sessionMethod } from '../../session-methods.js';
import type { CallEntry } from '../running-calls.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import type { CallAnswer } from './call-answer.js';
import { newQuestionId } from './question-id.js';

/** What the calls of one POST share. */
export interface CallScope {
  readonly record: SessionRecord;
  readonly principal: Principal;
  readonly headers: CallOrigin['headers'];
  readonly answer: CallAnswer;
}

/** Runs the requests of a session. Each was marked as running before, and is unmarked here. */
export class SessionCalls {
  constructor(private readonly services: WireServices & SessionServices) {}

  /** Runs one request to its end. Never rejects. */
  async run(scope: CallScope, message: JsonRpcRequest): Promise<void> {
    const { store, logger, calls } = this.services;
    const { record, answer } = scope;
    const entry = calls.enter();
    try {
      const outcome = await (this.ofTheSession(scope, message) ?? this.dispatch(scope, message, entry));
      if (outcome.kind === 'error' && outcome.headers) answer.fail(message.id, outcome);
      else answer.respond(outcome.kind === 'cancelled' ? undefined : responseFrame(message.id, outcome));
    } catch (error) {
      if (!(error instanceof McpError)) logger.error(`${message.method} failed outside of its handler.`, error);
      answer.fail(message.id, errorOutcome(error instanceof McpError ? error : UNEXPECTED));
    } finally {
      await store.leave(record.id, message.id).catch((cause: unknown) => {
        logger.warn(
          'A request is still marked as running on its session; the mark is taken back when the store can be reached.',
          cause,
        );
      });
      // A process that stops waits for this: the answer must be in the log before the log is closed.
      await answer.written;
      entry.leave();
    }
  }

  private ofTheSession(scope: CallScope, message: JsonRpcRequest): Promise<Outcome> | undefined {
    const { store, options, dispatcher, operations } = this.services;
    const { record, principal, headers, answer } = scope;
    const update = (change: SessionChange): Promise<boolean> => store.update(record.id, change);
    const audience = new Audience(this.services, principal);
    const { maxSubscriptions } = options;
    const method = sessionMethod({ record, audience, maxSubscriptions, update }, message);
    if (!method) return undefined;
    const operation = new Operation({ ...message, era: 'session', principal, headers });
    return dispatcher.run(operation, async () => {
      await operations.admit(operation, undefined);
      answer.mayStream();
      return method();
    });
  }

  private async dispatch(scope: CallScope, message: JsonRpcRequest, entry: CallEntry): Promise<Outcome> {
    const { dispatcher, mailbox, options } = this.services;
    const { record, answer } = scope;
    const origin: CallOrigin = {
      requestId: message.id,
      era: 'session',
      revision: record.revision,
      principal: scope.principal,
      client: { info: record.clientInfo, capabilities: record.clientCapabilities },
      headers: scope.headers,
      sessionId: record.id,
      logLevel: record.logLevel,
      notify: (method, params) => answer.notify(notificationFrame(method, params)),
      admitted: () => answer.mayStream(),
      releaseConnection: () => answer.release(),
      ...(!options.jsonOnly && { ask: (request, signal) => this.ask(scope, request, signal) }),
    };
    // Listening comes first: a call that cannot be cancelled must not run.
    let running: RunningCall | undefined;
    let gone = false as boolean;
    const stop = (reason: string | undefined): void => {
      gone = true;
      running?.cancel(reason);
    };
    const unlisten = await mailbox.listen(record.id, message.id, {
      cancelled: stop,
      ended: () => {
        answer.abandon(message.id);
        stop('the session has ended');
      },
    });
    try {
      if (gone) return { kind: 'cancelled' };
      running = dispatcher.dispatch(message.method, message.params, origin);
      entry.runs(running);
      return await running.outcome;
    } finally {
      unlisten();
    }
  }

  /**
   * Sends a request to the client on the stream of the call it belongs to, and waits for the answer: until it comes,
   * the call is aborted, be it by a server that stops, or the client has taken too long.
   */
  private async ask({ record, answer }: CallScope, { method, params }: ClientRequest, signal: AbortSignal) {
    const { mailbox, options } = this.services;
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

const UNEXPECTED = new McpError('INTERNAL_ERROR', 'Internal error.', undefined, { status: 500 });
