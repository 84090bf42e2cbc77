import type { OperationFailure } from '../observability/server-observer.port.js';
import type { ErrorName, McpError } from '../protocol/errors.js';

const FAILURES: Readonly<Partial<Record<ErrorName, OperationFailure>>> = {
  INVALID_PARAMS: 'invalid_arguments',
  INTERNAL_ERROR: 'internal_error',
  UNAUTHORIZED: 'denied',
  FORBIDDEN: 'denied',
  RATE_LIMITED: 'limited',
  UNAVAILABLE: 'unavailable',
};

/** What kind of failure an error of the protocol stands for. */
export function failureOf({ reason }: McpError): OperationFailure {
  return FAILURES[reason] ?? 'protocol_error';
}
