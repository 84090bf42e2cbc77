import { Injectable, Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { type Json, WireSession, initialize, post, statelessRequest } from '../../support/wire.js';
import { CAPABILITIES, answerOf, callTool, refusalOf, textOf } from './requests.js';

@Injectable()
class Fixtures {
  @McpTool()
  ping() {
    return 'pong';
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

const SPOKEN = ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'];

describe('server/discover and revisions', () => {
  let app: McpTestApp;

  beforeAll(async () => {
    const options = { name: 'shop', version: '4.2.0', title: 'Shop', instructions: 'Look up before you buy.' };
    app = await createMcpTestApp(FixtureModule, { options });
  });
  afterAll(() => app.close());

  it('tells revisions, capabilities, name and instructions in server/discover', async () => {
    const response = await statelessRequest(app.url, 'server/discover');

    expect(await answerOf(response)).toEqual({
      status: 200,
      body: {
        jsonrpc: '2.0',
        id: 1,
        result: {
          resultType: 'complete',
          supportedVersions: SPOKEN,
          capabilities: {
            tools: { listChanged: true },
            resources: { subscribe: true, listChanged: true },
            prompts: { listChanged: true },
            completions: {},
            logging: {},
          },
          instructions: 'Look up before you buy.',
          ttlMs: 0,
          cacheScope: 'private',
          _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'shop', version: '4.2.0', title: 'Shop' } },
        },
      },
    });
  });

  it('advertises extensions under prefixed identifiers only', async () => {
    const { body } = await answerOf(await statelessRequest(app.url, 'server/discover'));

    const { capabilities } = body['result'] as { capabilities: { extensions?: Json } };
    const unprefixed = Object.keys(capabilities.extensions ?? {}).filter((name) => !/^[a-z][^/]*\/[^/]+$/i.test(name));
    expect(unprefixed).toEqual([]);
  });

  it('serves a client with an extension it does not know by the core protocol', async () => {
    const meta = { [CAPABILITIES]: { extensions: { 'com.example/widgets': { level: 3 } } } };

    const response = await callTool(app.url, 'ping', {}, { meta });

    expect(await answerOf(response)).toMatchObject({
      status: 200,
      body: { result: { resultType: 'complete', content: [{ type: 'text', text: 'pong' }] } },
    });
  });

  it.each(['2099-01-01', '2024-11-05', ''])('refuses revision "%s" and lists those it speaks', async (version) => {
    const meta = { 'io.modelcontextprotocol/protocolVersion': version };
    const headers = { 'mcp-protocol-version': version };

    const response = await statelessRequest(app.url, 'tools/list', {}, { id: 'v', meta, headers });

    expect(await answerOf(response)).toEqual({
      status: 400,
      body: {
        jsonrpc: '2.0',
        id: 'v',
        error: {
          code: -32022,
          message: 'Unsupported protocol version',
          data: { supported: SPOKEN, requested: version },
        },
      },
    });
  });

  it('serves a call as the very first request', async () => {
    await using fresh = await createMcpTestApp(FixtureModule);

    const response = await callTool(fresh.url, 'ping');

    expect(await textOf(response)).toBe('pong');
  });

  it.each(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'])(
    'does not know %s, a method of the session revisions',
    async (method) => {
      const response = await statelessRequest(app.url, method);

      expect(await refusalOf(response)).toEqual({ status: 404, code: -32601 });
    },
  );

  it('serves a request with _meta statelessly and opens a session for initialize without it', async () => {
    const opened = await post(app.url, JSON.stringify(initialize('2025-11-25')));
    const stateless = await callTool(app.url, 'ping');

    expect(opened.headers.get('mcp-session-id')).toMatch(/^[\w-]{43}$/);
    expect((await answerOf(opened)).body['result']).toMatchObject({ protocolVersion: '2025-11-25' });
    expect(stateless.headers.get('mcp-session-id')).toBeNull();
    expect((await answerOf(stateless)).body['result']).toMatchObject({ resultType: 'complete' });
  });

  it('serves clients of both eras at once on one endpoint', async () => {
    const session = await WireSession.open(app.url);

    const [inSession, stateless] = await Promise.all([
      session.request('tools/call', { name: 'ping' }),
      callTool(app.url, 'ping'),
    ]);

    expect((await answerOf(inSession)).body['result']).toEqual({ content: [{ type: 'text', text: 'pong' }] });
    expect(await textOf(stateless)).toBe('pong');
  });
});
