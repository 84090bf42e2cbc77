import { Injectable, Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCall, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { type Json, sseMessages, statelessRequest } from '../../support/wire.js';
import { CAPABILITIES, LOG_LEVEL, answerOf } from './requests.js';

const Name = z.object({ name: z.string() });
const POEM = { messages: [{ role: 'user', content: { type: 'text', text: 'A haiku.' } }], maxTokens: 50 } as const;

@Injectable()
class Fixtures {
  @McpTool()
  async form(call: McpCall) {
    const { name } = await call.elicit(Name, 'What is your name?');
    return name;
  }

  @McpTool()
  visit(call: McpCall) {
    return call.elicitUrl('https://pay.example/42', 'Pay the invoice.');
  }

  @McpTool()
  async poem(call: McpCall) {
    const { model, content } = await call.sample({ ...POEM, messages: [...POEM.messages] });
    return { model, content };
  }

  @McpTool()
  async poemWithTools(call: McpCall) {
    const tools = [{ name: 'rhyme', inputSchema: { type: 'object' as const } }];
    await call.sample({ ...POEM, messages: [...POEM.messages], tools });
  }

  @McpTool()
  async roots(call: McpCall) {
    const roots = await call.roots();
    return roots.map(({ uri }) => uri).join(', ');
  }

  @McpTool()
  async everything(call: McpCall) {
    const [root, { model }, { name }] = await Promise.all([
      call.roots(),
      call.sample({ ...POEM, messages: [...POEM.messages] }),
      call.elicit(Name, 'What is your name?'),
    ]);
    return `${root.length} ${model} ${name}`;
  }

  @McpTool()
  async logsAndAsks(call: McpCall) {
    call.log('info', 'About to ask.');
    await call.roots();
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

interface Round {
  readonly inputRequests: Json;
  readonly requestState: string;
}

describe('questions to the client', () => {
  let app: McpTestApp;

  beforeAll(async () => (app = await createMcpTestApp(FixtureModule)));
  afterAll(() => app.close());

  const call = (name: string, capabilities: Json, retry: Json = {}, meta: Json = {}): Promise<Response> =>
    statelessRequest(
      app.url,
      'tools/call',
      { name, arguments: {}, ...retry },
      {
        meta: { [CAPABILITIES]: capabilities, ...meta },
      },
    );
  const result = async <T = Round>(response: Promise<Response>): Promise<T> =>
    ((await (await response).json()) as { result: T }).result;

  it('sends the user to a URL in an input_required result, not with the retired -32042', async () => {
    const capabilities = { elicitation: { url: {} } };
    const asked = await result(call('visit', capabilities));
    const inputResponses = { elicitation_1: { action: 'accept' } };
    const done = await result<Json>(call('visit', capabilities, { requestState: asked.requestState, inputResponses }));

    expect(asked.inputRequests).toEqual({
      elicitation_1: {
        method: 'elicitation/create',
        params: { mode: 'url', message: 'Pay the invoice.', url: 'https://pay.example/42' },
      },
    });
    expect(done).toMatchObject({ resultType: 'complete', content: [{ text: 'accept' }] });
  });

  it('asks the model of the client and hands over its answer', async () => {
    const asked = await result(call('poem', { sampling: {} }));
    const answer = { role: 'assistant', model: 'm-1', content: { type: 'text', text: 'Old pond.' } };
    const retry = { requestState: asked.requestState, inputResponses: { sampling_1: answer } };
    const done = await result<{ content: { text: string }[] }>(call('poem', { sampling: {} }, retry));

    expect(asked.inputRequests).toEqual({ sampling_1: { method: 'sampling/createMessage', params: POEM } });
    expect(JSON.parse(done.content[0]!.text)).toEqual({ model: 'm-1', content: answer.content });
  });

  it.each([
    { role: 'assistant', content: { type: 'text', text: 'No model.' } },
    { role: 'assistant', model: 'm-1' },
    { action: 'accept', content: {} },
  ])('asks the model again when its answer is %j', async (answer) => {
    const { requestState } = await result(call('poem', { sampling: {} }));
    const retry = { requestState, inputResponses: { sampling_1: answer } };

    const again = await result(call('poem', { sampling: {} }, retry));

    expect(again).toMatchObject({
      resultType: 'input_required',
      inputRequests: { sampling_1: { method: 'sampling/createMessage' } },
    });
  });

  it('asks for the roots of the client and hands them over', async () => {
    const asked = await result(call('roots', { roots: {} }));
    const roots = [{ uri: 'file:///home/ada' }, { uri: 'file:///srv', name: 'Server' }];
    const retry = { requestState: asked.requestState, inputResponses: { roots_1: { roots } } };
    const done = await result<Json>(call('roots', { roots: {} }, retry));

    expect(asked.inputRequests).toEqual({ roots_1: { method: 'roots/list', params: {} } });
    expect(done['content']).toEqual([{ type: 'text', text: 'file:///home/ada, file:///srv' }]);
  });

  it('asks different things in one result, in the order in which the handler asks', async () => {
    const asked = await result(call('everything', { roots: {}, sampling: {}, elicitation: {} }));

    const methods = Object.entries(asked.inputRequests).map(([key, request]) => [key, (request as Json)['method']]);
    expect(methods).toEqual([
      ['roots_1', 'roots/list'],
      ['sampling_1', 'sampling/createMessage'],
      ['elicitation_1', 'elicitation/create'],
    ]);
  });

  it.each([
    ['form', {}, { elicitation: {} }],
    ['form', { elicitation: { url: {} } }, { elicitation: {} }],
    ['visit', { elicitation: {} }, { elicitation: { url: {} } }],
    ['poem', { elicitation: {}, roots: {} }, { sampling: {} }],
    ['poemWithTools', { sampling: {} }, { sampling: { tools: {} } }],
    ['roots', { sampling: {} }, { roots: {} }],
    ['everything', { elicitation: {}, sampling: {} }, { roots: {} }],
  ])(
    'refuses %s to a client that declares %j, naming what is missing',
    async (name, declared, requiredCapabilities) => {
      const response = await call(name, declared);

      expect(await answerOf(response)).toEqual({
        status: 400,
        body: {
          jsonrpc: '2.0',
          id: 1,
          error: { code: -32021, message: expect.stringContaining('capability'), data: { requiredCapabilities } },
        },
      });
    },
  );

  it('asks on a stream by its last message too, never by a request', async () => {
    const response = await call('logsAndAsks', { roots: {} }, {}, { [LOG_LEVEL]: 'info' });

    const messages = await sseMessages(response);
    expect(messages).toEqual([
      { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'About to ask.' } },
      { jsonrpc: '2.0', id: 1, result: expect.objectContaining({ resultType: 'input_required' }) },
    ]);
  });
});
