import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCall, McpResource, McpTool } from '../../../src/index.js';
import { StdioChannel, notification, request, stateless } from './stdio-channel.js';

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
const Name = z.object({ name: z.string() });

/** Ends when it is told to, and says when it is cancelled. */
class Gate {
  readonly opened: Promise<void>;
  open!: () => void;
  readonly aborted: Promise<unknown>;
  abort!: (reason: unknown) => void;

  constructor() {
    this.opened = new Promise((resolve) => (this.open = resolve));
    this.aborted = new Promise((resolve) => (this.abort = resolve));
  }
}

@Injectable()
class TestTools {
  constructor(private readonly gate: Gate) {}

  @McpTool()
  async wait(call: McpCall): Promise<string> {
    call.signal.addEventListener('abort', () => {
      // What a handler still says when it is cancelled must not be heard.
      call.progress(99);
      this.gate.abort(call.signal.reason);
    });
    call.progress(1);
    await this.gate.opened;
    return 'waited';
  }

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
  chat(call: McpCall): string {
    call.log('debug', 'quiet');
    call.log('warning', 'loud');
    return 'said';
  }

  @McpResource('notes://one')
  note(): string {
    return 'a note';
  }
}

const open = (gate = new Gate()) => StdioChannel.open([TestTools, { provide: Gate, useValue: gate }]);
const listen = (id: unknown, notifications: object) => stateless(id, 'subscriptions/listen', { notifications });

