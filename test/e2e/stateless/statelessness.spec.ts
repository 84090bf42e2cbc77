import { Agent } from 'node:http';
import { Injectable, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCall, McpTool, keyRingFromConfig } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { type Json, type SseEvent, sseEvents, statelessHeaders, statelessRequest } from '../../support/wire.js';
import { CAPABILITIES, callTool, plainRequest, requestBody, textOf } from './requests.js';

const Name = z.object({ name: z.string() });

@Injectable()
class Fixtures {
  @McpTool()
  describeClient(call: McpCall) {
    return { info: call.client.info?.name ?? null, capabilities: call.client.capabilities };
  }

  @McpTool()
  async greet(call: McpCall) {
    const { name } = await call.elicit(Name, 'What is your name?');
    return `Hello, ${name}!`;
  }

  @McpTool()
  countDown(call: McpCall) {
    call.progress(1);
    call.progress(2);
    return 'Done.';
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

const asks = { [CAPABILITIES]: { elicitation: {} } };

describe('requests that stand alone', () => {
  it('takes client and capabilities from the request itself, not from one before it on the same connection', async () => {
    await using app = await createMcpTestApp(FixtureModule);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const params = { name: 'describeClient' };
    const send = (meta: Json) =>
      plainRequest(app.url, {
        agent,
        headers: statelessHeaders('tools/call', params),
        body: requestBody('tools/call', params, meta),
      });

    await send({ ...asks, 'io.modelcontextprotocol/clientInfo': { name: 'first', version: '1' } });
    const second = await send({ 'io.modelcontextprotocol/clientInfo': undefined });

    agent.destroy();
    expect(second.reused).toBe(true);
    expect(JSON.parse(second.text)).toMatchObject({
      result: { content: [{ type: 'text', text: '{"info":null,"capabilities":{}}' }] },
    });
  });

  it('finishes on one replica what another has begun', async () => {
    const key = `k1:${Buffer.alloc(32, 7).toString('base64')}`;
    const replica = () => createMcpTestApp(FixtureModule, { options: { requestStateKeys: keyRingFromConfig(key) } });
    await using begun = await replica();
    await using finishing = await replica();
    const asked = await callTool(begun.url, 'greet', {}, { meta: asks });
    const { result } = (await asked.json()) as { result: Json };

    const retry = {
      name: 'greet',
      arguments: {},
      requestState: result['requestState'],
      inputResponses: { elicitation_1: { action: 'accept', content: { name: 'Ada' } } },
    };
    const response = await statelessRequest(finishing.url, 'tools/call', retry, { id: 2, meta: asks });

    expect(await textOf(response)).toBe('Hello, Ada!');
  });

  it('ignores a session id and mints none', async () => {
    await using app = await createMcpTestApp(FixtureModule);

    const response = await callTool(app.url, 'describeClient', {}, { headers: { 'mcp-session-id': 'from-long-ago' } });

    expect(response.status).toBe(200);
    expect(response.headers.get('mcp-session-id')).toBeNull();
  });

  it('ignores Last-Event-ID and gives its events no ids', async () => {
    await using app = await createMcpTestApp(FixtureModule);
    const options = { headers: { 'last-event-id': '1' }, meta: { progressToken: 'p' } };

    const response = await callTool(app.url, 'countDown', {}, options);

    const events: SseEvent[] = [];
    for await (const event of sseEvents(response)) events.push(event);
    expect(events).toEqual([
      { comments: [], data: expect.stringContaining('"progress":1') },
      { comments: [], data: expect.stringContaining('"progress":2') },
      { comments: [], data: expect.stringContaining('Done.') },
    ]);
  });
});
