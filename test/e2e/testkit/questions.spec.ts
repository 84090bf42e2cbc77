import { Injectable, Module } from '@nestjs/common';
import { IsBoolean } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ApiField, CurrentCall, McpPrompt, McpTool } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';

class Confirmation {
  @ApiField('Whether to go on')
  @IsBoolean()
  confirmed!: boolean;
}

@Injectable()
class Asking {
  constructor(private readonly current: CurrentCall) {}

  @McpTool()
  async confirm(): Promise<object> {
    return this.current.get().ask(Confirmation, 'Go on?');
  }

  @McpTool()
  async both(): Promise<string> {
    const call = this.current.get();
    const [name, age] = await Promise.all([
      call.elicit(z.object({ name: z.string() }), 'Your name?'),
      call.elicit(z.object({ age: z.number() }), 'Your age?'),
    ]);
    return `${name.name}, ${age.age}`;
  }

  @McpTool()
  async inTurn(): Promise<string> {
    const call = this.current.get();
    const { name } = await call.elicit(z.object({ name: z.string() }), 'Your name?');
    const { age } = await call.elicit(z.object({ age: z.number() }), `How old are you, ${name}?`);
    return `${name}, ${age}`;
  }

  @McpTool()
  async endless(): Promise<string> {
    const call = this.current.get();
    for (let question = 1; ; question++) await call.elicit(Confirmation, `Question ${question}?`);
  }

  @McpTool()
  async signIn(): Promise<string> {
    return this.current.get().elicitUrl('https://example.com/sign-in', 'Sign in');
  }

  @McpTool()
  async action(): Promise<object> {
    return this.current.get().ask(z.object({ action: z.string() }), 'Which action?');
  }

  @McpTool()
  async summarise(): Promise<string> {
    const { content, model } = await this.current.get().sample({
      messages: [{ role: 'user', content: { type: 'text', text: 'Summarise.' } }],
      maxTokens: 10,
    });
    return `${model}: ${JSON.stringify(content)}`;
  }

  @McpTool()
  async where(): Promise<string> {
    return (await this.current.get().roots()).map(({ uri }) => uri).join(' ');
  }

  @McpTool()
  async everything(): Promise<string> {
    const call = this.current.get();
    const [answer, roots] = await Promise.all([call.elicit(Confirmation, 'Go on?'), call.roots()]);
    return `${answer.confirmed} ${roots.length}`;
  }

  @McpTool()
  declared(): object {
    return this.current.get().client.capabilities;
  }

  @McpPrompt()
  async greeting(): Promise<string> {
    const { name } = await this.current.get().elicit(z.object({ name: z.string() }), 'Your name?');
    return `Greet ${name}.`;
  }
}

@Module({ providers: [Asking] })
class AskingModule {}

const textOf = ({ content }: { content: unknown[] }): unknown => (content[0] as { text?: unknown }).text;

