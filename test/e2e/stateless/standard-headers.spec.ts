import { Injectable, Module } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { McpPrompt, McpResource, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { type Json, statelessRequest } from '../../support/wire.js';
import { LIST_HEADERS, answerOf, plainRequest, refusalOf, requestBody } from './requests.js';

let runs = 0;

@Injectable()
class Fixtures {
  @McpTool()
  order() {
    runs += 1;
    return 'Ordered.';
  }

  @McpPrompt()
  review() {
    runs += 1;
    return 'Review this.';
  }

  @McpResource('docs://{title}')
  doc({ title }: { title: string }) {
    runs += 1;
    return title;
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

const NAMED: [method: string, params: Json][] = [
  ['tools/call', { name: 'order' }],
  ['prompts/get', { name: 'review' }],
  ['resources/read', { uri: 'docs://readme' }],
];

describe('standard request headers', () => {
  let app: McpTestApp;

  beforeAll(async () => (app = await createMcpTestApp(FixtureModule)));
  beforeEach(() => (runs = 0));
  afterAll(() => app.close());

  it.each([
    ['mcp-protocol-version', undefined, 'the mcp-protocol-version header is required'],
    ['mcp-protocol-version', '2025-11-25', 'the mcp-protocol-version header says "2025-11-25"'],
    ['mcp-method', undefined, 'the mcp-method header is required'],
    ['mcp-method', 'prompts/list', 'the mcp-method header says "prompts/list", the body says "tools/list"'],
    ['mcp-method', 'Tools/List', 'the mcp-method header says "Tools/List", the body says "tools/list"'],
  ])('refuses tools/list with the %s header %s', async (name, value, why) => {
    const response = await statelessRequest(app.url, 'tools/list', {}, { id: 9, headers: { [name]: value } });

    expect(await answerOf(response)).toEqual({
      status: 400,
      body: { jsonrpc: '2.0', id: 9, error: { code: -32020, message: expect.stringContaining(why) } },
    });
  });

  it.each(NAMED)('refuses %s without Mcp-Name and does not run it', async (method, params) => {
    const response = await statelessRequest(app.url, method, params, { headers: { 'mcp-name': undefined } });

    expect(await refusalOf(response)).toEqual({ status: 400, code: -32020 });
    expect(runs).toBe(0);
  });

  it.each(NAMED)('refuses %s whose Mcp-Name names something else', async (method, params) => {
    const response = await statelessRequest(app.url, method, params, { headers: { 'mcp-name': 'other' } });

    expect(await refusalOf(response)).toEqual({ status: 400, code: -32020 });
    expect(runs).toBe(0);
  });

  it.each([
    ['in another case', 'Order'],
    ['with markers in another case', '=?BASE64?b3JkZXI=?='],
    ['in Base64 without padding', '=?base64?b3JkZXI?='],
    ['in Base64 of something else', '=?base64?cmV2aWV3?='],
    ['with characters outside ASCII', 'ordér'],
    ['sent twice', 'order, order'],
  ])('refuses an Mcp-Name %s', async (_how, name) => {
    const response = await statelessRequest(
      app.url,
      'tools/call',
      { name: 'order' },
      { headers: { 'mcp-name': name } },
    );

    expect(await refusalOf(response)).toEqual({ status: 400, code: -32020 });
    expect(runs).toBe(0);
  });

  it.each([
    ['tools/call', { name: 'order' }, '=?base64?b3JkZXI=?='],
    ['resources/read', { uri: 'docs://überblick' }, '=?base64?ZG9jczovL8O8YmVyYmxpY2s=?='],
  ])('decodes the Base64 form of Mcp-Name before it compares: %s', async (method, params, name) => {
    const response = await statelessRequest(app.url, method, params, { headers: { 'mcp-name': name } });

    expect(await answerOf(response)).toMatchObject({ status: 200, body: { result: { resultType: 'complete' } } });
  });

  it('takes header names in any case', async () => {
    const { 'mcp-method': method, 'mcp-protocol-version': version, ...rest } = LIST_HEADERS;
    const headers = { ...rest, 'MCP-METHOD': method, 'mcp-Protocol-VERSION': version };

    const answer = await plainRequest(app.url, { headers, body: requestBody('tools/list') });

    expect(answer.status).toBe(200);
  });

  it('does not count whitespace around header values', async () => {
    const headers = { ...LIST_HEADERS, 'mcp-method': ' \t tools/list \t', 'mcp-protocol-version': '  2026-07-28  ' };

    const answer = await plainRequest(app.url, { headers, body: requestBody('tools/list') });

    expect(answer.status).toBe(200);
  });

  it('expects no Mcp-Name where the body names nothing', async () => {
    const response = await statelessRequest(app.url, 'tools/call', {});

    expect(await refusalOf(response)).toEqual({ status: 200, code: -32602 });
  });
});
