import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { McpError } from '../../protocol/errors.js';

/** Header lines a request may have. Node drops what comes after some thousand without a word, so all are refused before. */
const MAX_HEADERS = 100;
/** Characters the request target may have; the endpoint has one short path and no query. */
const MAX_TARGET = 2_048;

/**
 * Headers that decide something, in which two values could be read by two parties in two ways: Node takes the first of
 * some and joins others, a proxy may do otherwise. `Host` is counted in `requestedHost`. None of them is a list
 * (RFC 9110, section 5.3) but `Transfer-Encoding`, in which a list is as good as two lines.
 */
const ONCE: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-type',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'origin',
  'transfer-encoding',
]);
/** As those, with a name that a tool makes up. Joined, two values can equal an argument that has a comma in it. */
const ONCE_PREFIX = 'mcp-param-';

/** Headers that repeat what the body says (2026-07-28 basic/transports/streamable-http, "Server Validation"). */
const MIRRORS = /^mcp-(method|name|protocol-version|param-.*)$/;

/** Connections on which it is in doubt where a request ends. Node goes on reading after an answer that says it closes. */
const doubtful = new WeakSet<Socket>();

type RequestHead = Pick<IncomingMessage, 'url' | 'headers' | 'rawHeaders' | 'httpVersion' | 'socket'>;

/** Whether a request has any header twice; most have none. Node keeps them under one name, or drops the later one. */
export function hasRepeated({ headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): boolean {
  let names = 0;
  for (const _ in headers) names += 1;
  return names * 2 !== rawHeaders.length;
}

/**
 * Refuses a request whose head is too large, or may mean one thing here and another to a proxy before us.
 * @throws McpError `INVALID_REQUEST`: 400, 414 (target) or 431 (number of headers); `HEADER_MISMATCH` for one that
 *   repeats the body twice
 */
export function checkRequestHead(head: RequestHead): void {
  const { url = '/', headers, rawHeaders, socket } = head;
  if (rawHeaders.length > 2 * MAX_HEADERS) throw refused(`A request may have ${MAX_HEADERS} headers.`, 431);
  if (url.length > MAX_TARGET) throw refused(`The request target may have ${MAX_TARGET} characters.`, 414);
  // Without any header that is there twice, and without an encoding, there is nothing to be read in two ways.
  if (headers['transfer-encoding'] !== undefined || doubtful.has(socket) || hasRepeated(head)) checkRepeated(head);
  checkQuery(url);
}

function checkRepeated({ rawHeaders, httpVersion, socket }: RequestHead): void {
  const values = decidingHeaders(rawHeaders);
  if (doubtful.has(socket) || !isFramed(values, httpVersion)) {
    doubtful.add(socket);
    throw refused(
      'Say how long the body is with Content-Length, or in HTTP/1.1 with Transfer-Encoding: chunked.',
      400,
      { connection: 'close' },
    );
  }
  for (const [name, { length }] of values) {
    // A name that a caller made up is not echoed.
    if (length < 2) continue;
    const text = `Send ${ONCE.has(name) ? name : 'each Mcp-Param header'} once.`;
    throw MIRRORS.test(name) ? new McpError('HEADER_MISMATCH', text) : refused(text);
  }
}

/**
 * Whether it is beyond doubt where the body ends (RFC 9112, sections 6.1 and 6.3). Node's parser sees to most of it,
 * but it lets through encodings that it does not undo, and an encoding in HTTP/1.0, which proxies of that age do not
 * know.
 */
function isFramed(headers: ReadonlyMap<string, readonly string[]>, httpVersion: string): boolean {
  const encodings = headers.get('transfer-encoding');
  if (!encodings) return true;
  // Two lines are one list (RFC 9110, section 5.3).
  const encoding = encodings.join(', ').toLowerCase();
  return encoding === 'chunked' && !headers.has('content-length') && httpVersion !== '1.0';
}

/** The headers that may come once, by their lower-case names. */
function decidingHeaders(rawHeaders: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (!ONCE.has(name) && !name.startsWith(ONCE_PREFIX)) continue;
    values.set(name, [...(values.get(name) ?? []), rawHeaders[index + 1] ?? '']);
  }
  return values;
}

/** Access tokens must not be in the address (MCP authorization, "Token Requirements"; RFC 6750, section 5.3). */
function checkQuery(url: string): void {
  const from = url.indexOf('?');
  if (from >= 0 && new URLSearchParams(url.slice(from)).has('access_token')) {
    throw refused(
      'Send the access token in the Authorization header. In the address it ends up in logs: replace this token.',
    );
  }
}

function refused(text: string, status = 400, headers: Readonly<Record<string, string>> = {}): McpError {
  return new McpError('INVALID_REQUEST', text, undefined, { status, headers });
}
