import { type OutgoingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { McpError } from '../../protocol/errors.js';
import { errorFrame } from '../json-rpc.js';

/** What Node's HTTP parser, or its clock, says went wrong. */
type ClientError = Error & { readonly code?: string };

/** A socket as Node's HTTP server leaves it: with the response to the request that is under way. */
type HttpSocket = Socket & { readonly _httpMessage?: Pick<OutgoingMessage, 'headersSent'> | null };

/** The parser reports each further piece of what it cannot read, so a socket would be answered again and again. */
const refusedSockets = new WeakSet<Socket>();

/**
 * Answers what is no HTTP request, is too large in its headers, or does not come to an end, and closes the connection:
 * where the next request would begin cannot be known. Handler of `clientError` of `http.Server`.
 */
export function refuseUnreadable(error: ClientError, socket: HttpSocket): void {
  if (refusedSockets.has(socket)) return;
  refusedSockets.add(socket);
  const refusal = refusalFor(error);
  // In the middle of an answer another one would be read as part of it.
  if (!refusal || !socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  const body = errorFrame(undefined, refusal);
  socket.write(
    [
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
  socket.destroySoon();
}

/** Status that such a request is refused with; undefined when the connection itself has failed. */
export function statusOfUnreadable(error: ClientError): number | undefined {
  return refusalFor(error)?.status;
}

/** Nothing of what was sent is echoed or logged; undefined when the connection itself has failed. */
function refusalFor({ code = '' }: ClientError): McpError | undefined {
  const refused = (status: number, text: string): McpError =>
    new McpError('INVALID_REQUEST', text, undefined, { status });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refused(408, 'The request did not come in time.');
  if (code === 'HPE_HEADER_OVERFLOW') return refused(431, 'The headers are too large.');
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return refused(413, 'The chunk extensions are too large.');
  return code.startsWith('HPE_') ? refused(400, 'This is not a valid HTTP request.') : undefined;
}
