import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server';
import { Injectable } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsDate, IsInt, IsString, ValidateNested } from 'class-validator';
import { type Observable, from, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCall, McpRegistry, McpTool } from '../../../src/index.js';
import { ERAS, serve } from '../nest/serve.js';

const text = (value: string): ContentBlock => ({ type: 'text', text: value });
const IMAGE: ContentBlock = { type: 'image', data: 'aGk=', mimeType: 'image/png' };
const AUDIO: ContentBlock = { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' };
const LINK: ContentBlock = { type: 'resource_link', uri: 'orders://7', name: 'order-7', mimeType: 'application/json' };
const EMBEDDED: ContentBlock = {
  type: 'resource',
  resource: { uri: 'orders://7', mimeType: 'text/plain', text: 'seven' },
};
const MASKED = { code: -32603, message: expect.stringMatching(/^Internal error\. Reference: [0-9a-f-]{36}$/) };

describe.each(ERAS)('what a tool returns in the %s era', (era) => {
  const cases: [string, () => unknown, object][] = [
    ['a string', () => 'hello', { content: [text('hello')] }],
    ['an empty string', () => '', { content: [text('')] }],
    ['a number', () => 42, { content: [text('42')] }],
    ['a boolean', () => false, { content: [text('false')] }],
    ['nothing', () => undefined, { content: [] }],
    ['null', () => null, { content: [] }],
    ['an object', () => ({ a: 1 }), { content: [text('{"a":1}')] }],
    ['an array', () => [1, 2], { content: [text('[1,2]')] }],
    ['an empty array', () => [], { content: [text('[]')] }],
    ['an object with a type of its own', () => ({ type: 'text' }), { content: [text('{"type":"text"}')] }],
    ['an image', () => IMAGE, { content: [IMAGE] }],
    ['audio', () => AUDIO, { content: [AUDIO] }],
    ['a link to a resource', () => LINK, { content: [LINK] }],
    ['an embedded resource', () => EMBEDDED, { content: [EMBEDDED] }],
    ['blocks of several types', () => [text('see'), IMAGE, LINK], { content: [text('see'), IMAGE, LINK] }],
    ['a promise', () => Promise.resolve('later'), { content: [text('later')] }],
    ['an observable, whose last value counts', () => from(['first', 'last']), { content: [text('last')] }],
    [
      'a full result',
      () => ({ content: [text('no')], isError: true, _meta: { 'acme/cost': 3 } }),
      { content: [text('no')], isError: true, _meta: { 'acme/cost': 3 } },
    ],
  ];

  it.each(cases)('is %s', async (_what, handler, expected) => {
    await using app = await serve({});
    app.get(McpRegistry).addTool({ name: 'give', handler: () => flat(handler()) });

    expect(await app.client({ era }).call('give')).toEqual(expected);
  });

  it('is the same from a decorated method', async () => {
    @Injectable()
    class Tools {
      @McpTool()
      observable(): Observable<string> {
        return of('observed');
      }
      @McpTool()
      async blocks(): Promise<ContentBlock[]> {
        return [text('see'), IMAGE];
      }
      @McpTool()
      full(): CallToolResult {
        return { content: [text('full')], structuredContent: { free: true } };
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('observable')).toEqual({ content: [text('observed')] });
    expect(await client.call('blocks')).toEqual({ content: [text('see'), IMAGE] });
    expect(await client.call('full')).toEqual({ content: [text('full')], structuredContent: { free: true } });
  });

  it('is text outside ASCII, unchanged', async () => {
    const given = 'Zürich 日本 🦩 \u2028 "quoted" \\ \u0000';
    await using app = await serve({});
    app.get(McpRegistry).addTool({ name: 'give', handler: () => given });

    expect(await app.client({ era }).call('give')).toEqual({ content: [text(given)] });
  });
});

/** Runtime handlers have no Nest around them, so an observable is turned into a promise here as Nest would. */
function flat(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'subscribe' in value
    ? new Promise((resolve) => {
        let last: unknown;
        (value as Observable<unknown>).subscribe({ next: (next) => (last = next), complete: () => resolve(last) });
      })
    : value;
}

describe.each(ERAS)('a tool that returns piece by piece in the %s era', (era) => {
  @Injectable()
  class Tools {
    @McpTool()
    async *write(): AsyncGenerator<string | ContentBlock> {
      yield 'Once ';
      yield 'upon a time';
      yield IMAGE;
      yield text('a caption');
      yield 'The end.';
    }
    @McpTool()
    async *nothing(): AsyncGenerator<string> {}
  }
  const WRITTEN = { content: [text('Once upon a time'), IMAGE, text('a caption'), text('The end.')] };

  it('has its strings joined, and its blocks in order', async () => {
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('write')).toEqual(WRITTEN);
    expect(await client.call('nothing')).toEqual({ content: [] });
    expect(client.notifications.all).toEqual([]);
  });

  it('reports each piece as progress to a client that asks for it', async () => {
    await using app = await serve({ providers: [Tools] });
    const heard: unknown[] = [];

    const result = await app.client({ era }).call('write', {}, { onProgress: (progress) => heard.push(progress) });

    expect(result).toEqual(WRITTEN);
    expect(heard).toEqual([
      { progress: 1, message: 'Once ' },
      { progress: 2, message: 'upon a time' },
      { progress: 3 },
      { progress: 4, message: 'a caption' },
      { progress: 5, message: 'The end.' },
    ]);
  });

  it('stops writing, and cleans up, when its time is over', async () => {
    let cleanUp = (): void => undefined;
    const cleanedUp = new Promise<void>((resolve) => (cleanUp = resolve));
    @Injectable()
    class Endless {
      @McpTool({ timeoutMs: 50 })
      async *count(call: McpCall): AsyncGenerator<string> {
        try {
          for (;;) {
            yield 'x';
            await new Promise((resolve) => setImmediate(resolve));
            call.signal.throwIfAborted();
          }
        } finally {
          cleanUp();
        }
      }
    }
    await using app = await serve({ providers: [Endless] });

    expect(await app.client({ era }).call('count')).toMatchObject({ isError: true });
    await cleanedUp;
  });
});

describe.each(ERAS)('structured content in the %s era', (era) => {
  it('may have a content of its own, full or empty', async () => {
    const page = { type: 'object', properties: { content: { type: 'array' }, total: { type: 'integer' } } } as const;
    class Tools {
      @McpTool({ output: page })
      nothing() {
        return { content: [], total: 0 };
      }
      @McpTool({ output: page })
      texts() {
        return { content: [{ type: 'text', text: 'a' }], total: 1 };
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect((await client.call('nothing', {})).structuredContent).toEqual({ content: [], total: 0 });
    expect((await client.call('texts', {})).structuredContent).toEqual({
      content: [{ type: 'text', text: 'a' }],
      total: 1,
    });
  });

  it('is what an output DTO describes, repeated as text', async () => {
    class Line {
      @IsString()
      sku!: string;
    }
    class Receipt {
      @IsInt()
      refunded!: number;
      @IsDate()
      @Type(() => Date)
      at!: Date;
      @ValidateNested({ each: true })
      @Type(() => Line)
      lines!: Line[];
    }
    @Injectable()
    class Tools {
      @McpTool({ output: Receipt })
      refund(): Receipt {
        return { refunded: 42, at: new Date(0), lines: [{ sku: 'a' }] };
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });
    const receipt = { refunded: 42, at: '1970-01-01T00:00:00.000Z', lines: [{ sku: 'a' }] };

    expect((await client.listTools())[0]?.outputSchema).toMatchObject({
      type: 'object',
      properties: {
        refunded: { type: 'integer' },
        at: { type: 'string', format: 'date-time' },
        lines: { type: 'array' },
      },
      required: ['refunded', 'at', 'lines'],
    });
    const result = await client.call('refund');
    expect(result.structuredContent).toEqual(receipt);
    expect(JSON.parse((result.content[0] as { text: string }).text)).toEqual(receipt);
  });

  it('is what an output schema describes, and is sent as the schema makes it', async () => {
    const output = z.object({ refunded: z.number(), currency: z.string().default('EUR') });
    @Injectable()
    class Tools {
      @McpTool({ output })
      refund(): z.input<typeof output> {
        return { refunded: 42 };
      }
    }
    await using app = await serve({ providers: [Tools] });

    expect(await app.client({ era }).call('refund')).toEqual({
      structuredContent: { refunded: 42, currency: 'EUR' },
      content: [text('{"refunded":42,"currency":"EUR"}')],
    });
  });

  it('is never sent if it does not fit: the call fails, and the log says where', async () => {
    const output = z.object({ refunded: z.number('must be a number') });
    @Injectable()
    class Tools {
      @McpTool({ output })
      refund(): { refunded: number } {
        return { refunded: 'secret' as unknown as number };
      }
      @McpTool({ output })
      refundFull(): CallToolResult {
        return { content: [text('done')], structuredContent: { refunded: 'secret' } };
      }
      @McpTool({ output })
      refundNothing(): { refunded: number } {
        return undefined as unknown as { refunded: number };
      }
    }
    const errors: string[] = [];
    const ignore = (): void => undefined;
    const logger = { log: ignore, warn: ignore, error: (message: unknown) => void errors.push(String(message)) };
    await using app = await serve({ providers: [Tools] }, { logger });
    const client = app.client({ era });

    await expect(client.call('refund')).rejects.toMatchObject(MASKED);
    await expect(client.call('refundFull')).rejects.toMatchObject(MASKED);
    await expect(client.call('refundNothing')).rejects.toMatchObject(MASKED);
    expect(errors[0]).toContain(
      'Tools.refund returned a value that does not fit its output schema:\n- refunded: must be',
    );
  });

  it('comes beside the content of a full result, and is not asked of one that failed', async () => {
    const output = z.object({ refunded: z.number() });
    @Injectable()
    class Tools {
      @McpTool({ output })
      full(): CallToolResult {
        return { content: [text('Refunded.')], structuredContent: { refunded: 42 }, _meta: { 'acme/cost': 3 } };
      }
      @McpTool({ output })
      failed(): CallToolResult {
        return { content: [text('No such order.')], isError: true };
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('full')).toEqual({
      content: [text('Refunded.')],
      structuredContent: { refunded: 42 },
      _meta: { 'acme/cost': 3 },
    });
    expect(await client.call('failed')).toEqual({ content: [text('No such order.')], isError: true });
  });
});

describe('structured content that is no object', () => {
  @Injectable()
  class Tools {
    @McpTool({ output: z.array(z.string()) })
    tags(): string[] {
      return ['a', 'b'];
    }
    @McpTool({ output: z.number().nullable() })
    count(): number | null {
      return null;
    }
  }

  it('is sent as it is in the stateless era', async () => {
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era: 'stateless' });

    expect((await client.listTools()).map(({ outputSchema }) => outputSchema)).toEqual([
      { type: ['number', 'null'] },
      { type: 'array', items: { type: 'string' } },
    ]);
    expect(await client.call('tags')).toEqual({ structuredContent: ['a', 'b'], content: [text('["a","b"]')] });
    expect(await client.call('count')).toEqual({ structuredContent: null, content: [text('null')] });
  });

  it('is wrapped in an object in the session era, and so is its schema', async () => {
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era: 'session' });

    expect((await client.listTools()).map(({ outputSchema }) => outputSchema)).toEqual([
      { type: 'object', properties: { result: { type: ['number', 'null'] } }, required: ['result'] },
      { type: 'object', properties: { result: { type: 'array', items: { type: 'string' } } }, required: ['result'] },
    ]);
    expect(await client.call('tags')).toEqual({
      structuredContent: { result: ['a', 'b'] },
      content: [text('["a","b"]')],
    });
    expect(await client.call('count')).toEqual({ structuredContent: { result: null }, content: [text('null')] });
  });
});
