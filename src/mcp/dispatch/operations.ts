import { McpError } from '../protocol/errors.js';
import { type NowOrLater, goOn } from '../protocol/now-or-later.js';
import { CallCancelled, CallStopped } from '../protocol/interruptions.js';
import type { AuditEvent } from '../audit/audit-event.js';
import type { AuditTrail } from '../audit/audit-trail.js';
import type { AnyCapability } from '../registry/capability.js';
import type { AbortableCall } from '../limits/bulkheads.js';
import type { CallLimits } from '../limits/call-limits.js';
import { LimitExceeded } from '../limits/limit-exceeded.error.js';
import type { Telemetry } from '../observability/telemetry.js';
import { failureOf } from './failure-of.js';
import type { Operation } from './operation.js';
import type { Outcome } from './outcome.js';

/**
 * What every operation passes on its way, whatever it does: the limits before it begins, the audit when it has ended,
 * and those who watch at both ends.
 */
export class Operations {
  constructor(
    private readonly limits: CallLimits,
    private readonly audit: AuditTrail | undefined,
    private readonly telemetry: Pick<Telemetry, 'operation'>,
  ) {}

  /**
   * Counts an operation in; the limits hold it until it has ended. Its caller's limits are asked once, however often it
   * comes here. What is refused before it comes here is counted then.
   * @param capability what is used; undefined if it is nothing in particular, or not known yet
   * @param call what is aborted while it waits for its turn
   * @param round what proves that this is a further round of a call
   * @throws LimitExceeded; the signal's reason, if that aborts while the operation waits for its turn
   */
  admit(
    operation: Operation,
    capability: AnyCapability | undefined,
    call?: AbortableCall,
    round?: string,
  ): void | Promise<void> {
    const { principal } = operation.subject;
    if (!principal) return;
    const callerCounted = operation.isCounted;
    operation.isCounted = true;
    if (!this.limits.mayBind(capability?.rules)) return;
    try {
      const admission = this.limits.admit({ principal, callerCounted, capability, call, round });
      if (!(admission instanceof Promise)) return operation.hold(admission);
      return admission.then(
        (late) => operation.hold(late),
        (error: unknown) => refused(operation, error),
      );
    } catch (error) {
      refused(operation, error);
    }
  }

  /**
   * Runs an operation to its outcome. What could not be recorded is answered with an error, whatever it came to.
   * @param failed what becomes of an error that is thrown
   */
  run(operation: Operation, work: () => NowOrLater<Outcome>, failed: Failed): NowOrLater<Outcome> {
    const watch = this.telemetry.operation(operation.subject);
    if (!watch) return this.runOnce(operation, work, failed);
    operation.traceId = watch.traceId;
    const outcome = watch.run
      ? watch.run(() => this.runOnce(operation, work, failed))
      : this.runOnce(operation, work, failed);
    return goOn(outcome, (known) => {
      watch.ended(operation.end(nameOf(known), codeOf(known)));
      return known;
    });
  }

  private runOnce(operation: Operation, work: () => NowOrLater<Outcome>, failed: Failed): NowOrLater<Outcome> {
    let outcome: NowOrLater<Outcome>;
    try {
      this.requireAudit(operation);
      outcome = work();
    } catch (thrown) {
      outcome = this.failed(operation, thrown, failed);
    }
    if (!(outcome instanceof Promise)) return this.close(operation, outcome, failed);
    return outcome
      .catch((thrown: unknown) => this.failed(operation, thrown, failed))
      .then((late) => this.close(operation, late, failed));
  }

  /** What becomes of an operation that threw something. */
  private async failed(operation: Operation, thrown: unknown, failed: Failed): Promise<Outcome> {
    const error = await this.refusal(operation, thrown);
    if (error instanceof CallStopped) operation.fail('unavailable');
    return error instanceof CallCancelled ? CANCELLED : failed(error instanceof CallStopped ? stopped() : error);
  }

  /** Gives back what the operation held, and puts it on record. */
  private close(operation: Operation, outcome: Outcome, failed: Failed): NowOrLater<Outcome> {
    operation.release();
    if (!this.audit) return outcome;
    const recording = this.record(operation, nameOf(outcome), codeOf(outcome));
    if (!recording) return outcome;
    return recording.then(
      () => outcome,
      (error: unknown) => {
        // Nobody waits for an answer any more.
        if (outcome.kind === 'cancelled') return outcome;
        return failed(operation.wasRefused ? ofTheRequest(error) : withheld(error));
      },
    );
  }