describe('stdio, revision 2026-07-28', () => {
  it('answers server/discover as the first message', async () => {
    await using channel = await open();

    expect(await channel.ask(stateless(1, 'server/discover'))).toMatchObject({
      jsonrpc: '2.0',
      id: 1,
      result: {
        resultType: 'complete',
        supportedVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'],
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'stdio-test', version: '1.0.0' } },
      },
    });
  });

  it('refuses a revision that is not served and names those that are', async () => {
    await using channel = await open();
    const meta = { 'io.modelcontextprotocol/protocolVersion': '1900-01-01' };

    expect(await channel.ask(stateless(1, 'server/discover', {}, meta))).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32022,
        message: 'Unsupported protocol version',
        data: { supported: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'], requested: '1900-01-01' },
      },
    });
  });

  it.each([
    ['no _meta', request(1, 'tools/list')],
    ['no revision', stateless(1, 'tools/list', {}, { 'io.modelcontextprotocol/protocolVersion': undefined })],
    ['no capabilities', stateless(1, 'tools/list', {}, { 'io.modelcontextprotocol/clientCapabilities': undefined })],
    ['a revision that is no string', stateless(1, 'tools/list', {}, { 'io.modelcontextprotocol/protocolVersion': 1 })],
  ])('refuses a request with %s with -32602', async (_what, message) => {
    await using channel = await open();

    expect(await channel.ask(message)).toMatchObject({ id: 1, error: { code: -32602 } });
  });

  it('sends a client that names a session revision before initialize to initialize', async () => {
    await using channel = await open();
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2025-11-25' };

    expect(await channel.ask(stateless(1, 'tools/list', {}, meta))).toMatchObject({
      error: { code: -32602, message: expect.stringContaining('send initialize first') },
    });
  });

  it('serves lists, calls and reads', async () => {
    await using channel = await open();

    const list = await channel.ask(stateless(1, 'tools/list'));
    const call = await channel.ask(stateless('two', 'tools/call', { name: 'quick' }));
    const read = await channel.ask(stateless(3, 'resources/read', { uri: 'notes://one' }));
    const unknown = await channel.ask(stateless(4, 'ping'));

    expect(list).toMatchObject({ result: { resultType: 'complete', cacheScope: 'private' } });
    expect(call).toMatchObject({ id: 'two', result: { content: [{ type: 'text', text: 'quick' }] } });
    expect(read).toMatchObject({ result: { contents: [{ uri: 'notes://one', text: 'a note' }] } });
    expect(unknown).toMatchObject({ id: 4, error: { code: -32601 } });
  });

  it('runs requests at once and answers each under its id', async () => {
    const gate = new Gate();
    await using channel = await open(gate);

    channel.send(stateless(1, 'tools/call', { name: 'wait' }), stateless('1', 'tools/call', { name: 'quick' }));
    await channel.lines.response('1');
    gate.open();

    expect(await channel.lines.response(1)).toMatchObject({ result: { content: [{ text: 'waited' }] } });
    expect(channel.lines.messages.map(({ id }) => id)).toEqual(['1', 1]);
  });

  it('refuses an id that is in use by a running request', async () => {
    const gate = new Gate();
    await using channel = await open(gate);

    channel.send(stateless(1, 'tools/call', { name: 'wait' }), stateless(1, 'tools/call', { name: 'quick' }));
    await channel.lines.until(() => channel.lines.all.length === 1);
    gate.open();
    await channel.lines.until(() => channel.lines.all.length === 2);

    expect(channel.lines.messages).toMatchObject([
      { id: 1, error: { code: -32600, message: 'A request with the id 1 is running on this channel.' } },
      { id: 1, result: { content: [{ text: 'waited' }] } },
    ]);
  });

  it('asks its questions in results, never by requests', async () => {
    await using channel = await open();
    const capable = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };

    const asked = await channel.ask(stateless(1, 'tools/call', { name: 'greet' }, capable));
    const { inputRequests, requestState } = asked['result'] as { inputRequests: object; requestState: string };
    const [key = ''] = Object.keys(inputRequests);
    const inputResponses = { [key]: { action: 'accept', content: { name: 'Ada' } } };
    const params = { name: 'greet', requestState, inputResponses };
    const answered = await channel.ask(stateless(2, 'tools/call', params, capable));

    expect(asked).toMatchObject({ result: { resultType: 'input_required' } });
    expect(answered).toMatchObject({ result: { content: [{ text: 'Hello Ada' }] } });
    expect(channel.lines.messages.filter((message) => 'method' in message)).toEqual([]);
  });

  it('sends progress and log messages ahead of the response', async () => {
    const gate = new Gate();
    gate.open();
    await using channel = await open(gate);

    await channel.ask(stateless(1, 'tools/call', { name: 'wait' }, { progressToken: 'p' }));
    await channel.ask(stateless(2, 'tools/call', { name: 'chat' }, { 'io.modelcontextprotocol/logLevel': 'warning' }));

    expect(channel.lines.messages).toMatchObject([
      { method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } },
      { id: 1 },
      { method: 'notifications/message', params: { level: 'warning', data: 'loud' } },
      { id: 2 },
    ]);
  });

  it('stops a cancelled request and writes nothing more for it', async () => {
    const gate = new Gate();
    await using channel = await open(gate);

    channel.send(stateless(1, 'tools/call', { name: 'wait' }, { progressToken: 'p' }));
    await channel.lines.called('notifications/progress');
    channel.send(notification('notifications/cancelled', { requestId: 1, reason: 'enough' }));
    const reason = await gate.aborted;
    gate.open();
    await channel.settled();

    expect(reason).toMatchObject({ name: 'CallCancelled', message: 'The client cancelled the call: enough' });
    expect(channel.lines.messages).toMatchObject([{ method: 'notifications/progress', params: { progress: 1 } }]);
  });

  it('stops a request that is cancelled along with it, and ignores cancellations of nothing', async () => {
    await using channel = await open();

    channel.send(
      stateless(1, 'tools/call', { name: 'wait' }),
      notification('notifications/cancelled', { requestId: 1 }),
      stateless(2, 'tools/list'),
      notification('notifications/cancelled', { requestId: 2 }),
      notification('notifications/cancelled', { requestId: 'unknown' }),
      notification('notifications/cancelled', { requestId: {} }),
      notification('notifications/cancelled'),
    );
    await channel.settled();

    expect(channel.lines.all).toEqual([]);
  });
});

