import type { FastifyInstance } from 'fastify';
import type { Principal } from '../../protocol/principal.js';
import { CREDENTIAL_HEADERS, withoutHeaders } from '../../protocol/secret-headers.js';
import type { HttpRequest } from './exchange.js';

export const CALLER = Symbol('caller');

type Request = HttpRequest & { [CALLER]: Principal | null };

/** Gives the requests of a scope a place for who sent them. */
export function provideCaller(scope: FastifyInstance): void {
  scope.decorateRequest(CALLER, null);
}

/** Keeps who sent a request, as soon as that is known. */
export function setCaller(request: HttpRequest, principal: Principal): void {
  (request as Request)[CALLER] = principal;
}

/** Who sent a request; every request has been asked before its body is read. @throws Error if it was not */
export function callerOf(request: HttpRequest): Principal {
  const caller = (request as Request)[CALLER];
  if (!caller) throw new Error('unreachable: every request has been asked who sends it');
  return caller;
}

/**
 * The headers that handlers may see: none by which somebody else could be taken for the caller. A token that was issued
 * for this server must not be passed on (MCP authorization, "Access Token Privilege Restriction").
 */
export function withoutCredentials(headers: HttpRequest['headers']): HttpRequest['headers'] {
  return withoutHeaders(headers, CREDENTIAL_HEADERS);
}
