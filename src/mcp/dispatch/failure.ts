import { randomUUID } from 'node:crypto';
import { HttpException } from '@nestjs/common';
import { McpError, ToolError } from '../protocol/errors.js';
import { InvalidArgumentsError } from '../registry/invalid-arguments.error.js';
import { pipeRejection } from '../registry/handler-invoker.js';
import { describeIssues } from '../schema/issues.js';
import type { DispatchServices } from './dispatch-services.js';
import type { DispatchedCall } from './dispatched-call.js';
import { failureOf } from './failure-of.js';
import { ResultTooLargeError } from './encode/result-encoder.js';
import type { OperationFailure } from '../observability/server-observer.port.js';
import { CallCancelled, CallStopped, CallTimedOut } from '../protocol/interruptions.js';

/** Why a call failed, as far as its caller may know; and for whoever watches, what kind of failure it is. */
export type Failure = { readonly counted: OperationFailure } & (
  | { readonly kind: 'cancelled' }
  /** A JSON-RPC error. */
  | { readonly kind: 'protocol'; readonly error: McpError }
  /** The arguments are wrong; who hears of it, client or model, depends on method and revision. */
  | { readonly kind: 'arguments'; readonly message: string }
  /** Something to say to the model. */
  | { readonly kind: 'told'; readonly message: string }
);

/**
 * Decides what a caller learns of an error. Errors made for the caller pass; everything else is masked, under an id
 * that the log carries together with the cause.
 */
export function classifyFailure(
  error: unknown,
  origin: string,
  call: DispatchedCall,
  services: DispatchServices,
): Failure {
  if (error instanceof CallCancelled) return { kind: 'cancelled', counted: 'cancelled' };
  if (error instanceof CallStopped) return { kind: 'protocol', counted: 'unavailable', error: stopped() };
  if (error instanceof McpError) {
    return { kind: 'protocol', counted: failureOf(error), error: error.status === 503 ? inBand(error) : error };
  }
  if (error instanceof ToolError) {
    if (error.cause !== undefined) services.logger.warn(`${origin} told the model: ${error.message}`, stackOf(error));
    return { kind: 'told', counted: 'tool_error', message: error.message };
  }

  const invalid = error instanceof InvalidArgumentsError ? error : pipeRejection(error);
  if (invalid) return { kind: 'arguments', counted: 'invalid_arguments', message: describeIssues(invalid.issues) };

  if (error instanceof CallTimedOut) {
    services.logger.warn(
      `${origin} was stopped after ${error.timeoutMs} ms. Raise its timeoutMs, or find out what it waits for.`,
    );
    return {
      kind: 'told',
      counted: 'timeout',
      message: `This took longer than ${error.timeoutMs} ms and was stopped. Try a smaller request.`,
    };
  }
  if (error instanceof ResultTooLargeError) {
    services.logger.warn(`${origin}: ${error.message}`);
    return {
      kind: 'told',
      counted: 'result_too_large',
      message: `The result is too large (${error.bytes} bytes; the limit is ${error.limit}). Ask for less.`,
    };
  }
  const denial = guardDenial(error);
  if (denial) return { kind: 'protocol', counted: 'denied', error: denial };
  return { kind: 'protocol', counted: 'internal_error', error: masked(error, origin, call, services) };
}

/** Nest's guards deny by throwing HTTP exceptions; their status is for the caller, their text may not be. */
function guardDenial(error: unknown): McpError | undefined {
  if (!(error instanceof HttpException)) return undefined;
  if (error.getStatus() === 401) return new McpError('UNAUTHORIZED', 'Authentication is required.', undefined, IN_BAND);
  if (error.getStatus() === 403) return new McpError('FORBIDDEN', 'This is not allowed.', undefined, IN_BAND);
  return undefined;
}

/**
 * A handler's error answers the call, not the HTTP request that carried it. Of a call that has begun to run this keeps
 * proxies from sending it again, which a status of 503 would invite them to.
 */
const IN_BAND = { status: 200 };

function inBand({ reason, message, data }: McpError): McpError {
  return new McpError(reason, message, data, IN_BAND);
}

function stopped(): McpError {
  return new McpError(
    'UNAVAILABLE',
    'The server is stopping. The call was stopped before it was done; find out what it has done before you repeat it.',
    undefined,
    IN_BAND,
  );
}

function masked(error: unknown, origin: string, call: DispatchedCall, services: DispatchServices): McpError {
  const errorId = randomUUID();
  const { said, stack } = described(error);
  services.logger.error(
    `${call.method} ${origin} failed (error ${errorId}, request ${String(call.requestId)}): ${said}`,
    stack,
  );
  return new McpError('INTERNAL_ERROR', `Internal error. Reference: ${errorId}`, { errorId });
}

/** For the log. A getter of the error may throw itself. */
function described(error: unknown): { readonly said: string; readonly stack?: string | undefined } {
  try {
    return error instanceof Error
      ? { said: `${error.name}: ${error.message}`, stack: stackOf(error) }
      : { said: String(error) };
  } catch {
    return { said: 'something was thrown that cannot be turned into text.' };
  }
}

function stackOf(error: Error): string | undefined {
  return error.cause instanceof Error ? `${error.stack ?? ''}\nCaused by: ${error.cause.stack ?? ''}` : error.stack;
}