  /** Runs an operation that answers by itself. @throws what the work throws; McpError `UNAVAILABLE` */
  async watch<T>(operation: Operation, work: () => NowOrLater<T>): Promise<T> {
    const watch = this.telemetry.operation(operation.subject);
    if (!watch) return this.watchOnce(operation, work);
    operation.traceId = watch.traceId;
    try {
      const once = (): Promise<T> => this.watchOnce(operation, work);
      const value = await (watch.run ? watch.run(once) : once());
      watch.ended(operation.end('ok'));
      return value;
    } catch (error) {
      watch.ended(operation.end('error', error instanceof McpError ? error.code : undefined));
      throw error;
    }
  }

  private async watchOnce<T>(operation: Operation, work: () => NowOrLater<T>): Promise<T> {
    let result: T;
    try {
      this.requireAudit(operation);
      result = await work();
    } catch (thrown) {
      const error = await this.refusal(operation, thrown);
      await this.record(operation, 'error', error instanceof McpError ? error.code : undefined);
      throw error;
    } finally {
      operation.release();
    }
    await this.record(operation, 'ok');
    return result;
  }

  /** What to say of an operation that was refused: that it was, or that there are too many such. */
  private async refusal(operation: Operation, error: unknown): Promise<unknown> {
    if (error instanceof McpError) {
      operation.refuse(error);
      operation.fail(failureOf(error));
    }
    if (operation.isCounted) return error;
    try {
      await this.admit(operation, undefined);
      return error;
    } catch (exceeded) {
      return exceeded;
    }
  }

  /** @throws McpError `UNAVAILABLE` when nothing may be done because it could not be recorded */
  private requireAudit(operation: Operation): void {
    try {
      this.audit?.ready();
    } catch (error) {
      operation.limit('audit');
      throw ofTheRequest(error);
    }
  }

  /**
   * @returns undefined when there is nothing to wait for; else what rejects with an McpError `UNAVAILABLE` when what was
   *   done could not be recorded, and must be
   */
  private record(operation: Operation, outcome: AuditEvent['outcome'], code?: number): Promise<void> | undefined {
    const failed = (error: unknown): Promise<never> => {
      operation.fail('unavailable');
      return Promise.reject(error);
    };
    try {
      return this.audit?.record(operation.ended(outcome, code))?.catch(failed);
    } catch (error) {
      return failed(error);
    }
  }
}

type Failed = (error: unknown) => Outcome;

const CANCELLED: Outcome = Object.freeze({ kind: 'cancelled' });

/** Of a call that waited: unlike one that runs, it can be repeated. */
function stopped(): McpError {
  const message = 'The server is stopping. The call has not begun; send it again.';
  return new McpError('UNAVAILABLE', message, undefined, NOTHING_DONE);
}

/** Has headers: in every era it refuses the request itself, with its status. */
const NOTHING_DONE = { headers: {} };

function ofTheRequest(error: unknown): unknown {
  if (!(error instanceof McpError)) return error;
  return new McpError(error.reason, error.message, undefined, { ...NOTHING_DONE, cause: error });
}

/** In-band: a status of 503 would invite proxies to send again what was done. */
function withheld(error: unknown): unknown {
  if (!(error instanceof McpError)) return error;
  const message =
    'This was done but could not be recorded, so its result is withheld. Find out what it has done before you repeat it.';
  return new McpError(error.reason, message, undefined, { status: 200, cause: error });
}

function refused(operation: Operation, error: unknown): never {
  if (error instanceof LimitExceeded) operation.limit(error.rule);
  throw error;
}

function codeOf(outcome: Outcome): number | undefined {
  return outcome.kind === 'error' ? outcome.error.code : undefined;
}

function nameOf(outcome: Outcome): 'ok' | 'tool_error' | 'error' | 'cancelled' {
  if (outcome.kind === 'result') return outcome.failed ? 'tool_error' : 'ok';
  return outcome.kind;
}
