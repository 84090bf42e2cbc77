import type { GetPromptResult, PromptMessage } from '@modelcontextprotocol/server';
import { Injectable } from '@nestjs/common';
import { IsOptional, IsString, Matches } from 'class-validator';
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ApiField, McpPrompt, McpRegistry } from '../../../src/index.js';
import { ERAS, serve } from '../nest/serve.js';

const user = (text: string): PromptMessage => ({ role: 'user', content: { type: 'text', text } });
const assistant = (text: string): PromptMessage => ({ role: 'assistant', content: { type: 'text', text } });
const AUDIO: PromptMessage = { role: 'user', content: { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' } };

class ReviewInput {
  @ApiField('Language of the code', { title: 'Language' })
  @IsString()
  @Matches(/^[a-z]+$/)
  language!: string;

  @IsOptional()
  @IsString()
  tone?: string;
}

@Injectable()
class Prompts {
  @McpPrompt({ title: 'Review code', description: 'Reviews what you paste.' })
  review({ language, tone }: ReviewInput): string {
    return `Review this ${language} code, ${tone ?? 'politely'}.`;
  }
  @McpPrompt()
  hello(): string {
    return 'Hello';
  }
}

describe.each(ERAS)('prompts in the %s era', (era) => {
  it('are listed with their arguments', async () => {
    await using app = await serve({ providers: [Prompts] });

    expect(await app.client({ era }).listPrompts()).toEqual([
      { name: 'hello' },
      {
        name: 'review',
        title: 'Review code',
        description: 'Reviews what you paste.',
        arguments: [
          { name: 'language', title: 'Language', description: 'Language of the code', required: true },
          { name: 'tone', required: false },
        ],
      },
    ]);
  });

  it('are filled with their arguments', async () => {
    await using app = await serve({ providers: [Prompts] });
    const client = app.client({ era });

    expect(await client.prompt('review', { language: 'go' })).toEqual({
      description: 'Reviews what you paste.',
      messages: [user('Review this go code, politely.')],
    });
    expect(await client.request('prompts/get', { name: 'hello' })).toMatchObject({ messages: [user('Hello')] });
  });

  const cases: [string, () => unknown, object][] = [
    ['a string', () => 'Hi', { messages: [user('Hi')] }],
    ['a message', () => assistant('Hi'), { messages: [assistant('Hi')] }],
    ['messages', () => [user('Hi'), assistant('Hello')], { messages: [user('Hi'), assistant('Hello')] }],
    ['no messages', () => [], { messages: [] }],
    ['a message with audio', () => AUDIO, { messages: [AUDIO] }],
    [
      'a full result',
      () => ({ description: 'D', messages: [user('Hi')], _meta: { 'acme/a': 1 } }) satisfies GetPromptResult,
      { description: 'D', messages: [user('Hi')], _meta: { 'acme/a': 1 } },
    ],
    ['a promise', () => Promise.resolve('later'), { messages: [user('later')] }],
  ];

  it.each(cases)('may be %s', async (_what, handler, expected) => {
    await using app = await serve({});
    app.get(McpRegistry).addPrompt({ name: 'say', handler });

    expect(await app.client({ era }).prompt('say')).toEqual(expected);
  });

  it('may be an observable of a decorated method', async () => {
    @Injectable()
    class Observed {
      @McpPrompt({ description: 'Observed' })
      say() {
        return of('first', 'last');
      }
    }
    await using app = await serve({ providers: [Observed] });

    expect(await app.client({ era }).prompt('say')).toEqual({ description: 'Observed', messages: [user('last')] });
  });

  it('that return anything else fail as an error of the server', async () => {
    await using app = await serve({});
    app.get(McpRegistry).addPrompt({ name: 'say', handler: () => 42 });

    await expect(app.client({ era }).prompt('say')).rejects.toMatchObject({
      code: -32603,
      message: expect.stringMatching(/^Internal error\. Reference: /),
    });
  });

  it('that do not exist are refused', async () => {
    await using app = await serve({ providers: [Prompts] });
    const client = app.client({ era });

    await expect(client.prompt('nope')).rejects.toMatchObject({ code: -32602, message: 'Unknown prompt: nope' });
    await expect(client.request('prompts/get', {})).rejects.toMatchObject({
      code: -32602,
      message: 'params.name must be a string.',
    });
  });

  it('never run without a required argument, or with one that their schema refuses', async () => {
    let ran = 0;
    @Injectable()
    class Counting {
      @McpPrompt({ input: z.object({ language: z.string('must be given').max(3, 'is too long') }) })
      review({ language }: { language: string }): string {
        ran++;
        return language;
      }
    }
    await using app = await serve({ providers: [Counting] });
    const client = app.client({ era });
    const refused = (line: string) => ({ code: -32602, message: `Invalid arguments:\n${line}` });

    await expect(client.prompt('review')).rejects.toMatchObject(refused('- language: must be given'));
    await expect(client.prompt('review', { language: 'rust' })).rejects.toMatchObject(
      refused('- language: is too long'),
    );
    expect(ran).toBe(0);
  });
});
