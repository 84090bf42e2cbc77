import { connect } from 'node:net';
import { once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { expect, it, onTestFinished } from 'vitest';
import { McpMetricsModule, McpModule, McpResource, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { WireSession, post, statelessRequest } from '../../support/wire.js';
import { plainRequest, requestBody } from '../stateless/requests.js';
import { Scrape } from './scrape.js';

@Injectable()
class Shop {
  @McpTool()
  greet(): string {
    return 'hello';
  }

  @McpResource('shop://orders/{id}')
  order(): string {
    return 'an order';
  }
}

async function boot(): Promise<McpTestApp> {
  class ShopModule {}
  const modules = [McpModule.forRoot(), McpMetricsModule.forRoot(), { module: ShopModule, providers: [Shop] }];
  const app = await createMcpTestApp(modules, { logger: false });
  onTestFinished(() => app.close());
  return app;
}

/** A verb that Node's parser knows, or not, and a path. */
async function raw(url: string, line: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(`${line} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
  await once(socket.resume(), 'close');
}

/** Asks for everything that is not there, under names that come from a number. */
async function flood(app: McpTestApp, n: number): Promise<void> {
  const name = `made-up-${n}"}\n`;
  const session = await WireSession.open(app.url);
  const sent: Promise<unknown>[] = [
    statelessRequest(app.url, `method/${n}`),
    statelessRequest(app.url, 'tools/call', { name }),
    statelessRequest(app.url, 'prompts/get', { name }),
    statelessRequest(app.url, 'resources/read', { uri: `shop://nothing/${n}` }),
    statelessRequest(app.url, 'resources/read', { uri: `shop://orders/${n}` }),
    statelessRequest(app.url, 'completion/complete', {
      ref: { type: 'ref/prompt', name },
      argument: { name, value: '' },
    }),
    statelessRequest(app.url, 'tools/list', {}, { headers: { 'mcp-protocol-version': `2099-${n}` } }),
    statelessRequest(app.url, 'tools/list', {}, { headers: { 'mcp-method': name.trim(), 'user-agent': `agent-${n}` } }),
    session.request(`method/${n}`, {}, 1),
    session.request('tools/call', { name, arguments: {} }, 2),
    session.post({ jsonrpc: '2.0', method: `notifications/${n}` }, { 'mcp-session-id': `none-${n}` }),
    session.get({ 'last-event-id': `none-${n}` }),
    post(app.url, requestBody('tools/list'), { 'mcp-session-id': `none-${n}`, 'mcp-protocol-version': `v${n}` }),
    fetch(new URL(`/path/${n}?query=${n}`, app.url)),
    fetch(new URL(`/metrics/${n}`, app.url), { headers: { accept: `text/${n}` } }),
    plainRequest(app.url, { method: 'PUT', headers: { host: `host-${n}.example` } }),
    plainRequest(app.url, { method: 'OPTIONS', headers: { origin: `https://${n}.example` } }),
    raw(app.url, `PROPFIND /mcp/${n}`),
    raw(app.url, `VERB${n} /mcp`),
    raw(app.url, `GET /%zz${n}`),
  ];
  for (const answer of await Promise.all(sent)) if (answer instanceof Response) await answer.body?.cancel();
  await session.delete();
}

it('a flood of names, versions, verbs and paths that nobody knows makes no new series', async () => {
  const app = await boot();
  await flood(app, 0);
  await Scrape.of(app.url);
  const before = await Scrape.of(app.url);

  for (let n = 1; n <= 10; n += 1) await flood(app, n);
  const after = await Scrape.of(app.url);

  expect(after.identities).toEqual(before.identities);
  expect(after.identities.join('\n')).not.toMatch(/made-up|method\/|2099|none-|VERB|\bv1\b/);
  const unknown = { mcp_method_name: 'tools/call', gen_ai_tool_name: '_other', error_type: 'denied' };
  expect(after.value('mcp_server_operation_duration_seconds_count', unknown)).toBe(22);
});
