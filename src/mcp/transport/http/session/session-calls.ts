import { errorOutcome } from '../../../dispatch/encode/result-encoder.js';
import { Operation } from '../../../dispatch/operation.js';
import type { Outcome, RunningCall } from '../../../dispatch/outcome.js';
import { McpError } from '../../../protocol/errors.js';
import type { NowOrLater } from '../../../protocol/now-or-later.js';
import type { SessionChange } from '../../../session/session-record.js';
import { Audience } from '../../audience.js';
import { type JsonRpcRequest, type RequestId, responseFrame } from '../../json-rpc.js';
import { SESSION_METHODS, sessionMethod } from '../../session-methods.js';
import { withoutCredentials } from '../caller.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import { type CallScope, SessionCall } from './session-call.js';

/** What runs: a call, or a method of the session itself, which nobody can cancel. */
type Running = RunningCall | Pick<RunningCall, 'outcome'>;

/**
 * Runs the requests of a session. Each was marked as running before, and is unmarked here. A call that ends in the turn
 * in which it began waits for nothing, and nobody has to be able to reach it.
 */
export class SessionCalls {
  constructor(private readonly services: WireServices & SessionServices) {}

  /** Runs one request to its end. Never throws. */
  run(scope: CallScope, message: JsonRpcRequest): void {
    const running = this.start(scope, message);
    const outcome: Outcome | Promise<Outcome> = running.outcome;
    if (outcome instanceof Promise) return void this.attend(scope, message.id, running);
    const settled = this.finish(scope, message.id, outcome);
    if (!settled) return;
    const entry = this.services.calls.enter();
    void settled.then(() => entry.leave());
  }

  private start(scope: CallScope, message: JsonRpcRequest): Running {
    try {
      if (SESSION_METHODS.has(message.method)) return { outcome: this.runOfSession(scope, message) };
      const call = new SessionCall(this.services, scope, message.id);
      return this.services.dispatcher.dispatch(message.method, message.params, call);
    } catch (error) {
      return { outcome: Promise.reject(error) };
    }
  }

  /** Sees a call through that outlasts its turn: from now on it can be cancelled, and its answer may become a stream. */
  private async attend(scope: CallScope, id: RequestId, running: Running): Promise<void> {
    const entry = this.services.calls.enter();
    let outcome: Outcome;
    let unlisten: (() => void) | undefined;
    try {
      scope.answer.outlasts();
      if (isCall(running)) {
        entry.runs(running);
        unlisten = this.listen(scope, id, running);
      }
      outcome = await running.outcome;
    } catch (error) {
      outcome = this.unexpected(error);
    } finally {
      unlisten?.();
    }
    await this.finish(scope, id, outcome);
    entry.leave();
  }

  private listen({ record, answer }: CallScope, id: RequestId, running: RunningCall): () => void {
    return this.services.mailbox.listen(record.id, id, {
      cancelled: (reason) => running.cancel(reason),
      ended: () => {
        answer.abandon(id);
        running.cancel('the session has ended');
      },
    });
  }

  /**
   * Answers, and takes the mark back.
   * @returns what a process that stops has to wait for, if anything; never rejects
   */
  private finish({ record, answer }: CallScope, id: RequestId, outcome: Outcome): Promise<unknown> | undefined {
    if (outcome.kind === 'error' && outcome.headers) answer.fail(id, outcome);
    else answer.respond(outcome.kind === 'cancelled' ? undefined : responseFrame(id, outcome));
    const left = this.leave(record.id, id);
    // The answer must be in the log before the log is closed.
    const { written } = answer;
    return left && written ? Promise.all([left, written]) : (left ?? written);
  }

  private leave(sessionId: string, id: RequestId): Promise<void> | undefined {
    const failed = (cause: unknown): void => {
      this.services.logger.warn(
        'A request is still marked as running on its session; the mark is taken back when the store can be reached.',
        cause,
      );
    };
    try {
      return this.services.store.leave(sessionId, id)?.catch(failed);
    } catch (cause) {
      failed(cause);
      return undefined;
    }
  }

  private runOfSession(scope: CallScope, message: JsonRpcRequest): NowOrLater<Outcome> {
    const { store, options, dispatcher, operations } = this.services;
    const { record, principal, answer } = scope;
    const update = (change: SessionChange): Promise<boolean> => store.update(record.id, change);
    const audience = new Audience(this.services, principal);
    const { maxSubscriptions } = options;
    const method = sessionMethod({ record, audience, maxSubscriptions, update }, message)!;
    const headers = withoutCredentials(scope.headers);
    const operation = new Operation({ ...message, era: 'session', principal, headers });
    return dispatcher.run(operation, async () => {
      await operations.admit(operation, undefined);
      answer.mayStream();
      return method();
    });
  }

  /** What goes wrong outside of any handler refuses the request itself. */
  private unexpected(error: unknown): Outcome {
    if (!(error instanceof McpError)) this.services.logger.error('A request failed outside of its handler.', error);
    return { ...errorOutcome(error instanceof McpError ? error : UNEXPECTED), headers: {} };
  }
}

const UNEXPECTED = new McpError('INTERNAL_ERROR', 'Internal error.', undefined, { status: 500 });

function isCall(running: Running): running is RunningCall {
  return 'stop' in running;
}
