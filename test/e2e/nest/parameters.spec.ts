import {
  Body,
  Controller,
  type ExecutionContext,
  Headers,
  Injectable,
  Param,
  Post,
  Query,
  Req,
  createParamDecorator,
} from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CompletionInput, McpCall, McpCompletion, McpPrompt, McpResource, McpTool } from '../../../src/index.js';
import { ERAS, serve } from './serve.js';

const Subject = createParamDecorator((prefix: string, context: ExecutionContext) => {
  return `${prefix}${context.getArgByIndex<McpCall>(0).principal.subject} in ${context.getType<string>()}`;
});

class AddInput {
  @IsInt()
  a!: number;

  @IsInt()
  b!: number;
}

const said = (text: string) => ({ content: [{ type: 'text', text }] });

describe.each(ERAS)('parameters of a handler in the %s era', (era) => {
  it('are the input and the call, in the order in which they are declared', async () => {
    @Injectable()
    class Tools {
      @McpTool()
      inputFirst({ a, b }: AddInput, call: McpCall): string {
        return `${call.target}: ${a + b}`;
      }
      @McpTool()
      callFirst(call: McpCall, { a, b }: AddInput): string {
        return `${call.target}: ${a + b}`;
      }
      @McpTool()
      callAlone(call: McpCall): string {
        return call.target;
      }
      @McpTool()
      inputAlone(input: AddInput): string {
        return `${input instanceof AddInput}: ${input.a + input.b}`;
      }
      @McpTool()
      nothing(...rest: unknown[]): string {
        return rest.length > 0 ? 'something' : 'nothing';
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('inputFirst', { a: 1, b: 2 })).toEqual(said('inputFirst: 3'));
    expect(await client.call('callFirst', { a: 1, b: 2 })).toEqual(said('callFirst: 3'));
    expect(await client.call('callAlone')).toEqual(said('callAlone'));
    expect(await client.call('inputAlone', { a: 1, b: 2 })).toEqual(said('true: 3'));
  });

  it('may come from decorators of the team, beside input and call', async () => {
    @Injectable()
    class Tools {
      @McpTool()
      who(@Subject('I am ') subject: string): string {
        return subject;
      }
      @McpTool()
      add(@Subject('') subject: string, call: McpCall, input: AddInput): string {
        return `${subject}, ${call.target}: ${input.a + input.b}`;
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era, principal: { subject: 'ann' } });

    expect(await client.call('who')).toEqual(said('I am ann in mcp'));
    expect(await client.call('add', { a: 1, b: 2 })).toEqual(said('ann in mcp, add: 3'));
  });

  it('may have the decorators of a route: body, query and param are the input, req is the call', async () => {
    @Injectable()
    class Tools {
      @McpTool()
      body(@Body() input: AddInput, @Req() call: McpCall): string {
        return `${input instanceof AddInput} ${input.a + input.b} ${call.target}`;
      }
      @McpTool({ input: AddInput })
      parts(@Body() all: AddInput, @Query('a') a: number, @Param('b') b: number): string {
        return `${all.a} ${a} ${b}`;
      }
      @McpTool()
      headers(@Headers('X-Region') region: string, @Headers() all: Record<string, string>): string {
        return `${region} ${all['x-region']}`;
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era, headers: { 'x-region': 'eu' } });

    expect(await client.call('body', { a: 1, b: 2 })).toEqual(said('true 3 body'));
    expect(await client.call('parts', { a: 1, b: 2 })).toEqual(said('1 1 2'));
    expect(await client.call('headers')).toEqual(said('eu eu'));
  });

  it('with decorators are read from input that has been validated', async () => {
    @Injectable()
    class Tools {
      @McpTool()
      body(@Body() input: AddInput): string {
        return `${input.a}`;
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.listTools()).toMatchObject([
      { inputSchema: { properties: { a: { type: 'integer' }, b: { type: 'integer' } } } },
    ]);
    expect(await client.call('body', { a: 1, b: 'two' })).toMatchObject({
      isError: true,
      content: [{ text: 'Invalid arguments:\n- b: must be an integer number' }],
    });
  });

  it('serve resources, prompts and completions alike', async () => {
    @Injectable()
    class Everything {
      @McpResource('orders://{id}')
      order(call: McpCall, { id }: { id: string }): string {
        return `${id} for ${call.principal.subject}`;
      }
      @McpPrompt({ input: z.object({ language: z.string() }) })
      review(@Body() input: { language: string }, @Subject('') subject: string): string {
        return `${input.language} for ${subject}`;
      }
      @McpCompletion({ prompt: 'review', argument: 'language' })
      languages({ value }: CompletionInput, call: McpCall): string[] {
        return [`${value} for ${call.principal.subject}`];
      }
    }
    await using app = await serve({ providers: [Everything] });
    const client = app.client({ era, principal: { subject: 'ann' } });

    expect((await client.read('orders://7')).contents[0]).toMatchObject({ text: '7 for ann' });
    expect((await client.prompt('review', { language: 'go' })).messages[0]).toMatchObject({
      content: { text: 'go for ann in mcp' },
    });
    expect(
      (await client.complete({ type: 'ref/prompt', name: 'review' }, { name: 'language', value: 'g' })).values,
    ).toEqual(['g for ann']);
  });

  it('mean the same when the method is a route as well', async () => {
    class GreetInput {
      @IsString()
      name!: string;
    }
    @Controller('greet')
    class GreetController {
      @Post()
      @McpTool()
      greet(@Body() { name }: GreetInput, @Headers('x-region') region: string): string {
        return `Hello ${name} in ${region}`;
      }
    }
    await using app = await serve({ controllers: [GreetController] });

    const response = await fetch(new URL('/greet', app.url), {
      method: 'POST',
      body: '{"name":"Ann"}',
      headers: { 'content-type': 'application/json', 'x-region': 'eu' },
    });

    expect([response.status, await response.text()]).toEqual([201, 'Hello Ann in eu']);
    expect(await app.client({ era, headers: { 'x-region': 'eu' } }).call('greet', { name: 'Ann' })).toEqual(
      said('Hello Ann in eu'),
    );
  });
});
