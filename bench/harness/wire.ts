/**
 * How a server is spoken to: `stateless` is 2026-07-28, `2025-stateless` a single POST without a session to a server that
 * knows 2025-11-25 at most, `session` the sessions of 2025-11-25, `sse` the two endpoints of 2024-11-05.
 */
export type Wire = 'stateless' | '2025-stateless' | 'session' | 'sse';

export type Json = Record<string, unknown>;

const LEGACY = '2025-11-25';

export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const ALWAYS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** The headers of a request, without those of its session. */
export function headersOf(wire: Wire, method: string, name?: string): Record<string, string> {
  if (wire === 'sse') return { 'content-type': 'application/json' };
  if (wire !== 'stateless') return { ...ALWAYS, 'mcp-protocol-version': LEGACY };
  return {
    ...ALWAYS,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(name !== undefined && { 'mcp-name': name }),
  };
}

/** A request as JSON, with `%ID%` where its number goes. */
export function bodyOf(wire: Wire, method: string, params: Json, meta: Json = {}): string {
  const all = { ...meta, ...(wire === 'stateless' && ENVELOPE) };
  const given = Object.keys(all).length > 0 ? { ...params, _meta: all } : params;
  return JSON.stringify({ jsonrpc: '2.0', id: '%ID%', method, params: given }).replace('"%ID%"', '%ID%');
}

export const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 'initialize',
  method: 'initialize',
  params: { protocolVersion: LEGACY, capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } },
});
export const INITIALIZED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });

/** Opens a session, and says its id. */
export async function openSession(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const response = await fetch(url, { method: 'POST', body: INITIALIZE, headers: { ...ALWAYS, ...headers } });
  const text = await response.text();
  const session = response.headers.get('mcp-session-id');
  if (session === null) throw new Error(`initialize was answered with ${response.status}: ${text}`);
  const ours = { ...headersOf('session', 'initialized'), ...headers, 'mcp-session-id': session };
  const noted = await fetch(url, { method: 'POST', body: INITIALIZED, headers: ours });
  await noted.text();
  if (noted.status !== 202) throw new Error(`notifications/initialized was answered with ${noted.status}.`);
  return session;
}

/** The last JSON-RPC message of a body, which is JSON or a stream of events. */
export function lastMessage(contentType: string, body: string): Json {
  if (!contentType.startsWith('text/event-stream')) return JSON.parse(body) as Json;
  const data = body.split('\n').filter((line) => line.startsWith('data: ') && line.length > 'data: '.length);
  return JSON.parse(data.at(-1)?.slice('data: '.length) ?? 'null') as Json;
}
