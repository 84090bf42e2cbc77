import { McpError } from '../protocol/errors.js';
import type { CallOrigin } from './call-origin.js';
import type { DispatchServices } from './dispatch-services.js';
import { DispatchedCall } from './dispatched-call.js';
import { errorOutcome } from './encode/result-encoder.js';
import { CallCancelled, CallStopped } from '../protocol/interruptions.js';
import { completionComplete } from './methods/completion-complete.js';
import { LIST_METHODS } from './methods/lists.js';
import { type HandlerMethod, type Params, objectParam } from './methods/method.js';
import { promptsGet } from './methods/prompts-get.js';
import { resourcesRead } from './methods/resources-read.js';
import { toolsCall } from './methods/tools-call.js';
import type { Outcome, RunningCall } from './outcome.js';

const HANDLER_METHODS: ReadonlyMap<string, HandlerMethod> = new Map([
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
    const list = LIST_METHODS.get(method);
    if (list) return ended(this.guarded(() => list(this.services, params, origin)));
    const handler = HANDLER_METHODS.get(method);
    if (!handler) return ended(errorOutcome(new McpError('METHOD_NOT_FOUND', `Method not found: ${method}`)));
    return this.start(handler, method, params, origin);
  }

  private start(handler: HandlerMethod, method: string, params: Params, origin: CallOrigin): RunningCall {
    let call: DispatchedCall;
    try {
      const request = { method, target: handler.target(params), meta: objectParam(params, '_meta') };
      call = new DispatchedCall(request, origin, this.services.schemas);
    } catch (error) {
      return ended(this.failed(error));
    }
    return {
      outcome: handler.run(this.services, { params, call, origin }).catch((error: unknown) => this.failed(error)),
      cancel: (reason) => call.abort(new CallCancelled(reason)),
      stop: () => call.abort(new CallStopped()),
    };
  }

  private guarded(answer: () => Outcome): Outcome {
    try {
      return answer();
    } catch (error) {
      return this.failed(error);
    }
  }

  /** What goes wrong before a handler runs is the request's fault, or ours. */
  private failed(error: unknown): Outcome {
    if (error instanceof McpError) return errorOutcome(error);
    this.services.logger.error('A request failed before it reached its handler; this is a defect of Rookery.', error);
    return errorOutcome(new McpError('INTERNAL_ERROR', 'Internal error.'));
  }
}

function ended(outcome: Outcome): RunningCall {
  return { outcome: Promise.resolve(outcome), cancel: () => undefined, stop: () => undefined };
}
