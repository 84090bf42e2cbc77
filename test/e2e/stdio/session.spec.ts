import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCall, McpResource, McpTool } from '../../../src/index.js';
import { StdioChannel, notification, request, stateless } from './stdio-channel.js';

const Name = z.object({ name: z.string() });

@Injectable()
class TestTools {
  @McpTool()
  quick(): string {
    return 'quick';
  }

  @McpTool()
  async greet(call: McpCall): Promise<string> {
    const { name } = await call.elicit(Name, 'What is your name?');
    return `Hello ${name}`;
  }

  @McpTool()
  async gather(call: McpCall): Promise<object> {
    const sampled = await call.sample({ messages: [], maxTokens: 10 });
    return { model: sampled.model, roots: await call.roots() };
  }

  @McpTool()
  chat(call: McpCall): string {
    call.log('info', 'quiet');
    call.log('error', 'loud');
    return 'said';
  }

  @McpResource('notes://one')
  note(): string {
    return 'a note';
  }
}

const open = () => StdioChannel.open([TestTools]);
const call = (id: unknown, name: string) => request(id, 'tools/call', { name, arguments: {} });
const CAPABLE = { elicitation: {}, sampling: {}, roots: {} };

describe('stdio, session revisions', () => {
  it.each(['2025-03-26', '2025-06-18', '2025-11-25'])(
    'opens a session of revision %s by initialize',
    async (revision) => {
      await using channel = await open();

      expect(await channel.initialize(revision)).toMatchObject({
        id: 'init',
        result: {
          protocolVersion: revision,
          capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } },
          serverInfo: { name: 'stdio-test', version: '1.0.0' },
        },
      });
      expect(await channel.ask(call(1, 'quick'))).toEqual({
        jsonrpc: '2.0',
        id: 1,
        result: { content: [{ type: 'text', text: 'quick' }] },
      });
    },
  );

  it('offers its newest session revision for one it does not know', async () => {
    await using channel = await open();

    expect(await channel.initialize('2024-01-01')).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
  });

  it('answers ping before initialize, and nothing else', async () => {
    await using channel = await open();

    expect(await channel.ask(request(1, 'ping'))).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    expect(await channel.ask(call(2, 'quick'))).toMatchObject({ error: { code: -32602 } });
    expect(await channel.ask(request(3, 'initialize', { protocolVersion: '2025-11-25' }))).toMatchObject({
      error: { code: -32602, message: 'params.capabilities must be an object.' },
    });
    expect(await channel.initialize()).toHaveProperty('result');
  });

  it('refuses a second initialize', async () => {
    await using channel = await open();
    await channel.initialize();

    expect(await channel.initialize()).toMatchObject({ error: { code: -32600 } });
  });

  it('serves stateless requests on the channel of a session', async () => {
    await using channel = await open();
    await channel.initialize();

    channel.send(stateless(1, 'tools/call', { name: 'quick' }), call(2, 'quick'), request(3, 'server/discover'));

    expect(await channel.lines.response(1)).toMatchObject({ result: { resultType: 'complete' } });
    expect((await channel.lines.response(2))['result']).not.toHaveProperty('resultType');
    expect(await channel.lines.response(3)).toMatchObject({ error: { code: -32601 } });
  });

  it('asks the client by requests and takes its responses', async () => {
    await using channel = await open();
    await channel.initialize('2025-11-25', CAPABLE);

    channel.send(call(1, 'greet'));
    const asked = await channel.lines.called('elicitation/create');
    channel.send({ jsonrpc: '2.0', id: 'stray', result: {} });
    channel.send({ jsonrpc: '2.0', id: asked['id'], result: { action: 'accept', content: { name: 'Ada' } } });

    expect(asked).toMatchObject({ params: { mode: 'form', message: 'What is your name?' } });
    expect(await channel.lines.response(1)).toMatchObject({ result: { content: [{ text: 'Hello Ada' }] } });
  });

  it('asks for a completion and for roots', async () => {
    await using channel = await open();
    await channel.initialize('2025-06-18', CAPABLE);

    channel.send(call(1, 'gather'));
    const sampling = await channel.lines.called('sampling/createMessage');
    const message = { role: 'assistant', model: 'm-1', content: { type: 'text', text: 'hi' } };
    channel.send({ jsonrpc: '2.0', id: sampling['id'], result: message });
    const roots = await channel.lines.called('roots/list');
    channel.send({ jsonrpc: '2.0', id: roots['id'], result: { roots: [{ uri: 'file:///tmp' }] } });

    expect(await channel.lines.response(1)).toMatchObject({
      result: { content: [{ text: '{"model":"m-1","roots":[{"uri":"file:///tmp"}]}' }] },
    });
  });

  it('tells the model when the client answers with an error', async () => {
    await using channel = await open();
    await channel.initialize('2025-11-25', CAPABLE);

    channel.send(call(1, 'greet'));
    const asked = await channel.lines.called('elicitation/create');
    channel.send({ jsonrpc: '2.0', id: asked['id'], error: { code: -1, message: 'no window' } });

    expect(await channel.lines.response(1)).toMatchObject({
      result: { isError: true, content: [{ text: 'The client did not answer: no window' }] },
    });
  });

  it('withdraws its question when the client cancels the call', async () => {
    await using channel = await open();
    await channel.initialize('2025-11-25', CAPABLE);

    channel.send(call(1, 'greet'));
    const asked = await channel.lines.called('elicitation/create');
    channel.send(notification('notifications/cancelled', { requestId: 1 }));
    const withdrawn = await channel.lines.called('notifications/cancelled');
    await channel.settled();

    expect(withdrawn).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: asked['id'] },
    });
    expect(channel.lines.all).toHaveLength(2);
  });

  it('does not start a call that is cancelled along with it', async () => {
    let started = false;
    await using channel = await open();
    channel.registry.addTool({ name: 'start', handler: () => (started = true) });
    await channel.initialize();

    channel.send(call(1, 'start'), notification('notifications/cancelled', { requestId: 1 }));
    await channel.settled();

    expect(started).toBe(false);
    expect(channel.lines.all).toEqual([]);
  });

  it('refuses an id that is in use by a running request of the session', async () => {
    await using channel = await open();
    await channel.initialize('2025-11-25', CAPABLE);

    channel.send(call(1, 'greet'));
    await channel.lines.called('elicitation/create');

    expect(await channel.ask(call(1, 'quick'))).toMatchObject({ id: 1, error: { code: -32600 } });
  });

  it('sends log messages of the level that was set, and none before', async () => {
    await using channel = await open();
    await channel.initialize();

    await channel.ask(call(1, 'chat'));
    const wrong = await channel.ask(request(2, 'logging/setLevel', { level: 'shout' }));
    channel.send(request(3, 'logging/setLevel', { level: 'error' }), call(4, 'chat'));
    await channel.lines.response(4);

    expect(wrong).toMatchObject({ error: { code: -32602 } });
    expect(channel.lines.messages.filter(({ method }) => method === 'notifications/message')).toMatchObject([
      { params: { level: 'error', data: 'loud' } },
    ]);
  });

  it('tells of updates of the resources that are subscribed to', async () => {
    await using channel = await open();
    await channel.initialize();

    const unknown = await channel.ask(request(1, 'resources/subscribe', { uri: 'notes://none' }));
    await channel.ask(request(2, 'resources/subscribe', { uri: 'notes://one' }));
    await channel.registry.resourceUpdated('notes://one');
    await channel.ask(request(3, 'resources/unsubscribe', { uri: 'notes://one' }));
    await channel.registry.resourceUpdated('notes://one');
    await channel.settled();

    expect(unknown).toMatchObject({ error: { code: -32002 } });
    expect(channel.lines.messages.filter((message) => 'method' in message)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'notes://one' } },
    ]);
  });

  it('tells of changed lists without being asked', async () => {
    await using channel = await open();
    await channel.initialize();

    channel.registry.addTool({ name: 'late', handler: () => 'late' });

    expect(await channel.lines.called('notifications/tools/list_changed')).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: {},
    });
  });
});

