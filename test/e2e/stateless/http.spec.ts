import type { AddressInfo } from 'node:net';
import helmet from '@fastify/helmet';
import { Injectable, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { describe, expect, it } from 'vitest';
import { startHttp } from '../../../src/app/http.js';
import { McpCall, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { ENVELOPE, post, sseEvents, statelessHeaders, statelessRequest } from '../../support/wire.js';
import { LIST_HEADERS, answerOf, callTool, plainRequest, refusalOf, requestBody } from './requests.js';

@Injectable()
class Fixtures {
  @McpTool()
  echo() {
    return 'Done.';
  }

  @McpTool()
  report(call: McpCall) {
    call.progress(1);
    return 'Reported.';
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

const ORIGIN = 'https://app.example';
const NOTE = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/no-such', params: { _meta: ENVELOPE } });

describe('the endpoint', () => {
  it.each(['tools/list', 'prompts/list', 'resources/list', 'server/discover', 'subscriptions/listen'])(
    'takes %s on its one path, and on no other',
    async (method) => {
      await using app = await createMcpTestApp(FixtureModule, { options: { http: { path: '/api/mcp' } } });

      const response = await statelessRequest(app.url, method, { notifications: {} });
      const elsewhere = await statelessRequest(new URL('/mcp', app.url).href, method);
      await response.body?.cancel();

      expect(new URL(app.url).pathname).toBe('/api/mcp');
      expect([response.status, elsewhere.status]).toEqual([200, 404]);
    },
  );

  it('answers a notification with 202 and no body', async () => {
    await using app = await createMcpTestApp(FixtureModule);

    const response = await post(app.url, NOTE, statelessHeaders('notifications/no-such'));

    expect({ status: response.status, text: await response.text() }).toEqual({ status: 202, text: '' });
    expect(response.headers.get('content-type')).toBeNull();
  });

  it.each([
    ['is no JSON-RPC', { body: NOTE.replace('"2.0"', '"1.0"'), headers: {} }, [400, -32600]],
    ['is cut off', { body: NOTE.slice(0, -1), headers: {} }, [400, -32700]],
    ['is no JSON by its type', { body: NOTE, headers: { 'content-type': 'text/plain' } }, [415, 415]],
    ['comes from a foreign origin', { body: NOTE, headers: { origin: 'https://evil.example' } }, [403, 403]],
  ])('refuses a notification that %s with an error without id', async (_how, { body, headers }, [status, code]) => {
    await using app = await createMcpTestApp(FixtureModule);

    const response = await post(app.url, body, { ...statelessHeaders('notifications/no-such'), ...headers });

    expect(await answerOf(response)).toEqual({
      status,
      body: { jsonrpc: '2.0', error: { code, message: expect.any(String) } },
    });
  });

  it('refuses an array of messages', async () => {
    await using app = await createMcpTestApp(FixtureModule);

    const response = await post(app.url, `[${requestBody('tools/list')}]`, LIST_HEADERS);

    expect(await refusalOf(response)).toEqual({ status: 400, code: -32600 });
  });

  it.each([{ result: {} }, { error: { code: 1, message: 'No.' } }])('refuses a response with %j', async (answer) => {
    await using app = await createMcpTestApp(FixtureModule);

    const response = await post(app.url, JSON.stringify({ jsonrpc: '2.0', id: 1, ...answer }), LIST_HEADERS);

    expect(await answerOf(response)).toEqual({
      status: 400,
      body: { jsonrpc: '2.0', error: { code: -32600, message: expect.any(String) } },
    });
  });

  it.each([
    ['echo', 'application/json; charset=utf-8'],
    ['report', 'text/event-stream; charset=utf-8'],
  ])('says in Content-Type how it answers %s', async (name, contentType) => {
    await using app = await createMcpTestApp(FixtureModule);

    const response = await callTool(app.url, name, {}, { meta: { progressToken: 'p' } });
    await response.text();

    expect(response.headers.get('content-type')).toBe(contentType);
  });

  it.each([
    ['larger than allowed', { body: `"${'x'.repeat(2000)}"`, headers: {} }, { status: 413, code: 413 }],
    ['nested deeper than allowed', { body: '['.repeat(9) + ']'.repeat(9), headers: {} }, { status: 400, code: -32600 }],
    ['compressed', { body: '{}', headers: { 'content-encoding': 'gzip' } }, { status: 415, code: 415 }],
  ])('refuses a body that is %s', async (_how, { body, headers }, refusal) => {
    const http = { maxBodyBytes: 1024, maxBodyDepth: 8 };
    await using app = await createMcpTestApp(FixtureModule, { options: { http } });

    const response = await post(app.url, body, { ...LIST_HEADERS, ...headers });

    expect(await refusalOf(response)).toEqual(refusal);
  });

  it('listens on the loopback interface unless configured otherwise', async () => {
    const app = await startHttp({ PORT: '0' });

    const { address } = app.getHttpServer().address() as AddressInfo;
    await app.close();

    expect(address).toBe('127.0.0.1');
  });
});

describe('Host and Origin', () => {
  const send = (app: McpTestApp, headers: Record<string, string>, method = 'POST') =>
    plainRequest(app.url, {
      method,
      headers: { ...LIST_HEADERS, ...headers },
      ...(method === 'POST' && { body: requestBody('tools/list') }),
    });

  it.each([
    ['evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost@evil.example', 403],
    ['127.0.0.1:9999', 200],
    ['LOCALHOST', 200],
  ])('of a request to the host %s: %i', async (host, status) => {
    await using app = await createMcpTestApp(FixtureModule);

    const answer = await send(app, { host });

    expect(answer.status).toBe(status);
    if (status === 403) expect(JSON.parse(answer.text)).toMatchObject({ jsonrpc: '2.0', error: { code: 403 } });
  });

  it.each([
    ['https://evil.example', 403],
    ['https://app.example.evil.example', 403],
    ['http://app.example', 403],
    ['null', 403],
    [ORIGIN, 200],
    ['http://localhost:6274', 200],
  ])('of a request from the origin %s: %i', async (origin, status) => {
    await using app = await createMcpTestApp(FixtureModule, { options: { http: { allowedOrigins: [ORIGIN] } } });

    const answer = await send(app, { origin });

    expect(answer.status).toBe(status);
    if (status === 403) {
      expect(JSON.parse(answer.text)).toEqual({
        jsonrpc: '2.0',
        error: { code: 403, message: expect.stringContaining('Origin') },
      });
    }
  });

  it.each(['GET', 'DELETE', 'POST', 'PUT'])('are checked on %s', async (method) => {
    await using app = await createMcpTestApp(FixtureModule);

    const answer = await send(app, { origin: 'https://evil.example' }, method);

    expect(answer.status).toBe(403);
  });
});

describe('CORS, helmet and hooks', () => {
  const configure = async (app: NestFastifyApplication): Promise<void> => {
    await app.register(helmet);
    const fastify = app.getHttpAdapter().getInstance();
    fastify.addHook('onRequest', async (_request, reply) => void reply.header('x-request-id', 'r-1'));
  };
  const boot = (): Promise<McpTestApp> =>
    createMcpTestApp(FixtureModule, { configure, options: { http: { allowedOrigins: [ORIGIN] } } });
  const EXPECTED = {
    'access-control-allow-origin': ORIGIN,
    'access-control-expose-headers': 'Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After',
    'x-content-type-options': 'nosniff',
    'x-request-id': 'r-1',
    'content-security-policy': expect.stringContaining("default-src 'self'"),
  };

  it.each([
    ['a JSON answer', 'echo', 'application/json; charset=utf-8'],
    ['a streamed answer', 'report', 'text/event-stream; charset=utf-8'],
  ])('put their headers on %s', async (_what, name, contentType) => {
    await using app = await boot();
    const options = { headers: { origin: ORIGIN }, meta: { progressToken: 'p' } };

    const response = await callTool(app.url, name, {}, options);
    await response.text();

    expect(Object.fromEntries(response.headers)).toMatchObject({ ...EXPECTED, 'content-type': contentType });
  });

  it('put their headers on a subscription and on a refusal', async () => {
    await using app = await boot();
    const options = { headers: { origin: ORIGIN } };

    const listening = await statelessRequest(app.url, 'subscriptions/listen', { notifications: {} }, options);
    const refused = await statelessRequest(app.url, 'no/such', {}, options);
    await sseEvents(listening).next();
    await listening.body?.cancel().catch(() => undefined);

    expect(Object.fromEntries(listening.headers)).toMatchObject(EXPECTED);
    expect(refused.status).toBe(404);
    expect(Object.fromEntries(refused.headers)).toMatchObject(EXPECTED);
  });

  it('answer the preflight of a browser', async () => {
    await using app = await boot();

    const response = await fetch(app.url, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'mcp-method',
      },
    });

    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-headers': expect.stringContaining('Mcp-Method'),
    });
  });
});
