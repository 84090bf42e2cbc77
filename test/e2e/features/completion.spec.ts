import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CompletionInput, McpCompletion, McpPrompt, McpRegistry, McpResource } from '../../../src/index.js';
import { ERAS, serve } from '../nest/serve.js';

const REVIEW = { type: 'ref/prompt', name: 'review' } as const;
const ORDER = { type: 'ref/resource', uri: 'orders://{region}/{id}' } as const;

@Injectable()
class Completed {
  @McpPrompt({ input: z.object({ language: z.string(), framework: z.string().optional() }) })
  review(): string {
    return '';
  }
  @McpCompletion({ prompt: 'review', argument: 'language' })
  languages({ value }: CompletionInput): string[] {
    return ['go', 'java', 'javascript'].filter((language) => language.startsWith(value));
  }
  @McpCompletion({ prompt: 'review', argument: 'framework' })
  async frameworks({ value, arguments: given }: CompletionInput): Promise<string[]> {
    return [`${given['language'] ?? 'no language'}:${value}`];
  }
  @McpResource('orders://{region}/{id}')
  order(): string {
    return '';
  }
  @McpResource('orders://all')
  orders(): string {
    return '';
  }
  @McpCompletion({ resource: 'orders://{region}/{id}', argument: 'region' })
  regions(): { values: string[]; total: number } {
    return { values: ['eu', 'us'], total: 17 };
  }
}

describe.each(ERAS)('completion/complete in the %s era', (era) => {
  it('answers for an argument of a prompt', async () => {
    await using app = await serve({ providers: [Completed] });
    const client = app.client({ era });

    expect(await client.complete(REVIEW, { name: 'language', value: 'ja' })).toEqual({
      values: ['java', 'javascript'],
      total: 2,
      hasMore: false,
    });
    expect(await client.complete(REVIEW, { name: 'language', value: 'x' })).toEqual({
      values: [],
      total: 0,
      hasMore: false,
    });
  });

  it('answers for a variable of a resource template', async () => {
    await using app = await serve({ providers: [Completed] });

    expect(await app.client({ era }).complete(ORDER, { name: 'region', value: '' })).toEqual({
      values: ['eu', 'us'],
      total: 17,
      hasMore: false,
    });
  });

  it('hands on the arguments that are chosen already', async () => {
    await using app = await serve({ providers: [Completed] });
    const client = app.client({ era });
    const framework = { name: 'framework', value: 'sp' };

    expect((await client.complete(REVIEW, framework, { language: 'java' })).values).toEqual(['java:sp']);
    expect((await client.complete(REVIEW, framework)).values).toEqual(['no language:sp']);
  });

  it('sends a hundred values at most, and says how many there are', async () => {
    await using app = await serve({ providers: [Completed] });
    const all = Array.from({ length: 250 }, (_, index) => `order-${index}`);
    app.get(McpRegistry).addCompletion({ resource: ORDER.uri, argument: 'id' }, () => all);

    expect(await app.client({ era }).complete(ORDER, { name: 'id', value: '' })).toEqual({
      values: all.slice(0, 100),
      total: 250,
      hasMore: true,
    });
  });

  it('has nothing to say where nobody completes', async () => {
    await using app = await serve({ providers: [Completed] });
    const client = app.client({ era });
    const nothing = { values: [], total: 0, hasMore: false };

    expect(await client.complete(ORDER, { name: 'id', value: '7' })).toEqual(nothing);
    expect(await client.complete({ type: 'ref/resource', uri: 'orders://all' }, { name: 'id', value: '' })).toEqual(
      nothing,
    );
  });

  it.each([
    [{ type: 'ref/prompt', name: 'nope' }, { name: 'language', value: '' }, 'Unknown prompt: nope'],
    [{ type: 'ref/resource', uri: 'no://{x}' }, { name: 'x', value: '' }, 'Unknown resource: no://{x}'],
    [REVIEW, { name: 'lang', value: '' }, 'Unknown argument: lang'],
    [ORDER, { name: 'number', value: '' }, 'Unknown argument: number'],
    [{ type: 'ref/tool', name: 'review' }, { name: 'language', value: '' }, 'params.uri must be a string.'],
    [{ type: 'ref/prompt' }, { name: 'language', value: '' }, 'params.name must be a string.'],
    ['review', { name: 'language', value: '' }, 'params.ref must be an object.'],
    [REVIEW, { name: 'language' }, 'params.value must be a string.'],
    [REVIEW, { name: 'language', value: 7 }, 'params.value must be a string.'],
    [REVIEW, 'language', 'params.argument must be an object.'],
  ])('refuses %j with %j before any completer runs', async (ref, argument, message) => {
    await using app = await serve({ providers: [Completed] });

    await expect(app.client({ era }).request('completion/complete', { ref, argument })).rejects.toMatchObject({
      code: -32602,
      message,
    });
  });

  it('fails as an error of the server if the completer fails, or returns what is no list of strings', async () => {
    await using app = await serve({ providers: [Completed] });
    const registry = app.get(McpRegistry);
    let returned: unknown = () => {
      throw new Error('db-7');
    };
    registry.addCompletion({ resource: ORDER.uri, argument: 'id' }, () =>
      typeof returned === 'function' ? (returned as () => unknown)() : returned,
    );
    const client = app.client({ era });
    const masked = { code: -32603, message: expect.stringMatching(/^Internal error\. Reference: [0-9a-f-]{36}$/) };

    await expect(client.complete(ORDER, { name: 'id', value: '' })).rejects.toMatchObject(masked);
    returned = [1, 2];
    await expect(client.complete(ORDER, { name: 'id', value: '' })).rejects.toMatchObject(masked);
  });
});
