import { Injectable, Module } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCall, McpPrompt, McpResource, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { ENVELOPE, type Json, post, statelessHeaders, statelessRequest } from '../../support/wire.js';
import { CAPABILITIES, LOG_LEVEL, answerOf, callTool, requestBody, refusalOf, textOf } from './requests.js';

const echoInput = z.object({ text: z.string() });
let runs = 0;

@Injectable()
class Fixtures {
  @McpTool({ input: echoInput })
  echo({ text }: z.infer<typeof echoInput>) {
    runs += 1;
    return text;
  }

  @McpTool()
  describeCall(call: McpCall) {
    return { trace: call.trace, foreign: call.meta['com.example/tag'], client: call.client.info ?? null };
  }

  @McpTool()
  needsRoots(call: McpCall) {
    return call.roots();
  }

  @McpTool()
  breaks() {
    throw new Error('connect to db.internal failed');
  }

  @McpPrompt()
  greeting() {
    return 'Hello.';
  }

  @McpResource('notes://one')
  note() {
    return 'One note.';
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

describe('envelope of a stateless request', () => {
  let app: McpTestApp;

  beforeAll(async () => {
    app = await createMcpTestApp(FixtureModule, { logger: false, options: { http: { maxBodyBytes: 4096 } } });
  });
  beforeEach(() => (runs = 0));
  afterAll(() => app.close());

  it('carries text outside ASCII unchanged in both directions', async () => {
    const text = 'Grüße, 世界 \u{1F426} \u2028';

    const response = await callTool(app.url, 'echo', { text });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await textOf(response)).toBe(text);
  });

  it.each(['r-1', '7', '', 7, 0, -1])('puts the request id %j on the result', async (id) => {
    const response = await statelessRequest(app.url, 'tools/list', {}, { id });

    expect(await answerOf(response)).toMatchObject({ status: 200, body: { jsonrpc: '2.0', id, result: {} } });
  });

  it.each(['r-1', 0])('puts the request id %j on an error', async (id) => {
    const response = await statelessRequest(app.url, 'no/such', {}, { id });

    expect(await answerOf(response)).toEqual({
      status: 404,
      body: { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found: no/such' } },
    });
  });

  it.each([
    ['a text that is not JSON', '{"jsonrpc":', -32700],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"tools/list"}', -32600],
    ['a fractional id', '{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}', -32600],
    ['no object at all', '"tools/list"', -32600],
  ])('makes up no id for an error about %s', async (_what, body, code) => {
    const response = await post(app.url, body, statelessHeaders('tools/list'));

    const answer = await answerOf(response);
    expect(answer).toEqual({
      status: 400,
      body: { jsonrpc: '2.0', error: { code, message: expect.stringMatching(/\w+/) } },
    });
  });

  it('refuses a request with a null id and does not run it', async () => {
    const response = await callTool(app.url, 'echo', { text: 'hi' }, { id: null });

    expect(await refusalOf(response)).toEqual({ status: 400, code: -32600 });
    expect(runs).toBe(0);
  });

  it.each(['notifications/cancelled', 'notifications/no-such', 'tools/call'])(
    'answers a notification %s with nothing and runs nothing',
    async (method) => {
      const params = { name: 'echo', arguments: { text: 'hi' }, _meta: ENVELOPE };
      const response = await post(
        app.url,
        JSON.stringify({ jsonrpc: '2.0', method, params }),
        statelessHeaders(method, params),
      );

      expect({ status: response.status, text: await response.text() }).toEqual({ status: 202, text: '' });
      expect(runs).toBe(0);
    },
  );

  it.each(['', '{', 'tools/list', '{"jsonrpc":"2.0"}}'])('answers the body %j with a parse error', async (body) => {
    const response = await post(app.url, body, statelessHeaders('tools/list'));

    expect(await refusalOf(response)).toEqual({ status: 400, code: -32700 });
  });

  it.each([
    { jsonrpc: '1.0', id: 1, method: 'tools/list', params: { _meta: ENVELOPE } },
    { id: 1, method: 'tools/list', params: { _meta: ENVELOPE } },
    { jsonrpc: '2.0', id: 1, params: { _meta: ENVELOPE } },
    { jsonrpc: '2.0', id: 1, method: 5, params: { _meta: ENVELOPE } },
    { jsonrpc: '2.0', id: 1, method: 'tools/list', params: [ENVELOPE] },
  ])('answers what is JSON but no JSON-RPC request with -32600: case %#', async (body) => {
    const response = await post(app.url, JSON.stringify(body), statelessHeaders('tools/list'));

    expect(await answerOf(response)).toMatchObject({ status: 400, body: { id: 1, error: { code: -32600 } } });
  });

  it.each([
    ['server/discover', {}],
    ['tools/list', {}],
    ['prompts/list', {}],
    ['resources/list', {}],
    ['resources/templates/list', {}],
    ['tools/call', { name: 'echo', arguments: { text: 'hi' } }],
    ['prompts/get', { name: 'greeting' }],
    ['resources/read', { uri: 'notes://one' }],
  ] as const)('marks the result of %s as complete and names the server', async (method, params) => {
    const { body } = await answerOf(await statelessRequest(app.url, method, params));

    expect(body['result']).toMatchObject({
      resultType: 'complete',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'rookery', version: '0.0.0' } },
    });
  });

