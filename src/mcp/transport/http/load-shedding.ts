import underPressure from '@fastify/under-pressure';
import type { LoggerService } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { McpError } from '../../protocol/errors.js';
import type { HttpRequest } from './exchange.js';

/** Refuses a request if there are too many. @throws McpError `UNAVAILABLE` */
export type LoadCheck = (request: Pick<HttpRequest, 'method'>) => void;

/** Milliseconds over which the delay is averaged, and for which the outcome holds. */
const SAMPLE_MS = 1_000;
/** Milliseconds between two lines in the log. */
const QUIET_MS = 10_000;

/**
 * Requests that are served all the same. `DELETE` makes room. A preflight costs next to nothing, and a page whose
 * preflight fails is told neither why nor when to come again.
 */
const EXEMPT: ReadonlySet<string> = new Set(['DELETE', 'OPTIONS']);

/**
 * Refuses requests with 503 while the event loop of this process lags: what is taken on then would make everything
 * late, that which runs and the probes included. It holds for the routes of the given scope and those within it only,
 * so that probes in scopes beside it are answered.
 *
 * @param scope whose error handler answers an `McpError`; hooks added to it before, such as CORS, come first
 * @param maxDelayMs milliseconds that the event loop may be late on average over a second; 0 never refuses
 * @returns the same check, for requests that do not go through Fastify
 */
export function registerLoadShedding(
  scope: FastifyInstance,
  maxDelayMs: number,
  logger: Pick<LoggerService, 'warn'>,
): LoadCheck {
  if (maxDelayMs === 0) return () => undefined;
  let refused = 0;
  let saidAt = -QUIET_MS;
  const refuse: LoadCheck = ({ method }) => {
    if (EXEMPT.has(method)) return;
    refused += 1;
    if (performance.now() - saidAt >= QUIET_MS) {
      saidAt = performance.now();
      logger.warn(
        `The event loop is late by more than ${maxDelayMs} ms, so requests are refused with 503: ${refused} so far. ` +
          'Find out which tool computes for long, or start more replicas.',
      );
    }
    throw new McpError('UNAVAILABLE', 'The server is busy. Try again after the time in Retry-After.');
  };
  void scope.register(underPressure, {
    maxEventLoopDelay: maxDelayMs,
    sampleInterval: SAMPLE_MS,
    pressureHandler: refuse,
  });
  return (request) => {
    if (scope.isUnderPressure()) refuse(request);
  };
}
