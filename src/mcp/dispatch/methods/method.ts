import { McpError } from '../../protocol/errors.js';
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
export type ListMethod = (services: DispatchServices, request: ListRequest) => Promise<Outcome>;

/** A request that a handler is to answer. */
export interface MethodRequest extends ListRequest {
  readonly call: DispatchedCall;
}

/** A method that runs a team's handler. */
export interface HandlerMethod {
  /** Name or URI that the request is about. @throws McpError `INVALID_PARAMS` */
  target(params: Params): string;
  run(services: DispatchServices, request: MethodRequest): Promise<Outcome>;
}

/**
 * Lets the caller use what a request names, now.
 *
 * @param candidates what the request may mean, in this order; what the caller may not see does not count
 * @param unknown what to say if there is nothing
 * @throws McpError when there is nothing, or it may not be used, or not now
 */
export async function authorise<C extends AnyCapability>(
  services: DispatchServices,
  request: MethodRequest,
  candidates: Iterable<Candidate<C>>,
  unknown: () => McpError,
): Promise<C> {
  const capability = await choose(services, request, candidates, unknown);
  await admit(services, request, capability);
  return capability;
}

/** Holds a request to the limits. From then on it may be answered. @throws McpError */
export async function admit(
  services: DispatchServices,
  { params, origin, operation, call }: MethodRequest,
  capability: AnyCapability | undefined,
): Promise<void> {
  const round = await openRound(services, params, call, origin);
  await services.operations.admit(operation, capability, { signal: call.signal, round });
  origin.admitted?.(capability?.kind === 'tool' ? capability : undefined);
}

/** What the caller means, of what it may use; see {@link authorise}. */
export async function choose<C extends AnyCapability>(
  { access, operations }: DispatchServices,
  { origin, operation }: MethodRequest,
  candidates: Iterable<Candidate<C>>,
  unknown: () => McpError,
): Promise<C> {
  const { principal } = origin;
  for (const { capability, given } of candidates) {
    // A policy may cost something elsewhere: whoever asks too often does not get that far.
    if (access.asksPolicies(capability)) await operations.admit(operation, undefined);
    const decision = await access.decide(capability, principal, given);
    operation.decide(decision, capability, given);
    if (decision.effect === 'hide') continue;
    if (decision.effect === 'allow') return capability;
    throw decision.error;
  }
  operation.deny('unknown');
  throw access.refuseUnknown(principal) ?? unknown();
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
  readonly encode: (value: unknown) => Outcome | Promise<Outcome>;
  readonly fail: (failure: Exclude<Failure, { kind: 'cancelled' | 'protocol' }>) => Outcome;
}

/** Runs a handler and turns whatever comes of it into an outcome. Never throws. */
export async function handle(
  services: DispatchServices,
  request: MethodRequest,
  { capability, input, encode, fail }: Handling,
): Promise<Outcome> {
  try {
    return await runHandler(services, { ...request, capability, input }, encode);
  } catch (error) {
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
  }
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