  it('answers an unknown resource with -32602, not with the retired -32002', async () => {
    const response = await statelessRequest(app.url, 'resources/read', { uri: 'notes://none' });

    expect(await answerOf(response)).toMatchObject({
      status: 200,
      body: { error: { code: -32602, message: 'Resource not found', data: { uri: 'notes://none' } } },
    });
  });

  it('hides why a handler failed behind -32603 and a reference', async () => {
    const response = await callTool(app.url, 'breaks');

    expect(await answerOf(response)).toEqual({
      status: 200,
      body: {
        jsonrpc: '2.0',
        id: 1,
        error: {
          code: -32603,
          message: expect.stringMatching(/^Internal error\. Reference: [0-9a-f-]{36}$/),
          data: { errorId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
        },
      },
    });
  });

  const refusals: Record<string, [send: () => Promise<Response>, status: number, code: number]> = {
    'a header that disagrees': [
      () => statelessRequest(app.url, 'tools/list', {}, { headers: { 'mcp-method': 'ping' } }),
      400,
      -32020,
    ],
    'a capability that is missing': [() => callTool(app.url, 'needsRoots'), 400, -32021],
    'a revision that is not spoken': [() => withVersion('2099-01-01'), 400, -32022],
    'a foreign origin': [
      () => statelessRequest(app.url, 'tools/list', {}, { headers: { origin: 'https://evil.example' } }),
      403,
      403,
    ],
    'an HTTP method without a meaning': [() => fetch(app.url, { method: 'PUT' }), 405, 405],
    'an Accept header without SSE': [
      () => statelessRequest(app.url, 'tools/list', {}, { headers: { accept: 'application/json' } }),
      406,
      406,
    ],
    'a body that is too large': [() => callTool(app.url, 'echo', { text: 'x'.repeat(5000) }), 413, 413],
    'a body of another type': [
      () => post(app.url, requestBody('tools/list'), { 'content-type': 'text/plain' }),
      415,
      415,
    ],
  };

  it.each(Object.keys(refusals))(
    'answers %s with a code of the specification or one outside the reserved range',
    async (what) => {
      const [send, status, code] = refusals[what]!;

      expect(await refusalOf(await send())).toEqual({ status, code });
    },
  );

  function withVersion(version: string): Promise<Response> {
    const meta = { 'io.modelcontextprotocol/protocolVersion': version };
    return statelessRequest(app.url, 'tools/list', {}, { meta, headers: { 'mcp-protocol-version': version } });
  }

  it.each([
    ['no _meta', {}],
    ['a _meta that is no object', { _meta: 'all of it' }],
    ['no protocol version', { _meta: { [CAPABILITIES]: {} } }],
    ['no client capabilities', { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }],
    ['capabilities that are no object', { _meta: { ...ENVELOPE, [CAPABILITIES]: [] } }],
    [
      'a client without a version',
      { _meta: { ...ENVELOPE, 'io.modelcontextprotocol/clientInfo': { name: 'nameless' } } },
    ],
    ['a log level that does not exist', { _meta: { ...ENVELOPE, [LOG_LEVEL]: 'loud' } }],
  ])('refuses a request with %s as malformed', async (_what, params: Json) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 'm-1', method: 'tools/list', params });

    const response = await post(app.url, body, statelessHeaders('tools/list'));

    expect(await answerOf(response)).toMatchObject({
      status: 400,
      body: { id: 'm-1', error: { code: -32602, message: expect.stringContaining('params._meta') } },
    });
  });

  it('serves a client that does not say its name', async () => {
    const { 'io.modelcontextprotocol/clientInfo': _name, ...nameless } = ENVELOPE;
    const params = { name: 'describeCall' };
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { ...params, _meta: nameless },
    });

    const response = await post(app.url, body, statelessHeaders('tools/call', params));

    expect(response.status).toBe(200);
    expect(await textOf(response)).toBe('{"trace":{},"client":null}');
  });

  it('serves every client alike, whatever it calls itself', async () => {
    const as = async (name: string): Promise<Json[]> => {
      const meta = { 'io.modelcontextprotocol/clientInfo': { name, version: '9.9.9' } };
      const responses = [
        await statelessRequest(app.url, 'tools/list', {}, { meta }),
        await callTool(app.url, 'echo', { text: 'hi' }, { meta }),
      ];
      return Promise.all(responses.map(async (response) => (await response.json()) as Json));
    };

    expect(await as('rookery-admin')).toEqual(await as('nobody'));
  });

  it('tolerates keys in _meta that it does not know and hands them to the handler', async () => {
    const meta = { 'com.example/tag': 'blue', 'io.modelcontextprotocol/not-yet': { deep: [1] }, 'dev.mcp/x': null };

    const response = await callTool(app.url, 'describeCall', {}, { meta });

    expect(response.status).toBe(200);
    expect(JSON.parse((await textOf(response)) ?? '')).toMatchObject({ foreign: 'blue' });
  });

  it('hands the trace context in _meta to the handler, before the one in the headers', async () => {
    const inMeta = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01';
    const headers = {
      traceparent: '00-11111111111111111111111111111111-2222222222222222-00',
      tracestate: 'from=proxy',
    };

    const response = await callTool(
      app.url,
      'describeCall',
      {},
      { meta: { traceparent: inMeta, baggage: 'k=v' }, headers },
    );

    expect(JSON.parse((await textOf(response)) ?? '')).toMatchObject({
      // The tracestate of the proxy belongs to the trace of the proxy.
      trace: { traceparent: inMeta, baggage: 'k=v' },
    });
  });
});
