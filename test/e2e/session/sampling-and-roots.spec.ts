import { Injectable } from '@nestjs/common';
import type { CreateMessageRequestParams } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { McpCall, McpTool } from '../../../src/index.js';
import { type Json, WireSession } from '../../support/wire.js';
import { EventStream, SessionApp, errorFrame, resultFrame, textResult, toolError } from './session-app.js';

const ANYTHING = { type: 'object', additionalProperties: true } as const;

@Injectable()
class Tools {
  /** Sends the client's model what it is given. */
  @McpTool({ input: ANYTHING })
  async sample(params: Record<string, unknown>, call: McpCall) {
    const { content, model } = await call.sample(params as unknown as CreateMessageRequestParams);
    return `${model}: ${JSON.stringify(content)}`;
  }

  @McpTool()
  async twice(call: McpCall) {
    const before = await call.roots();
    const after = await call.roots();
    return [...before, ...after].map(({ uri }) => uri).join();
  }
}

function said(role: string, ...content: Json[]): Json {
  return { role, content: content.length === 1 ? content[0] : content };
}

function text(value: string): Json {
  return { type: 'text', text: value };
}

function toolUse(id: string): Json {
  return { type: 'tool_use', id, name: 'weather', input: {} };
}

function toolResult(toolUseId: string): Json {
  return { type: 'tool_result', toolUseId, content: [text('rain')] };
}

function answer(session: WireSession, question: Json | undefined, body: Json): Promise<Response> {
  return session.post({ jsonrpc: '2.0', id: question?.['id'], ...body });
}

const HI = { messages: [said('user', text('Hi'))], maxTokens: 10 };
const TOOLS = [{ name: 'weather', inputSchema: { type: 'object' } }];
const HELLO = { role: 'assistant', model: 'm-1', content: text('Hello'), stopReason: 'endTurn' };

