import { McpError } from '../../protocol/errors.js';
import type { AnyCapability } from '../../registry/capability.js';
import type { DispatchServices } from '../dispatch-services.js';
import type { DispatchedCall } from '../dispatched-call.js';
import type { CallOrigin } from '../call-origin.js';
import { errorOutcome } from '../encode/result-encoder.js';
import { type Failure, classifyFailure } from '../failure.js';
import type { Outcome } from '../outcome.js';
import { runHandler } from '../run-handler.js';

export type Params = Readonly<Record<string, unknown>>;

/** A method that needs no handler, and so no call: the answer is at hand. */
export type ListMethod = (services: DispatchServices, params: Params, origin: CallOrigin) => Outcome;

/** A request that a handler is to answer. */
export interface MethodRequest {
  readonly params: Params;
  readonly call: DispatchedCall;
  readonly origin: CallOrigin;
}

/** A method that runs a team's handler. */
export interface HandlerMethod {
  /** Name or URI that the request is about. @throws McpError `INVALID_PARAMS` */
  target(params: Params): string;
  run(services: DispatchServices, request: MethodRequest): Promise<Outcome>;
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
