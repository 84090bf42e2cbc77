import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CompletionInput, McpCall, McpCompletion, McpPrompt, McpResource, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { type Json, statelessRequest } from '../../support/wire.js';
import { CAPABILITIES, answerOf, refusalOf } from './requests.js';

const Name = z.object({ name: z.string() });
const Color = z.object({ color: z.string() });
const Consent = z.object({ agreed: z.boolean() });

let price = 10;
let charged: string[] = [];
let released: string[] = [];

@Injectable()
class Fixtures {
  @McpTool()
  async greet(call: McpCall) {
    const { name } = await call.elicit(Name, 'What is your name?');
    return `Hello, ${name}!`;
  }

  @McpTool()
  async pair(call: McpCall) {
    const names = await Promise.all([call.elicit(Name, 'Who plays?'), call.elicit(Name, 'Who plays?')]);
    return names.map(({ name }) => name).join(' and ');
  }

  @McpTool()
  async paint(call: McpCall) {
    const { name } = await call.elicit(Name, 'What is your name?', { key: 'name' });
    const { color } = await call.elicit(Color, `Which color, ${name}?`, { key: 'color' });
    return `${name} likes ${color}.`;
  }

  @McpTool()
  async pay(call: McpCall) {
    const { agreed } = await call.elicit(Consent, `Pay ${price} euros?`, { key: 'consent' });
    return `${agreed ? 'Paid' : 'Did not pay'} ${price} euros.`;
  }

  @McpTool()
  async charge(call: McpCall) {
    const receipt = await call.once('charge', () => `receipt ${charged.push('charge')}`);
    const { name } = await call.elicit(Name, 'Whose name is on the receipt?');
    return `${receipt} for ${name}`;
  }

  @McpTool()
  async chargeMeanwhile(call: McpCall) {
    const [receipt, { name }] = await Promise.all([
      call.once('charge', async () => {
        // It is still under way when the question ends the round.
        for (let turn = 0; turn < 5; turn++) await nextTurn();
        return `receipt ${charged.push('charge')}`;
      }),
      call.elicit(Name, 'Whose name is on the receipt?'),
    ]);
    return `${receipt} for ${name}`;
  }

  @McpTool()
  async hold(call: McpCall) {
    call.signal.addEventListener('abort', () => released.push('signal'));
    try {
      const { name } = await call.elicit(Name, 'Who holds it?');
      return name;
    } finally {
      released.push('finally');
    }
  }

  @McpPrompt()
  async story(call: McpCall) {
    const { name } = await call.elicit(Name, 'Who is it about?');
    return `Tell a story about ${name}.`;
  }

  @McpPrompt({ input: z.object({ hero: z.string() }) })
  saga({ hero }: { hero: string }) {
    return hero;
  }

  @McpCompletion({ prompt: 'saga', argument: 'hero' })
  async heroes(_input: CompletionInput, call: McpCall) {
    const { name } = await call.elicit(Name, 'Which saga?');
    return [name];
  }

  @McpResource('diary://today', { cache: { ttlMs: 5_000 } })
  async diary(call: McpCall) {
    const { name } = await call.elicit(Name, 'Whose diary?');
    return `Diary of ${name}`;
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

interface Round {
  readonly resultType: string;
  readonly inputRequests: Record<string, { params: { message: string } }>;
  readonly requestState: string;
  readonly content: { text: string }[];
}

const accept = (content: Json) => ({ action: 'accept', content });

describe('multi round-trip requests', () => {
  let app: McpTestApp;

  beforeEach(async () => {
    price = 10;
    charged = [];
    released = [];
    app = await createMcpTestApp(FixtureModule);
  });
  afterEach(() => app.close());

  const send = (method: string, params: Json): Promise<Response> =>
    statelessRequest(app.url, method, params, { meta: { [CAPABILITIES]: { elicitation: {} } } });
  const round = async (name: string, retry: Json = {}): Promise<Round> => {
    const response = await send('tools/call', { name, arguments: {}, ...retry });
    return ((await response.json()) as { result: Round }).result;
  };
  const answered = (name: string, { requestState }: Round, inputResponses: Json): Promise<Round> =>
    round(name, { requestState, inputResponses });

  it('answers a call that asks with the question and the state, and nothing to cache', async () => {
    const response = await send('tools/call', { name: 'greet', arguments: {} });

    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answerOf(response)).toEqual({
      status: 200,
      body: {
        jsonrpc: '2.0',
        id: 1,
        result: {
          resultType: 'input_required',
          inputRequests: {
            elicitation_1: {
              method: 'elicitation/create',
              params: {
                mode: 'form',
                message: 'What is your name?',
                requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
              },
            },
          },
          requestState: expect.stringMatching(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/),
          _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'rookery', version: '0.0.0' } },
        },
      },
    });
  });

  it('finishes the call on the retry that brings the answer', async () => {
    const asked = await round('greet');

    const done = await answered('greet', asked, { elicitation_1: accept({ name: 'Ada' }) });

    expect(done).toMatchObject({ resultType: 'complete', content: [{ type: 'text', text: 'Hello, Ada!' }] });
    expect(done).not.toHaveProperty('requestState');
  });

  it('gives the same question, asked twice at once, two keys', async () => {
    const asked = await round('pair');
    const done = await answered('pair', asked, {
      elicitation_1: accept({ name: 'Ada' }),
      elicitation_2: accept({ name: 'Bob' }),
    });

    expect(Object.keys(asked.inputRequests)).toEqual(['elicitation_1', 'elicitation_2']);
    expect(done.content[0]?.text).toBe('Ada and Bob');
  });