describe.each(['stateless', 'session'] as const)('questions to a test client in the %s era', (era) => {
  it('reach its user with message and form', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const asked: unknown[] = [];
    const client = app.client({ era }).onElicit((...question) => {
      asked.push(question);
      return { confirmed: true };
    });

    expect(textOf(await client.call('confirm'))).toBe('{"action":"accept","content":{"confirmed":true}}');
    expect(asked).toEqual([
      [
        'Go on?',
        {
          mode: 'form',
          schema: expect.objectContaining({ properties: { confirmed: expect.objectContaining({ type: 'boolean' }) } }),
        },
      ],
    ]);
  });

  it.each(['decline', 'cancel'] as const)('can be answered with %s', async (action) => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app.client({ era }).onElicit(() => ({ action }));

    expect(textOf(await client.call('confirm'))).toBe(JSON.stringify({ action }));
  });

  it('can be answered with a field that is called action', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app.client({ era }).onElicit(() => ({ action: 'accept', content: { action: 'decline' } }));

    expect(textOf(await client.call('action'))).toBe('{"action":"accept","content":{"action":"decline"}}');
  });

  it('travel two at a time', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app
      .client({ era })
      .onElicit((message) => (message === 'Your name?' ? { name: 'Ann' } : { age: 42 }));

    expect(textOf(await client.call('both'))).toBe('Ann, 42');
  });

  it('come one after the other', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const messages: string[] = [];
    const client = app.client({ era }).onElicit((message) => {
      messages.push(message);
      return message === 'Your name?' ? { name: 'Ann' } : { age: 42 };
    });

    expect(textOf(await client.call('inTurn'))).toBe('Ann, 42');
    expect(messages).toEqual(['Your name?', 'How old are you, Ann?']);
  });

  it('send its user to a page', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const pages: unknown[] = [];
    const client = app.client({ era }).onElicit((_message, question) => {
      pages.push(question);
      return { action: 'accept' };
    });

    expect(textOf(await client.call('signIn'))).toBe('accept');
    expect(pages).toEqual([{ mode: 'url', url: 'https://example.com/sign-in' }]);
  });

  it('reach its model, which may answer in plain text', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app.client({ era }).onSample(({ maxTokens }) => `In ${maxTokens} tokens.`);

    expect(textOf(await client.call('summarise'))).toBe('test-model: {"type":"text","text":"In 10 tokens."}');
  });

  it('reach its model, which may answer in full', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app
      .client({ era })
      .onSample(() => ({ role: 'assistant', model: 'other', content: { type: 'text', text: 'Yes.' } }));

    expect(textOf(await client.call('summarise'))).toBe('other: {"type":"text","text":"Yes."}');
  });

  it('ask for its roots', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app.client({ era }).onRoots(async () => [{ uri: 'file:///a' }, { uri: 'file:///b' }]);

    expect(textOf(await client.call('where'))).toBe('file:///a file:///b');
  });

  it('mix', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app
      .client({ era })
      .onElicit(() => ({ confirmed: true }))
      .onRoots(() => [{ uri: 'file:///a' }]);

    expect(textOf(await client.call('everything'))).toBe('true 1');
  });

  it('come from prompts as well', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const { messages } = await app
      .client({ era })
      .onElicit(() => ({ name: 'Ann' }))
      .prompt('greeting');

    expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: 'Greet Ann.' } }]);
  });

  it('fail the call with what the handler throws', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app.client({ era }).onElicit(() => {
      throw new Error('expected another question');
    });

    await expect(client.call('confirm')).rejects.toThrow('expected another question');
    // The client goes on working.
    expect(await client.listPrompts()).toHaveLength(1);
  });

  it('fail the call when the client says it can answer and has no handler', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app.client({ era, capabilities: { elicitation: {} } });

    await expect(client.call('confirm')).rejects.toThrow(/elicitation\/create.*onElicit\(\)/);
  });

  it('are not asked of a client that has no handler', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const outcome: unknown = await app
      .client({ era })
      .call('confirm')
      .catch((error: unknown) => error);

    const told = { content: [{ type: 'text', text: expect.stringContaining('elicitation') }], isError: true };
    const refused = { code: -32021, data: { requiredCapabilities: { elicitation: {} } } };
    expect(outcome).toMatchObject(era === 'session' ? told : refused);
  });
});

describe('questions to a test client', () => {
  it('are bounded in rounds', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app.client().onElicit(() => ({ confirmed: true }));

    await expect(client.call('endless')).rejects.toThrow('tools/call asks for input still, after 10 rounds.');
  });

  it('can be answered by hand', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app.client({ capabilities: { elicitation: {} } });
    const { inputRequests, requestState, resultType } = await client.callRaw('confirm');

    expect(resultType).toBe('input_required');
    expect(Object.values(inputRequests as object)).toMatchObject([{ method: 'elicitation/create' }]);
    const inputResponses = Object.fromEntries(
      Object.keys(inputRequests as object).map((key) => [key, { action: 'decline' }]),
    );
    const params = { name: 'confirm', arguments: {}, inputResponses, requestState };
    expect(await client.request('tools/call', params)).toMatchObject({
      resultType: 'complete',
      content: [{ type: 'text', text: '{"action":"decline"}' }],
    });
  });

  it('cannot be learnt of after a session has opened', async () => {
    await using app = await createMcpTestApp(AskingModule);
    const session = app.client({ era: 'session' });
    await session.listPrompts();
    const stateless = app.client();
    await stateless.listPrompts();

    expect(() => session.onElicit(() => ({}))).toThrow('Call onElicit() before the first request.');
    expect(textOf(await stateless.onElicit(() => ({ confirmed: true })).call('confirm'))).toContain('accept');
  });

  it.each([
    ['2025-06-18', { elicitation: {}, sampling: {}, roots: {} }],
    ['2025-03-26', { sampling: {}, roots: {} }],
  ] as const)('are declared in the words of revision %s', async (revision, capabilities) => {
    await using app = await createMcpTestApp(AskingModule);
    const client = app
      .client({ revision })
      .onElicit(() => ({}))
      .onSample(() => '')
      .onRoots(() => []);

    expect(JSON.parse(String(textOf(await client.call('declared'))))).toEqual(capabilities);
  });
});
