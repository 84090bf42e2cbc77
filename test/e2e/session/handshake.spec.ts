import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpCall, McpTool } from '../../../src/index.js';
import { type Json, WireSession, initialize, post } from '../../support/wire.js';
import { SessionApp, errorFrame, resultFrame, textResult, toolError } from './session-app.js';

const REVISIONS = ['2025-03-26', '2025-06-18', '2025-11-25'] as const;

const Name = { type: 'object', properties: { name: { type: 'string' } } } as const;

@Injectable()
class AskingTools {
  @McpTool()
  async form(call: McpCall) {
    await call.elicit(Name, 'Who are you?');
  }

  @McpTool()
  async url(call: McpCall) {
    await call.elicitUrl('https://example.com/sign-in', 'Sign in, please.');
  }

  @McpTool()
  async sample(call: McpCall) {
    await call.sample({ messages: [{ role: 'user', content: { type: 'text', text: 'Hi' } }], maxTokens: 5 });
  }

  @McpTool()
  async roots(call: McpCall) {
    await call.roots();
  }

  @McpTool()
  whoCalls(call: McpCall) {
    return `${call.client.info?.name} speaks ${call.revision}`;
  }
}

describe('initialize', () => {
  it.each(REVISIONS)('answers revision %s with itself', async (revision) => {
    await using app = await SessionApp.boot([], { name: 'shop', version: '1.2.3' });

    const response = await post(app.url, JSON.stringify(initialize(revision, {}, 'hello')));

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 'hello',
      result: {
        protocolVersion: revision,
        capabilities: {
          tools: { listChanged: true },
          resources: { subscribe: true, listChanged: true },
          prompts: { listChanged: true },
          completions: {},
          logging: {},
        },
        serverInfo: { name: 'shop', version: '1.2.3' },
      },
    });
  });

  it.each(['2024-11-05', '2024-10-07', '2026-07-28', '2099-01-01', 'latest', ''])(
    'offers the latest session revision to a client that asks for "%s"',
    async (version) => {
      await using app = await SessionApp.boot([]);

      const response = await post(app.url, JSON.stringify(initialize(version)));

      expect(response.status).toBe(200);
      expect(response.headers.get('mcp-session-id')).not.toBeNull();
      expect(await response.json()).toMatchObject({ id: 0, result: { protocolVersion: '2025-11-25' } });
    },
  );

  it('opens a session even if the version header names the stateless revision', async () => {
    await using app = await SessionApp.boot([]);

    const response = await post(app.url, JSON.stringify(initialize('2026-07-28')), {
      'mcp-protocol-version': '2026-07-28',
    });

    expect(response.status).toBe(200);
    expect(response.headers.get('mcp-session-id')).not.toBeNull();
    expect(await response.json()).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
  });

  it('carries the instructions and the description of the server', async () => {
    await using app = await SessionApp.boot([], {
      name: 'shop',
      version: '1.2.3',
      title: 'The shop',
      websiteUrl: 'https://shop.example',
      instructions: 'Look an order up before you refund it.',
    });

    const { initialized } = await WireSession.open(app.url);

    expect(initialized['serverInfo']).toEqual({
      name: 'shop',
      version: '1.2.3',
      title: 'The shop',
      websiteUrl: 'https://shop.example',
    });
    expect(initialized['instructions']).toBe('Look an order up before you refund it.');
  });

  it.each([
    ['no protocolVersion', { capabilities: {}, clientInfo: { name: 'c', version: '1' } }, 'protocolVersion'],
    ['no capabilities', { protocolVersion: '2025-11-25', clientInfo: { name: 'c', version: '1' } }, 'capabilities'],
    ['no clientInfo', { protocolVersion: '2025-11-25', capabilities: {} }, 'clientInfo'],
  ])('refuses params with %s and opens no session', async (_what, params: Json, field) => {
    await using app = await SessionApp.boot([]);

    const response = await post(app.url, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }));

    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await response.json()).toEqual(errorFrame(1, -32602, expect.stringContaining(`params.${field} must`)));
  });

  it('tells handlers which client and revision a session was opened with', async () => {
    await using app = await SessionApp.boot([AskingTools]);
    const session = await WireSession.open(app.url, '2025-06-18');

    const response = await session.request('tools/call', { name: 'whoCalls' });

    expect(await response.json()).toEqual(resultFrame(1, textResult('wire-test speaks 2025-06-18')));
  });
});

describe('a session', () => {
  it.each(REVISIONS)('of revision %s answers ping with an empty result', async (revision) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url, revision);

    const response = await session.request('ping', {}, 'p-1');

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ jsonrpc: '2.0', id: 'p-1', result: {} });
  });

  it('answers ping before notifications/initialized', async () => {
    await using app = await SessionApp.boot([]);
    const opened = await post(app.url, JSON.stringify(initialize('2025-11-25')));
    const id = opened.headers.get('mcp-session-id') ?? '';

    const response = await post(app.url, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }), {
      'mcp-session-id': id,
      'mcp-protocol-version': '2025-11-25',
    });

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  });

  it.each(['shop/refund', 'tasks/list', 'server/discover', 'elicitation/create'])(
    'answers the unknown method %s with -32601',
    async (method) => {
      await using app = await SessionApp.boot([]);
      const session = await WireSession.open(app.url);

      const response = await session.request(method, {}, 5);

      expect(await response.json()).toEqual(errorFrame(5, -32601, `Method not found: ${method}`));
    },
  );

  it.each([
    ['form', 'elicitation', {}],
    ['form', 'elicitation', { elicitation: { url: {} } }],
    ['url', 'elicitation', { elicitation: {} }],
    ['url', 'elicitation', { elicitation: { form: {} } }],
    ['sample', 'sampling', { elicitation: {}, roots: {} }],
    ['roots', 'roots', { elicitation: {}, sampling: {} }],
  ])('is not asked for %s when its client has not declared %s: %j', async (tool, capability, declared: Json) => {
    await using app = await SessionApp.boot([AskingTools]);
    const session = await WireSession.open(app.url, '2025-11-25', declared);

    const response = await session.request('tools/call', { name: tool });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const told = toolError(`This call needs a client with the capability: ${capability}.`);
    expect(await response.json()).toEqual(resultFrame(1, told));
  });
});
