import { encodeHeaderValue } from '../../src/mcp/protocol/header-value.js';

/**
 * The wire, bare: what a test sends is what it says, so that wrong requests can be sent too. For right ones there is
 * the test kit.
 */
export type Json = Record<string, unknown>;

export interface SseEvent {
  readonly id?: string;
  readonly retry?: string;
  readonly data: string;
  /** Lines that begin with a colon. */
  readonly comments: readonly string[];
}

export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'wire-test', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
} as const;

const BOTH = 'application/json, text/event-stream';

/** The headers a 2026-07-28 client sends with a request. */
export function statelessHeaders(method: string, params: Json = {}): Record<string, string> {
  const name = params['name'] ?? params['uri'];
  return {
    'content-type': 'application/json',
    accept: BOTH,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': encodeHeaderValue(name) }),
  };
}

/** A 2026-07-28 request as it should be; whatever is given replaces a part of it. A header of `undefined` is left out. */
export function statelessRequest(
  url: string,
  method: string,
  params: Json = {},
  options: { id?: unknown; headers?: Record<string, string | undefined>; meta?: Json; signal?: AbortSignal } = {},
): Promise<Response> {
  const { id = 1, headers = {}, meta = {}, signal } = options;
  const body = { jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...ENVELOPE, ...meta } } };
  return post(url, JSON.stringify(body), { ...statelessHeaders(method, params), ...headers }, signal);
}

export function post(
  url: string,
  body: string,
  headers: Record<string, string | undefined> = {},
  signal?: AbortSignal,
): Promise<Response> {
  const given = Object.entries({ 'content-type': 'application/json', accept: BOTH, ...headers });
  const sent = given.filter((entry): entry is [string, string] => entry[1] !== undefined);
  return fetch(url, { method: 'POST', body, headers: sent, ...(signal && { signal }) });
}

/** A session on the wire, past its handshake. */
export class WireSession {
  private constructor(
    readonly url: string,
    readonly id: string,
    readonly revision: string,
    /** The result of `initialize`. */
    readonly initialized: Json,
  ) {}

  static async open(url: string, revision = '2025-11-25', capabilities: Json = {}): Promise<WireSession> {
    const response = await post(url, JSON.stringify(initialize(revision, capabilities)));
    const { result } = (await response.json()) as { result: Json };
    const session = new WireSession(url, response.headers.get('mcp-session-id') ?? '', revision, result);
    await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return session;
  }

  headers(more: Record<string, string | undefined> = {}): Record<string, string | undefined> {
    return { 'mcp-session-id': this.id, 'mcp-protocol-version': this.revision, ...more };
  }

  /** Posts a message, or an array of them, as it is. */
  post(message: unknown, headers: Record<string, string | undefined> = {}, signal?: AbortSignal): Promise<Response> {
    return post(this.url, JSON.stringify(message), this.headers(headers), signal);
  }

  request(method: string, params: Json = {}, id: string | number = 1, signal?: AbortSignal): Promise<Response> {
    return this.post({ jsonrpc: '2.0', id, method, params }, {}, signal);
  }

  get(headers: Record<string, string | undefined> = {}, signal?: AbortSignal): Promise<Response> {
    const sent = Object.entries(this.headers({ accept: 'text/event-stream', ...headers }));
    return fetch(this.url, {
      headers: sent.filter((entry): entry is [string, string] => entry[1] !== undefined),
      ...(signal && { signal }),
    });
  }

  delete(headers: Record<string, string | undefined> = {}): Promise<Response> {
    const sent = Object.entries(this.headers(headers));
    return fetch(this.url, {
      method: 'DELETE',
      headers: sent.filter((entry): entry is [string, string] => entry[1] !== undefined),
    });
  }
}

export function initialize(revision: string, capabilities: Json = {}, id: unknown = 0): Json {
  const clientInfo = { name: 'wire-test', version: '1.0.0' };
  return { jsonrpc: '2.0', id, method: 'initialize', params: { protocolVersion: revision, capabilities, clientInfo } };
}

/** The events of a stream, as they come; ends with the stream. Stop reading to let go of the connection. */
export async function* sseEvents(response: Response): AsyncGenerator<SseEvent> {
  if (!response.body) return;
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    rest += chunk;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      yield readEvent(rest.slice(0, end));
      rest = rest.slice(end + 2);
    }
  }
}

/** The JSON-RPC messages of a stream, to its end. */
export async function sseMessages(response: Response): Promise<Json[]> {
  const messages: Json[] = [];
  for await (const { data } of sseEvents(response)) if (data !== '') messages.push(JSON.parse(data) as Json);
  return messages;
}

/** The JSON-RPC response in a body, whether it came as JSON or at the end of a stream. */
export async function responseOf(response: Response): Promise<Json> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return (await response.json()) as Json;
  const messages = await sseMessages(response);
  return messages.at(-1) ?? {};
}

function readEvent(block: string): SseEvent {
  const lines = block.split('\n');
  const field = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ''));
  const [id] = field('id');
  const [retry] = field('retry');
  return {
    data: field('data').join('\n'),
    comments: lines.filter((line) => line.startsWith(':')),
    ...(id !== undefined && { id }),
    ...(retry !== undefined && { retry }),
  };
}
