import type { Decision } from '../../policy/decision.js';
import { McpError } from '../../protocol/errors.js';
import { type NowOrLater, goOn, recover } from '../../protocol/now-or-later.js';
import type { AnyCapability } from '../../registry/capability.js';
import type { DispatchServices } from '../dispatch-services.js';
import type { DispatchedCall } from '../dispatched-call.js';
import type { CallOrigin } from '../call-origin.js';
import { errorOutcome } from '../encode/result-encoder.js';
import { type Failure, classifyFailure } from '../failure.js';
import type { Operation } from '../operation.js';
import type { Outcome } from '../outcome.js';
import { openRound, runHandler } from '../run-handler.js';

export type Params = Readonly<Record<string, unknown>>;

/** A request that no handler is needed for. */
export interface ListRequest {
  readonly params: Params;
  readonly origin: CallOrigin;
  readonly operation: Operation;
}

/** A method that needs no handler, and so no call. */
export type ListMethod = (services: DispatchServices, request: ListRequest) => NowOrLater<Outcome>;

/** A request that a handler is to answer. */
export interface MethodRequest extends ListRequest {
  readonly call: DispatchedCall;
}

/** A method that runs a team's handler. */
export interface HandlerMethod {
  /** Name or URI that the request is about. @throws McpError `INVALID_PARAMS` */
  target(params: Params): string;
  run(services: DispatchServices, request: MethodRequest): NowOrLater<Outcome>;
}

/**
 * Lets the caller use what a request names, now.
 *
 * @param candidates what the request may mean, in this order; what the caller may not see does not count
 * @param unknown what to say if there is nothing
 * @throws McpError when there is nothing, or it may not be used, or not now
 */
export function authorise<C extends AnyCapability>(
  services: DispatchServices,
  request: MethodRequest,
  candidates: readonly Candidate<C>[],
  unknown: () => McpError,
): NowOrLater<C> {
  return goOn(choose(services, request, candidates, unknown), (capability) =>
    goOn(admit(services, request, capability), () => capability),
  );
}

/** Holds a request to the limits. From then on it may be answered. @throws McpError */
export function admit(
  services: DispatchServices,
  request: MethodRequest,
  capability: AnyCapability | undefined,
): NowOrLater<void> {
  const { params, origin, call } = request;
  const round = openRound(services, params, call, origin);
  if (round instanceof Promise) return round.then((opened) => countIn(services, request, capability, opened));
  return countIn(services, request, capability, round);
}

function countIn(
  { operations }: DispatchServices,
  { operation, origin, call }: MethodRequest,
  capability: AnyCapability | undefined,
  round: string | undefined,
): NowOrLater<void> {
  const tool = capability?.kind === 'tool' ? capability : undefined;
  const admission = operations.admit(operation, capability, call, round);
  if (admission instanceof Promise) return admission.then(() => origin.admitted?.(tool));
  origin.admitted?.(tool);
}

/** What the caller means, of what it may use; see {@link authorise}. */
export function choose<C extends AnyCapability>(
  services: DispatchServices,
  request: MethodRequest,
  candidates: readonly Candidate<C>[],
  unknown: () => McpError,
): NowOrLater<C> {
  for (let at = 0; at < candidates.length; at += 1) {
    const candidate = candidates[at] as Candidate<C>;
    const decision = decide(services, request, candidate);
    if (decision instanceof Promise) {
      const rest = candidates.slice(at + 1);
      return decision.then((late) =>
        isAllowed(late) ? candidate.capability : choose(services, request, rest, unknown),
      );
    }
    if (isAllowed(decision)) return candidate.capability;
  }
  request.operation.deny('unknown');
  throw services.access.refuseUnknown(request.origin.principal) ?? unknown();
}

function decide(
  { access, operations }: DispatchServices,
  request: MethodRequest,
  candidate: Candidate,
): NowOrLater<Decision> {
  if (!access.asksPolicies(candidate.capability)) return ask(access, request, candidate);
  // A policy may cost something elsewhere: whoever asks too often does not get that far.
  return goOn(operations.admit(request.operation, undefined), () => ask(access, request, candidate));
}

function ask(
  access: DispatchServices['access'],
  { origin, operation }: MethodRequest,
  { capability, given }: Candidate,
): NowOrLater<Decision> {
  const decision = access.decide(capability, origin.principal, given);
  if (decision instanceof Promise) {
    return decision.then((late) => {
      operation.decide(late, capability, given);
      return late;
    });
  }
  operation.decide(decision, capability, given);
  return decision;
}

/** @throws McpError when the caller may know of it, but not use it */
function isAllowed(decision: Decision): boolean {
  if (decision.effect === 'refuse') throw decision.error;
  return decision.effect === 'allow';
}

/** What a request may mean, and what is given to it. */
export interface Candidate<C extends AnyCapability = AnyCapability> {
  readonly capability: C;
  readonly given: Params;
}

/** For what is found by its name: it, or nothing. */
export function candidate<C extends AnyCapability>(capability: C | undefined, given: Params): Candidate<C>[] {
  return capability ? [{ capability, given }] : [];
}

interface Handling {
  readonly capability: AnyCapability;
  readonly input: unknown;
  readonly encode: (value: unknown) => NowOrLater<Outcome>;
  readonly fail: (failure: Exclude<Failure, { kind: 'cancelled' | 'protocol' }>) => Outcome;
}

/** Runs a handler and turns whatever comes of it into an outcome. Never throws. */
export function handle(
  services: DispatchServices,
  request: MethodRequest,
  { capability, input, encode, fail }: Handling,
): NowOrLater<Outcome> {
  const failed = (error: unknown): Outcome => {
    const failure = classifyFailure(error, capability.origin, request.call, services);
    request.operation.fail(failure.counted);
    switch (failure.kind) {
      case 'cancelled':
        return { kind: 'cancelled' };
      case 'protocol':
        return errorOutcome(failure.error);
      case 'arguments':
      case 'told':
        return fail(failure);
    }
  };
  const { params, call, origin } = request;
  return recover(() => runHandler(services, { capability, input, params, call, origin }, encode), failed);
}

/** Outside of tools there is no result that says "failed", so the client gets a JSON-RPC error with the same words. */
export function failAsError(failure: Exclude<Failure, { kind: 'cancelled' | 'protocol' }>): Outcome {
  return errorOutcome(
    new McpError(failure.kind === 'arguments' ? 'INVALID_PARAMS' : 'INTERNAL_ERROR', failure.message),
  );
}

export function stringParam(params: Params, name: string): string {
  const value = params[name];
  if (typeof value === 'string') return value;
  throw new McpError('INVALID_PARAMS', `params.${name} must be a string.`);
}

export function objectParam(params: Params, name: string): Record<string, unknown> {
  const value = params[name] ?? {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new McpError('INVALID_PARAMS', `params.${name} must be an object.`);
}

export function cursorParam(params: Params): string | undefined {
  const cursor = params['cursor'];
  if (cursor === undefined || typeof cursor === 'string') return cursor;
  throw new McpError('INVALID_PARAMS', 'params.cursor must be a string.');
}