describe('sampling', () => {
  it.each(['2025-03-26', '2025-06-18', '2025-11-25'])(
    'in a %s session asks the model of the client',
    async (revision) => {
      await using app = await SessionApp.boot([Tools]);
      const session = await WireSession.open(app.url, revision, { sampling: {} });
      const stream = await EventStream.call(session, 'sample', HI);

      const question = await stream.message();
      const accepted = await answer(session, question, { result: HELLO });

      expect(question).toEqual({
        jsonrpc: '2.0',
        id: expect.any(String),
        method: 'sampling/createMessage',
        params: { messages: [{ role: 'user', content: { type: 'text', text: 'Hi' } }], maxTokens: 10 },
      });
      expect(accepted.status).toBe(202);
      expect(await stream.messages()).toEqual([resultFrame(1, textResult('m-1: {"type":"text","text":"Hello"}'))]);
    },
  );

  it('that the client refuses fails the call', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { sampling: {} });
    const stream = await EventStream.call(session, 'sample', HI);

    await answer(session, await stream.message(), { error: { code: -1, message: 'User rejected sampling request' } });

    const told = toolError('The client did not answer: User rejected sampling request');
    expect(await stream.messages()).toEqual([resultFrame(1, told)]);
  });

  it.each([
    ['no model', { role: 'assistant', content: text('Hello') }],
    ['no content', { role: 'assistant', model: 'm-1' }],
  ])('that is answered with %s goes on waiting', async (_what, result) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { sampling: {} });
    const stream = await EventStream.call(session, 'sample', HI);
    const question = await stream.message();

    const malformed = await answer(session, question, { result });
    const right = await answer(session, question, { result: HELLO });

    expect([malformed.status, right.status]).toEqual([400, 202]);
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('m-1: {"type":"text","text":"Hello"}'))]);
  });

  it.each([
    ['2025-11-25', { sampling: {} }, { tools: TOOLS }],
    ['2025-11-25', { sampling: {} }, { toolChoice: { mode: 'auto' } }],
    ['2025-06-18', { sampling: { tools: {} } }, { tools: TOOLS }],
  ])('offers no tools to a %s client that declares %j', async (revision, declared, offered) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, revision, declared);

    const response = await session.request('tools/call', { name: 'sample', arguments: { ...HI, ...offered } });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const told = toolError('This call needs a client with the capability: sampling.');
    expect(await response.json()).toEqual(resultFrame(1, told));
  });

  it('offers tools to a client that declares to support them', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { sampling: { tools: {} } });

    const stream = await EventStream.call(session, 'sample', { ...HI, tools: TOOLS });

    expect(await stream.message()).toMatchObject({ params: { tools: TOOLS } });
  });

  it.each([
    ['2025-11-25', {}, 'thisServer', undefined],
    ['2025-11-25', {}, 'none', 'none'],
    ['2025-11-25', { context: {} }, 'allServers', 'allServers'],
    ['2025-06-18', {}, 'thisServer', 'thisServer'],
  ])('asks a %s client that declares %j to include context %s as %s', async (revision, declared, asked, sent) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, revision, { sampling: declared });

    const stream = await EventStream.call(session, 'sample', { ...HI, includeContext: asked });

    const question = await stream.message();
    expect((question?.['params'] as Json)['includeContext']).toBe(sent);
    expect((question?.['params'] as Json)['maxTokens']).toBe(10);
  });

  it.each([
    ['a result beside a text', [said('assistant', toolUse('a')), said('user', text('Here:'), toolResult('a'))]],
    ['a result said by the assistant', [said('assistant', toolUse('a')), said('assistant', toolResult('a'))]],
  ])('is refused unsent when tool results are mixed: %s', async (_what, messages) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { sampling: { tools: {} } });

    const response = await session.request('tools/call', { name: 'sample', arguments: { ...HI, messages } });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual(
      errorFrame(1, -32603, expect.stringMatching(/^Internal error\. Reference: /), { errorId: expect.any(String) }),
    );
  });

  it.each([
    ['nothing after it', [said('assistant', toolUse('a'))]],
    ['a text after it', [said('assistant', toolUse('a')), said('user', text('Well?'))]],
    ['one of two results', [said('assistant', toolUse('a'), toolUse('b')), said('user', toolResult('a'))]],
    ['the result of another use', [said('assistant', toolUse('a')), said('user', toolResult('b'))]],
    ['a result of no use', [said('user', toolResult('a'))]],
  ])('is refused unsent when a tool use is left open: %s', async (_what, messages) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { sampling: { tools: {} } });

    const response = await session.request('tools/call', { name: 'sample', arguments: { ...HI, messages } });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toMatchObject({ id: 1, error: { code: -32603 } });
  });

  it('sends a history whose tool uses are all answered', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { sampling: { tools: {} } });
    const messages = [
      said('user', text('Rain?')),
      said('assistant', text('I look.'), toolUse('a'), toolUse('b')),
      said('user', toolResult('b'), toolResult('a')),
    ];

    const stream = await EventStream.call(session, 'sample', { messages, maxTokens: 10, tools: TOOLS });

    expect(await stream.message()).toMatchObject({ params: { messages } });
  });
});

describe('roots', () => {
  it('are asked for anew each time, so that a change is seen', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { roots: { listChanged: true } });
    const stream = await EventStream.call(session, 'twice');

    const first = await stream.message();
    await answer(session, first, { result: { roots: [{ uri: 'file:///old' }] } });
    const second = await stream.message();
    const changed = await session.post({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' });
    await answer(session, second, { result: { roots: [{ uri: 'file:///new', name: 'New' }] } });

    expect(first).toEqual({ jsonrpc: '2.0', id: expect.any(String), method: 'roots/list', params: {} });
    expect(second?.['id']).not.toBe(first?.['id']);
    expect(changed.status).toBe(202);
    expect(await stream.messages()).toEqual([resultFrame(1, textResult('file:///old,file:///new'))]);
  });

  it('that the client does not give fail the call, and are waited for while it only gives what is none', async () => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { roots: {} });
    const stream = await EventStream.call(session, 'twice');
    const question = await stream.message();

    const malformed = await answer(session, question, { result: { roots: 'none' } });
    await answer(session, question, { error: { code: -32601, message: 'Roots not supported' } });

    expect(malformed.status).toBe(400);
    const told = toolError('The client did not answer: Roots not supported');
    expect(await stream.messages()).toEqual([resultFrame(1, told)]);
  });

  it.each([undefined, {}])('are not asked for when the client declares %j', async (declared) => {
    await using app = await SessionApp.boot([Tools]);
    const session = await WireSession.open(app.url, '2025-11-25', { sampling: declared, elicitation: declared });

    const response = await session.request('tools/call', { name: 'twice' });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const told = toolError('This call needs a client with the capability: roots.');
    expect(await response.json()).toEqual(resultFrame(1, told));
  });
});
