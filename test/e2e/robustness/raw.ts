import { type Socket, connect } from 'node:net';
import { expect } from 'vitest';
import {
  type Json,
  WireSession,
  responseOf,
  statelessHeaders,
  statelessRequest,
  ENVELOPE,
} from '../../support/wire.js';

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A socket of its own, for what no HTTP library would send. */
export async function open(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, host);
  // A server may well break off what it does not like; that is what the tests look at.
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Resolves with all that comes until the server closes; fails if it leaves the socket open. */
export function untilClosed(socket: Socket, withinMs = 10_000): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => {
      socket.destroy();
      reject(new Error(`The server left the connection open. It said: ${text}`));
    }, withinMs);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.once('close', () => {
      clearTimeout(late);
      resolve(text);
    });
  });
}

/** Sends bytes as they are and reads the answers; the request must ask for `connection: close`, or break the protocol. */
export async function exchange(port: number, bytes: string | Buffer): Promise<RawResponse[]> {
  const socket = await open(port);
  const answer = untilClosed(socket);
  socket.write(bytes);
  return responsesIn(await answer);
}

/** The head of a request, one string a line, with its blank line. */
export function head(...lines: string[]): string {
  return [...lines, '', ''].join('\r\n');
}

/** A POST as bytes. */
export function postBytes(body: string | Buffer, headers: readonly string[], host = 'Host: localhost'): Buffer {
  const bytes = Buffer.from(body as string);
  return Buffer.concat([
    Buffer.from(
      head('POST /mcp HTTP/1.1', host, 'Connection: close', `Content-Length: ${bytes.length}`, ...headers),
      'latin1',
    ),
    bytes,
  ]);
}

export const JSON_HEADERS = ['Content-Type: application/json', 'Accept: application/json, text/event-stream'];

/** A right 2026-07-28 request, as text and as header lines. */
export function stateless(method: string, params: Json = {}): { body: string; headers: string[] } {
  return {
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: ENVELOPE } }),
    headers: Object.entries(statelessHeaders(method, params)).map(([name, value]) => `${name}: ${value}`),
  };
}

function responsesIn(text: string): RawResponse[] {
  const responses: RawResponse[] = [];
  let rest = text;
  while (rest.startsWith('HTTP/1.1 ')) {
    const end = rest.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const from = end + 4;
    const length = headers['content-length'] === undefined ? rest.length - from : Number(headers['content-length']);
    responses.push({ status: Number(statusLine.split(' ')[1]), headers, body: rest.slice(from, from + length) });
    rest = rest.slice(from + length);
  }
  return responses;
}

/** A JSON-RPC error body and nothing else: no stack, no path, no name of a file. */
export function expectRpcError(text: string, code: number, id?: unknown): void {
  const body = JSON.parse(text) as { error: Json };
  expect(body).toEqual({
    jsonrpc: '2.0',
    ...(id !== undefined && { id }),
    error: {
      code,
      message: expect.any(String),
      ...('data' in body.error && { data: body.error['data'] }),
    },
  });
  expectNoTrace(text);
}

export function expectNoTrace(text: string): void {
  expect(text).not.toMatch(/\bat .*[:(]\d+|node_modules|\.[jt]s:\d|node:internal/);
}

/** Whatever happened before: both eras are served. */
export async function expectServing(url: string): Promise<void> {
  const stateless = await statelessRequest(url, 'tools/list');
  expect(stateless.status).toBe(200);
  expect(await responseOf(stateless)).toHaveProperty('result.tools');
  const session = await WireSession.open(url);
  expect(await responseOf(await session.request('tools/list'))).toHaveProperty('result.tools');
  expect((await session.delete()).status).toBe(204);
}
