import { Injectable, Module } from '@nestjs/common';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { EventLog, McpCall, McpTool } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { type Json, WireSession, sseEvents, sseMessages } from '../../support/wire.js';

@Injectable()
class Endings {
  @McpTool({ description: 'Reports progress and ends.' })
  report(call: McpCall): string {
    call.progress(1);
    return 'done';
  }

  @McpTool({ description: 'Waits for the user.' })
  async ask(call: McpCall): Promise<string> {
    const { name } = await call.elicit(z.object({ name: z.string() }), 'Who are you?');
    return name;
  }
}

@Module({ providers: [Endings] })
class EndingsModule {}

const ASK = { name: 'ask', arguments: {} };

it('ends at once when an answer is resumed after its last event', async () => {
  await using app = await createMcpTestApp(EndingsModule);
  const session = await WireSession.open(app.url);
  const params = { name: 'report', arguments: {}, _meta: { progressToken: 'p' } };
  let last = '';
  for await (const { id } of sseEvents(await session.request('tools/call', params))) last = id ?? last;

  const resumed = await session.get({ 'last-event-id': last });

  expect(resumed.status).toBe(200);
  expect(await sseMessages(resumed)).toEqual([]);
});

it('stops although a call waits for its user, and tells the client that it waits no more', async () => {
  const app = await createMcpTestApp(EndingsModule);
  const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });
  const response = await session.request('tools/call', ASK);
  const events = sseEvents(response);
  let question: Json = {};
  while (question['method'] !== 'elicitation/create') {
    const { value } = await events.next();
    if (value?.data) question = JSON.parse(value.data) as Json;
  }

  const closed = app.close();
  const rest: Json[] = [];
  for await (const { data } of events) if (data !== '') rest.push(JSON.parse(data) as Json);
  await closed;

  expect(rest).toEqual([
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: question['id'] } },
    {
      jsonrpc: '2.0',
      id: 1,
      error: { code: 503, message: expect.stringMatching(/^The server is stopping\. /) },
    },
  ]);
});

it('does not wait for an answer for ever', async () => {
  await using app = await createMcpTestApp(EndingsModule, { options: { http: { askTimeoutMs: 20 } } });
  const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });

  const messages = await sseMessages(await session.request('tools/call', ASK));

  expect(messages.map(({ method }) => method)).toEqual(['elicitation/create', 'notifications/cancelled', undefined]);
  expect(messages[2]?.['result']).toEqual({
    content: [{ type: 'text', text: 'No answer came in time.' }],
    isError: true,
  });
});

it('keeps nothing of a call whose session was deleted while it ran', async () => {
  await using app = await createMcpTestApp(EndingsModule);
  const session = await WireSession.open(app.url, '2025-11-25', { elicitation: {} });
  const response = await session.request('tools/call', ASK);
  const events = sseEvents(response);
  const { value: primed } = await events.next();
  const streamId = primed?.id?.split('.')[0] ?? '';

  await session.delete();
  for await (const _event of events);

  expect(await app.get<EventLog>(EventLog).read(session.id, streamId, '', 10)).toEqual({ status: 'unknown' });
});
