import { Injectable, Module } from '@nestjs/common';
import { expect, it } from 'vitest';
import { McpCall, McpTool } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { type Json, WireSession, initialize, post, sseMessages } from '../../support/wire.js';

@Injectable()
class Tools {
  @McpTool({ description: 'Reports progress and returns a text.', input: { type: 'object' } })
  big({ length }: { length: number }, call: McpCall): string {
    call.progress(1);
    return 'x'.repeat(length);
  }
}

@Module({ providers: [Tools] })
class ToolsModule {}

function callBig(length: number): Json {
  return { name: 'big', arguments: { length }, _meta: { progressToken: 'p' } };
}

function textOf(message: Json | undefined): string | undefined {
  return (message?.['result'] as { content: { text: string }[] } | undefined)?.content[0]?.text;
}

it('delivers every result that the limit of results allows', async () => {
  const limit = 6 * 1024 * 1024;
  await using app = await createMcpTestApp(ToolsModule, { logger: false, options: { maxResultBytes: limit } });
  const session = await WireSession.open(app.url);

  const messages = await sseMessages(await session.request('tools/call', callBig(limit - 100)));

  expect(textOf(messages[1])?.length).toBe(limit - 100);
});

it('says so when an answer is lost because the log is too small for it', async () => {
  const options = { sessions: { events: { maxBytes: 1_000 } } };
  await using app = await createMcpTestApp(ToolsModule, { logger: false, options });
  const session = await WireSession.open(app.url);

  const messages = await sseMessages(await session.request('tools/call', callBig(10_000)));

  expect(messages.at(-1)).toMatchObject({ id: 1, error: { code: -32603 } });
});

it('answers a call that the log has no room for, though it cannot be resumed', async () => {
  const options = { sessions: { events: { maxStreams: 1 } } };
  await using app = await createMcpTestApp(ToolsModule, { logger: false, options });
  const session = await WireSession.open(app.url);
  const reading = await session.get();

  const messages = await sseMessages(await session.request('tools/call', callBig(5)));
  await reading.body?.cancel();

  expect(textOf(messages.at(-1))).toBe('xxxxx');
});

it('refuses a client that says too much of itself', async () => {
  await using app = await createMcpTestApp(ToolsModule);
  const request = initialize('2025-11-25');
  (request['params'] as { clientInfo: Json }).clientInfo['title'] = 'x'.repeat(20_000);

  const response = await post(app.url, JSON.stringify(request));

  expect(response.headers.get('mcp-session-id')).toBe(null);
  expect(await response.json()).toMatchObject({ error: { code: -32602 } });
});
