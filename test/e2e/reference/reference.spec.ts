import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { Injectable, Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { ENVELOPE, type Json, initialize, post, statelessHeaders } from '../../support/wire.js';

const echoInput = z.object({ text: z.string() });

@Injectable()
class EchoTools {
  @McpTool({ name: 'echo', description: 'Says it again.', input: echoInput })
  echo({ text }: z.infer<typeof echoInput>): string {
    return text;
  }
}

@Module({ providers: [EchoTools] })
class EchoModule {}

/** The official SDK's server, with the same tool. */
function startReference(): Promise<Server> {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'reference', version: '1.0.0' });
    server.registerTool('echo', { description: 'Says it again.', inputSchema: echoInput }, ({ text }) => ({
      content: [{ type: 'text', text }],
    }));
    return server;
  });
  const answer = toNodeHandler(handler);
  const server = createServer((request, response) => void answer(request as never, response));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

interface Sent {
  readonly body: unknown;
  readonly headers?: Record<string, string | undefined>;
}

function request(method: string, params: Json = {}, more: Partial<Sent> & { meta?: Json; id?: unknown } = {}): Sent {
  const { meta = ENVELOPE, id = 1, headers = {} } = more;
  return {
    body: { jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } },
    headers: { ...statelessHeaders(method, params), ...headers },
  };
}

const call = { name: 'echo', arguments: { text: 'hi' } };
const { 'io.modelcontextprotocol/protocolVersion': _version, ...withoutVersion } = ENVELOPE;
const { 'io.modelcontextprotocol/clientCapabilities': _capabilities, ...withoutCapabilities } = ENVELOPE;
const unknownVersion = { ...ENVELOPE, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };

/** Requests on which the two servers must agree: the HTTP status, the JSON-RPC error code and the id of the answer. */
const AGREED: Record<string, Sent> = {
  'a call': request('tools/call', call),
  'a list': request('tools/list'),
  'server/discover': request('server/discover'),
  'an unknown method': request('unknown/method'),
  'initialize inside an envelope': request('initialize'),
  'ping inside an envelope': request('ping'),
  'an envelope without version': request('tools/list', {}, { meta: withoutVersion }),
  'an envelope without capabilities': request('tools/list', {}, { meta: withoutCapabilities }),
  'no envelope, but the header': {
    body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    headers: statelessHeaders('tools/list'),
  },
  'a version header that says otherwise': request(
    'tools/list',
    {},
    { headers: { 'mcp-protocol-version': '2025-11-25' } },
  ),
  'no version header': request('tools/list', {}, { headers: { 'mcp-protocol-version': undefined } }),
  'a version nobody speaks': request(
    'tools/list',
    {},
    { meta: unknownVersion, headers: { 'mcp-protocol-version': '2099-01-01' } },
  ),
  'a wrong Mcp-Method': request('tools/list', {}, { headers: { 'mcp-method': 'prompts/list' } }),
  'no Mcp-Method': request('tools/list', {}, { headers: { 'mcp-method': undefined } }),
  'a wrong Mcp-Name': request('tools/call', call, { headers: { 'mcp-name': 'other' } }),
  'no Mcp-Name': request('tools/call', call, { headers: { 'mcp-name': undefined } }),
  'an Mcp-Name in base64': request('tools/call', call, { headers: { 'mcp-name': '=?base64?ZWNobw==?=' } }),
  'an Mcp-Name in broken base64': request('tools/call', call, { headers: { 'mcp-name': '=?base64?ZWNobw?=' } }),
  'an unknown tool': request('tools/call', { name: 'nope' }),
  'a batch with an envelope': { body: [request('tools/list').body], headers: statelessHeaders('tools/list') },
  'an empty batch': { body: [] },
  'another jsonrpc version': {
    body: { jsonrpc: '1.0', id: 1, method: 'tools/list' },
    headers: statelessHeaders('tools/list'),
  },
};

interface Answer {
  readonly status: number;
  readonly code: unknown;
  readonly id: unknown;
}

async function answerOf(url: string, { body, headers = {} }: Sent): Promise<Answer> {
  const response = await post(url, JSON.stringify(body), headers);
  const text = await response.text();
  const json = (text === '' ? {} : JSON.parse(text)) as { error?: { code: number }; id?: unknown };
  return { status: response.status, code: json.error?.code, id: json.id ?? undefined };
}

describe('next to the reference server of the official SDK', () => {
  let app: McpTestApp;
  let reference: Server;

  beforeAll(async () => {
    app = await createMcpTestApp(EchoModule);
    reference = await startReference();
  });
  afterAll(async () => {
    await app.close();
    reference.closeAllConnections();
    reference.close();
  });

  it.each(Object.keys(AGREED))('answers %s alike', async (name) => {
    const referenceUrl = `http://127.0.0.1:${(reference.address() as AddressInfo).port}/mcp`;
    const sent = AGREED[name] as Sent;

    const [ours, theirs] = await Promise.all([answerOf(app.url, sent), answerOf(referenceUrl, sent)]);

    expect(ours).toEqual(theirs);
  });

  it('negotiates each session revision alike', async () => {
    const referenceUrl = `http://127.0.0.1:${(reference.address() as AddressInfo).port}/mcp`;
    for (const revision of ['2025-11-25', '2025-06-18', '2025-03-26', '2099-01-01']) {
      const results = await Promise.all(
        [app.url, referenceUrl].map(async (url) => {
          const response = await post(url, JSON.stringify(initialize(revision)));
          const text = await response.text();
          const data = text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '');
          return (JSON.parse(data) as { result: Json }).result['protocolVersion'];
        }),
      );
      expect(results[0]).toBe(results[1]);
    }
  });
});