describe('stdio, batches', () => {
  it('answers a 2025-03-26 batch by one batch, message by message', async () => {
    await using channel = await open();
    await channel.initialize('2025-03-26');

    channel.send([call(1, 'quick'), notification('notifications/unknown'), 7, request(2, 'ping')]);
    await channel.lines.until(() => channel.lines.all.length === 1);

    const responses = JSON.parse(channel.lines.all[0]!) as { id?: number }[];
    expect(responses.sort((a, b) => (a.id ?? 0) - (b.id ?? 0))).toMatchObject([
      { error: { code: -32600 } },
      { id: 1, result: { content: [{ text: 'quick' }] } },
      { id: 2, result: {} },
    ]);
  });

  it('says nothing to a batch without requests', async () => {
    await using channel = await open();
    await channel.initialize('2025-03-26');

    channel.send([notification('notifications/unknown')]);
    await channel.settled();

    expect(channel.lines.all).toEqual([]);
  });

  it.each([
    ['of a later revision', '2025-06-18', [request(1, 'ping')]],
    ['without messages', '2025-03-26', []],
    ['of more messages than are allowed', '2025-03-26', Array.from({ length: 51 }, (_, id) => request(id, 'ping'))],
    ['with a stateless request', '2025-03-26', [stateless(1, 'server/discover')]],
  ])('refuses a batch %s', async (_what, revision, batch) => {
    await using channel = await open();
    await channel.initialize(revision);

    channel.send(batch);

    expect(await channel.lines.message((message) => 'error' in message)).toMatchObject({ error: { code: -32600 } });
  });
});