  it('asks in a further round what depends on an earlier answer, with new state', async () => {
    const first = await round('paint');
    const second = await answered('paint', first, { name: accept({ name: 'Ada' }) });
    const done = await answered('paint', second, { color: accept({ color: 'blue' }) });

    expect(second.inputRequests['color']?.params.message).toBe('Which color, Ada?');
    expect(second.requestState).not.toBe(first.requestState);
    expect(done.content[0]?.text).toBe('Ada likes blue.');
  });

  it('asks again for what a retry left out, and keeps what it brought', async () => {
    const first = await round('pair');
    const second = await answered('pair', first, { elicitation_2: accept({ name: 'Bob' }) });
    const done = await answered('pair', second, { elicitation_1: accept({ name: 'Ada' }) });

    expect(Object.keys(second.inputRequests)).toEqual(['elicitation_1']);
    expect(done.content[0]?.text).toBe('Ada and Bob');
  });

  it('ignores answers to questions that were not asked', async () => {
    const asked = await round('paint');

    const next = await answered('paint', asked, {
      name: accept({ name: 'Ada' }),
      color: accept({ color: 'smuggled' }),
      other: accept({ name: 'Eve' }),
    });

    expect(next.resultType).toBe('input_required');
    expect(Object.keys(next.inputRequests)).toEqual(['color']);
  });

  it.each([
    ['has the wrong type', accept({ name: 5 })],
    ['lacks a field', accept({})],
    ['has no action', { content: { name: 'Ada' } }],
    ['is no object', 'Ada'],
  ])('asks again when an answer %s', async (_how, answer) => {
    const asked = await round('greet');

    const again = await answered('greet', asked, { elicitation_1: answer });

    expect(again.resultType).toBe('input_required');
    expect(again.inputRequests).toEqual(asked.inputRequests);
  });

  it.each([[[accept({ name: 'Ada' })]], 'Ada', 7])('refuses inputResponses %j, which are no map', async (responses) => {
    const { requestState } = await round('greet');

    const response = await send('tools/call', {
      name: 'greet',
      arguments: {},
      requestState,
      inputResponses: responses,
    });

    expect(await refusalOf(response)).toEqual({ status: 200, code: -32602 });
  });

  it('does not take an answer for one to another question under the same key', async () => {
    const asked = await round('pay');
    price = 9000;
    const again = await answered('pay', asked, { consent: accept({ agreed: true }) });
    const done = await answered('pay', again, { consent: accept({ agreed: false }) });

    expect(again.inputRequests['consent']?.params.message).toBe('Pay 9000 euros?');
    expect(done.content[0]?.text).toBe('Did not pay 9000 euros.');
  });

  it('keeps an answer of an earlier round to its own question', async () => {
    const first = await round('paint');
    const second = await answered('paint', first, { name: accept({ name: 'Ada' }) });

    const overridden = await answered('paint', second, {
      name: accept({ name: 'Eve' }),
      color: accept({ color: 'blue' }),
    });

    expect(overridden.content[0]?.text).toBe('Ada likes blue.');
  });

  it.each([
    ['decline', 'The user declined to answer.'],
    ['cancel', 'The user dismissed the question without an answer.'],
  ])('tells the model when the user answers %s', async (action, text) => {
    const asked = await round('greet');

    const done = await answered('greet', asked, { elicitation_1: { action } });

    expect(done).toMatchObject({ resultType: 'complete', isError: true, content: [{ type: 'text', text }] });
  });

  it.each(['charge', 'chargeMeanwhile'])('runs an effect once across the rounds of %s', async (name) => {
    const asked = await round(name);
    const again = await answered(name, asked, {});
    const done = await answered(name, again, { elicitation_1: accept({ name: 'Ada' }) });

    expect(charged).toEqual(['charge']);
    expect(done.content[0]?.text).toBe('receipt 1 for Ada');
  });

  it('takes a request without state for a new one, whose effects run anew', async () => {
    await round('charge');
    await round('charge');

    expect(charged).toEqual(['charge', 'charge']);
  });

  it('lets go of everything when a call ends to wait, whether or not it is taken up again', async () => {
    await round('hold');

    expect(released).toEqual(['signal', 'finally']);
  });

  it.each([
    ['prompts/get', { name: 'story' }, { messages: [{ content: { text: 'Tell a story about Ada.' } }] }],
    ['resources/read', { uri: 'diary://today' }, { contents: [{ uri: 'diary://today', text: 'Diary of Ada' }] }],
  ])('asks on %s and finishes on the retry', async (method, params: Json, expected) => {
    const asked = (await (await send(method, params)).json()) as { result: Round };
    const { requestState, inputRequests } = asked.result;
    const inputResponses = { elicitation_1: accept({ name: 'Ada' }) };
    const done = await answerOf(await send(method, { ...params, requestState, inputResponses }));

    expect(Object.keys(inputRequests)).toEqual(['elicitation_1']);
    expect(done.body['result']).toMatchObject({ resultType: 'complete', ...expected });
  });

  it('carries no cache hints on a resource that asks first', async () => {
    const { body } = await answerOf(await send('resources/read', { uri: 'diary://today' }));

    expect(Object.keys(body['result'] as Json).sort()).toEqual([
      '_meta',
      'inputRequests',
      'requestState',
      'resultType',
    ]);
  });

  it('never answers completion/complete with input_required', async () => {
    const response = await send('completion/complete', {
      ref: { type: 'ref/prompt', name: 'saga' },
      argument: { name: 'hero', value: '' },
    });

    expect(await answerOf(response)).toMatchObject({
      status: 200,
      body: { error: { code: -32603, message: expect.stringContaining('cannot ask') } },
    });
  });
});
