import { McpError } from '../protocol/errors.js';
import type { CallOrigin } from './call-origin.js';
import type { DispatchServices } from './dispatch-services.js';
import { DispatchedCall } from './dispatched-call.js';
import { errorOutcome } from './encode/result-encoder.js';
import type { NowOrLater } from '../protocol/now-or-later.js';
import { CallCancelled, CallStopped } from '../protocol/interruptions.js';
import { completionComplete } from './methods/completion-complete.js';
import { LIST_METHODS } from './methods/lists.js';
import { type HandlerMethod, type Params, objectParam } from './methods/method.js';
import { promptsGet } from './methods/prompts-get.js';
import { resourcesRead } from './methods/resources-read.js';
import { toolsCall } from './methods/tools-call.js';
import type { ObservedOperation } from '../observability/server-observer.port.js';
import { Operation } from './operation.js';
import type { Outcome, RunningCall } from './outcome.js';

export const HANDLER_METHODS: ReadonlyMap<string, HandlerMethod> = new Map([
  ['tools/call', toolsCall],
  ['resources/read', resourcesRead],
  ['prompts/get', promptsGet],
  ['completion/complete', completionComplete],
]);

/**
 * Answers requests: it knows methods, not eras. What belongs to an era alone (handshake, sessions, subscriptions) is
 * its wire's business.
 */
export class Dispatcher {
  constructor(private readonly services: DispatchServices) {}

  /** Starts a call. The outcome never rejects. */
  dispatch(method: string, params: Params, origin: CallOrigin): RunningCall {
    const operation = new Operation(new Subject(method, params, origin));
    const handler = HANDLER_METHODS.get(method);
    if (handler) return this.start(handler, params, origin, operation);
    const list = LIST_METHODS.get(method);
    if (list) return ended(this.run(operation, () => list(this.services, { params, origin, operation })));
    const unknown = (): never => {
      operation.deny('unknown');
      throw new McpError('METHOD_NOT_FOUND', `Method not found: ${method}`);
    };
    return ended(this.run(operation, unknown));
  }

  private start(handler: HandlerMethod, params: Params, origin: CallOrigin, operation: Operation): RunningCall {
    let call: DispatchedCall;
    try {
      const { method } = operation.subject;
      const request = { method, target: handler.target(params), meta: objectParam(params, '_meta') };
      call = new DispatchedCall(request, origin, this.services.schemas);
    } catch (error) {
      const refuse = (): never => {
        throw error;
      };
      return ended(this.run(operation, refuse));
    }
    if (origin.abortedBy) call.abort(origin.abortedBy);
    return new StartedCall(
      call,
      this.run(operation, () => handler.run(this.services, { params, call, origin, operation })),
    );
  }

  /** Runs what is not the dispatcher's own with the same audit, and the same silence about its failures. Never rejects. */
  run(operation: Operation, work: () => NowOrLater<Outcome>): NowOrLater<Outcome> {
    return this.services.operations.run(operation, work, this.failed);
  }

  /** What goes wrong before a handler runs is the request's fault, or ours. */
  private readonly failed = (error: unknown): Outcome => {
    if (error instanceof McpError) return errorOutcome(error);
    this.services.logger.error('A request failed before it reached its handler; this is a defect of Rookery.', error);
    return errorOutcome(new McpError('INTERNAL_ERROR', 'Internal error.'));
  };
}

class StartedCall implements RunningCall {
  constructor(
    private readonly call: DispatchedCall,
    readonly outcome: NowOrLater<Outcome>,
  ) {}

  cancel(reason?: string): void {
    if (!this.call.isOver) this.call.abort(new CallCancelled(reason));
  }

  stop(): void {
    if (!this.call.isOver) this.call.abort(new CallStopped());
  }
}

/** What cannot be aborted. */
function ended(outcome: NowOrLater<Outcome>): RunningCall {
  return { outcome, cancel: nothing, stop: nothing };
}

function nothing(): void {}

/** What was asked for. Its headers may have to be copied first, so they are had when somebody reads them. */
class Subject implements ObservedOperation {
  constructor(
    readonly method: string,
    readonly params: Params,
    private readonly origin: CallOrigin,
  ) {}

  get era(): CallOrigin['era'] {
    return this.origin.era;
  }
  get principal(): CallOrigin['principal'] {
    return this.origin.principal;
  }
  get headers(): CallOrigin['headers'] {
    return this.origin.headers;
  }
}