describe('stdio, subscriptions/listen', () => {
  it('acknowledges each subscription before it writes its changes', async () => {
    await using channel = await open();

    channel.send(listen('lists', { toolsListChanged: true, promptsListChanged: false }));
    channel.send(listen(7, { resourceSubscriptions: ['notes://one'] }));
    await channel.settled();
    channel.registry.addTool({ name: 'late', handler: () => 'late' });
    await channel.registry.resourceUpdated('notes://one');
    await channel.registry.resourceUpdated('notes://other');
    await channel.lines.called('notifications/resources/updated');

    expect(channel.lines.messages).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: { toolsListChanged: true }, _meta: { [SUBSCRIPTION_ID]: 'lists' } },
      },
      {
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: { resourceSubscriptions: ['notes://one'] }, _meta: { [SUBSCRIPTION_ID]: 7 } },
      },
      {
        jsonrpc: '2.0',
        method: 'notifications/tools/list_changed',
        params: { _meta: { [SUBSCRIPTION_ID]: 'lists' } },
      },
      {
        jsonrpc: '2.0',
        method: 'notifications/resources/updated',
        params: { uri: 'notes://one', _meta: { [SUBSCRIPTION_ID]: 7 } },
      },
    ]);
  });

  it('ends the one subscription that the client cancels', async () => {
    await using channel = await open();
    channel.send(listen('one', { toolsListChanged: true }), listen('two', { toolsListChanged: true }));

    channel.send(notification('notifications/cancelled', { requestId: 'one' }));
    await channel.settled();
    channel.lines.all.length = 0;
    channel.registry.addTool({ name: 'late', handler: () => 'late' });
    await channel.settled();

    expect(channel.lines.messages).toEqual([
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta: { [SUBSCRIPTION_ID]: 'two' } } },
    ]);
  });

  it('answers each subscription and cancels it by its id when the server stops', async () => {
    const channel = await open();
    channel.send(listen('one', { toolsListChanged: true }));
    await channel.settled();
    channel.lines.all.length = 0;

    await channel.app.close();
    await channel.server.closed;
    await channel.lines.called('notifications/cancelled');

    expect(channel.lines.messages).toEqual([
      {
        jsonrpc: '2.0',
        id: 'one',
        result: {
          resultType: 'complete',
          _meta: {
            [SUBSCRIPTION_ID]: 'one',
            'io.modelcontextprotocol/serverInfo': { name: 'stdio-test', version: '1.0.0' },
          },
        },
      },
      {
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: 'one', reason: 'The server is stopping.', _meta: { [SUBSCRIPTION_ID]: 'one' } },
      },
    ]);
  });

  it('refuses a filter that is not one', async () => {
    await using channel = await open();

    expect(await channel.ask(listen(1, { toolsListChanged: 'yes' }))).toMatchObject({ error: { code: -32602 } });
  });
});

describe('stdio, end of the channel', () => {
  it('cancels what runs when the input ends, and ends the output', async () => {
    const gate = new Gate();
    await using channel = await open(gate);
    channel.send(stateless(1, 'tools/call', { name: 'wait' }, { progressToken: 'p' }));
    await channel.lines.called('notifications/progress');

    channel.input.end();
    await channel.server.closed;

    expect(await gate.aborted).toMatchObject({ name: 'CallCancelled' });
    expect(channel.output.writableFinished).toBe(true);
    expect(channel.lines.messages).toHaveLength(1);
  });

  it('ends when the reader goes away', async () => {
    const gate = new Gate();
    await using channel = await open(gate);
    channel.send(stateless(1, 'tools/call', { name: 'wait' }, { progressToken: 'p' }));
    await channel.lines.called('notifications/progress');

    channel.output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await channel.server.closed;

    expect(await gate.aborted).toMatchObject({ name: 'CallCancelled' });
    expect(channel.input.destroyed).toBe(true);
  });

  it('reads no further while the reader is slow, and says what changed meanwhile once', async () => {
    const REQUESTS = 3_000;
    const gate = new Gate();
    gate.open();
    await using channel = await StdioChannel.open([TestTools, { provide: Gate, useValue: gate }], {
      http: { maxBufferedBytes: 20_000 },
    });
    channel.send(listen('slow', { toolsListChanged: true }));
    await channel.settled();
    channel.output.pause();

    for (let id = 0; id < REQUESTS; id++) channel.send(stateless(id, 'server/discover'));
    await new Promise((resolve) => setImmediate(resolve));
    for (let count = 0; count < 9; count++) channel.registry.addTool({ name: `t${count}`, handler: () => '' });
    const waiting = channel.output.writableLength + channel.output.readableLength;
    channel.output.resume();
    // The acknowledgment, the responses and the one change.
    await channel.lines.until(() => channel.lines.all.length === REQUESTS + 2);
    await channel.settled();

    // Some 1.4 MB in all; the buffers of both streams and one chunk of input, more or less of it, are between.
    expect(waiting).toBeLessThan(800_000);
    expect(new Set(channel.lines.messages.map(({ id }) => id)).size).toBe(REQUESTS + 1);
    expect(channel.lines.messages.filter(({ method }) => method === 'notifications/tools/list_changed')).toHaveLength(
      1,
    );
  });
});
