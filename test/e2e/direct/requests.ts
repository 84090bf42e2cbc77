import { type IncomingHttpHeaders, request } from 'node:http';
import { ENVELOPE, statelessHeaders } from '../../support/wire.js';

export interface Raw {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const BOTH = 'application/json, text/event-stream';
const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: ENVELOPE } });
const stateless = (method = 'tools/list', params = {}): Record<string, string> => statelessHeaders(method, params);

function call(name: string, args: unknown): Raw {
  const body = { jsonrpc: '2.0', id: 'a', method: 'tools/call', params: { name, arguments: args, _meta: ENVELOPE } };
  return { headers: stateless('tools/call', { name }), body: JSON.stringify(body) };
}

const plain = { 'content-type': 'application/json', accept: BOTH };
const initialize = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'wire', version: '1' } },
};

/** Requests as clients send them: those that may go past Fastify. */
export const USUAL: Readonly<Record<string, Raw>> = {
  list: { headers: stateless(), body: LIST },
  'list with an id that is not ASCII': { headers: stateless(), body: LIST.replace('"id":1', '"id":"é 🎉"') },
  call: call('echo', { text: 'hello' }),
  'call with text that is not ASCII': call('echo', { text: 'é 日本 🎉' }),
  'call that fails': call('fails', {}),
  'call with wrong arguments': call('echo', { text: 1 }),
  'unknown tool': call('nothing', {}),
  discover: { headers: stateless('server/discover'), body: LIST.replace('tools/list', 'server/discover') },
  'charset said': { headers: { ...stateless(), 'content-type': 'application/json; charset=utf-8' }, body: LIST },
  'page that may call': { headers: { ...stateless(), origin: 'http://localhost:3000' }, body: LIST },
  'page that may not call': { headers: { ...stateless(), origin: 'http://evil.example' }, body: LIST },
  'another host': { headers: { ...stateless(), host: 'evil.example' }, body: LIST },
  'no accept': { headers: { ...stateless(), accept: 'text/html' }, body: LIST },
  'wrong revision header': { headers: { ...stateless(), 'mcp-protocol-version': '1999-01-01' }, body: LIST },
  'wrong method header': { headers: stateless('tools/call', { name: 'echo' }), body: LIST },
  encoded: { headers: { ...stateless(), 'content-encoding': 'gzip' }, body: LIST },
  'no JSON': { headers: stateless(), body: '{"jsonrpc"' },
  'empty body': { headers: stateless(), body: '' },
  'no UTF-8': { headers: stateless(), body: Buffer.from([0x22, 0xff, 0x22]) },
  'poisoned body': { headers: stateless(), body: '{"__proto__":{"a":1}}' },
  'poisoned body, with escapes': { headers: stateless(), body: '{"\\u005f_proto__":{"a":1}}' },
  'constructor of a body': { headers: stateless(), body: '{"constructor":{"prototype":{}}}' },
  'body that nests deep': { headers: stateless(), body: '['.repeat(500) },
  'body that is too large': { headers: stateless(), body: `"${'a'.repeat(40_000)}"` },
  batch: { headers: stateless(), body: `[${LIST}]` },
  notification: { headers: stateless('notifications/a'), body: '{"jsonrpc":"2.0","method":"notifications/a"}' },
  'neither request nor answer': { headers: plain, body: '{"jsonrpc":"2.0"}' },
  'unknown session': { headers: { ...plain, 'mcp-session-id': 'none' }, body: LIST },
  initialize: { headers: plain, body: JSON.stringify(initialize) },
  'repeated header': { headers: { ...stateless(), 'Mcp-Method': 'tools/list' }, body: LIST },
  'GET without a session': { method: 'GET', headers: { accept: 'text/event-stream' } },
  'GET of an unknown session': { method: 'GET', headers: { accept: 'text/event-stream', 'mcp-session-id': 'none' } },
};

/** Requests that Fastify is to understand. */
export const UNUSUAL: Readonly<Record<string, Raw>> = {
  'with a query': { path: '/mcp?a=1', headers: stateless(), body: LIST },
  'with a token in the address': { path: '/mcp?access_token=a', headers: stateless(), body: LIST },
  'with another type': { headers: { ...stateless(), 'content-type': 'text/plain' }, body: LIST },
  'with a type in capitals': { headers: { ...stateless(), 'content-type': 'Application/JSON' }, body: LIST },
  'without a type': { headers: { accept: BOTH }, body: LIST },
  'GET with a body': { method: 'GET', headers: { accept: 'text/event-stream', 'content-type': 'text/a' }, body: 'a' },
  DELETE: { method: 'DELETE', headers: { 'mcp-session-id': 'none' } },
  OPTIONS: { method: 'OPTIONS', headers: { origin: 'http://localhost:3000' } },
  HEAD: { method: 'HEAD' },
  PUT: { method: 'PUT', headers: plain, body: LIST },
  'another path': { path: '/mcp/', headers: stateless(), body: LIST },
};

/** Sends a request as it is, over a connection of its own. */
export function send(url: string, { method = 'POST', path = '/mcp', headers = {}, body }: Raw): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, url), { method, headers: { ...headers }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
