import { Injectable, Module } from '@nestjs/common';
import { IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  ApiField,
  type CompletionInput,
  CurrentCall,
  McpCompletion,
  McpPrompt,
  McpResource,
  McpTool,
  ToolError,
} from '../../../src/index.js';
import { McpTestError, createMcpTestApp } from '../../../src/testing.js';

class OrderInput {
  @ApiField('Number of the order')
  @IsInt()
  @Min(1)
  @Max(999)
  order!: number;

  @ApiField('A note')
  @IsOptional()
  @IsString()
  note?: string;
}

class Receipt {
  @ApiField('Amount in cents')
  @IsInt()
  refunded!: number;
}

const REGION = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  required: ['region'],
} as const;

@Injectable()
class Orders {
  constructor(private readonly current: CurrentCall) {}

  @McpTool({ title: 'Refund', output: Receipt })
  refund({ order }: OrderInput): Receipt {
    if (order === 404) throw new ToolError('No such order.');
    return { refunded: order * 100 };
  }

  @McpTool({ name: 'inRegion', input: REGION })
  inRegion({ region }: Record<string, unknown>): string {
    const { headers } = this.current.get();
    return `${String(region)}: ${String(headers['mcp-param-region'])}, ${String(headers['x-trace'])}`;
  }

  @McpTool()
  protocol(): string {
    const { era, revision, client, headers } = this.current.get();
    return [era, revision, client.info?.name, headers['mcp-protocol-version']].join(' ');
  }

  @McpResource('orders://{order}', { title: 'An order', cache: { ttlMs: 5_000 } })
  order({ order }: { order: string }): { order: string } | undefined {
    return order === '404' ? undefined : { order };
  }

  @McpResource('orders://all', { name: 'all' })
  all(): string {
    return 'everything';
  }

  @McpPrompt({ input: z.object({ order: z.string() }) })
  explain({ order }: { order: string }): string {
    return `Explain order ${order}.`;
  }

  @McpCompletion({ prompt: 'explain', argument: 'order' })
  orders({ value, arguments: { shop = '' } }: CompletionInput): string[] {
    return ['17', '18', '27'].filter((order) => order.startsWith(value)).map((order) => shop + order);
  }
}

@Module({ providers: [Orders] })
class OrdersModule {}

describe.each(['stateless', 'session'] as const)('a test client in the %s era', (era) => {
  it('calls a tool and gets the result alone', async () => {
    await using app = await createMcpTestApp(OrdersModule);

    expect(await app.client({ era }).call('refund', { order: 42 })).toEqual({
      content: [{ type: 'text', text: '{"refunded":4200}' }],
      structuredContent: { refunded: 4200 },
    });
  });

  it('gets what the tool tells the model', async () => {
    await using app = await createMcpTestApp(OrdersModule);

    expect(await app.client({ era }).call('refund', { order: 404 })).toEqual({
      content: [{ type: 'text', text: 'No such order.' }],
      isError: true,
    });
  });

  it('gets what is wrong with the arguments of a DTO', async () => {
    await using app = await createMcpTestApp(OrdersModule);
    const result = await app.client({ era }).call('refund', { order: 1000 });

    expect(result).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringContaining('order') }],
    });
  });

  it('rejects with the code, data and status of a JSON-RPC error', async () => {
    await using app = await createMcpTestApp(OrdersModule);
    const client = app.client({ era });

    const error = await client.call('noSuchTool').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(McpTestError);
    expect(error).toMatchObject({ code: -32602, status: 200, message: 'Unknown tool: noSuchTool' });
    const code = era === 'session' ? -32002 : -32602;
    await expect(client.read('orders://404')).rejects.toMatchObject({ code, data: { uri: 'orders://404' } });
    await expect(client.request('no/such/method')).rejects.toMatchObject({ code: -32601 });
  });

  it('lists every page', async () => {
    await using app = await createMcpTestApp(OrdersModule, { options: { pageSize: 1 } });
    const client = app.client({ era });

    expect((await client.listTools()).map(({ name }) => name)).toEqual(['inRegion', 'protocol', 'refund'].sort());
    expect(await client.listResources()).toMatchObject([{ uri: 'orders://all' }]);
    expect(await client.listResourceTemplates()).toMatchObject([{ uriTemplate: 'orders://{order}' }]);
    expect(await client.listPrompts()).toMatchObject([{ name: 'explain' }]);
  });

  it('reads a resource', async () => {
    await using app = await createMcpTestApp(OrdersModule);

    expect(await app.client({ era }).read('orders://7')).toEqual({
      contents: [{ uri: 'orders://7', mimeType: 'application/json', text: '{"order":"7"}' }],
    });
  });

  it('gets a prompt', async () => {
    await using app = await createMcpTestApp(OrdersModule);

    expect(await app.client({ era }).prompt('explain', { order: '7' })).toEqual({
      messages: [{ role: 'user', content: { type: 'text', text: 'Explain order 7.' } }],
    });
  });

  it('completes an argument, with those filled in already', async () => {
    await using app = await createMcpTestApp(OrdersModule);
    const ref = { type: 'ref/prompt', name: 'explain' } as const;
    const argument = { name: 'order', value: '1' };

    expect(await app.client({ era }).complete(ref, argument)).toMatchObject({ values: ['17', '18'] });
    expect(await app.client({ era }).complete(ref, argument, { shop: 'a' })).toMatchObject({ values: ['a17', 'a18'] });
  });

  it('sends headers of its own, and those of one request', async () => {
    await using app = await createMcpTestApp(OrdersModule);
    const client = app.client({ era, headers: { 'x-trace': 'mine' } });
    const text = async (headers?: Record<string, string>) =>
      (await client.callRaw('inRegion', { region: 'x' }, headers && { headers }))['content'];

    expect(await text()).toEqual([{ type: 'text', text: expect.stringMatching(/, mine$/) }]);
    expect(await text({ 'x-trace': 'its' })).toEqual([{ type: 'text', text: expect.stringMatching(/, its$/) }]);
  });

  it('says what a result was on the wire', async () => {
    await using app = await createMcpTestApp(OrdersModule, { options: { name: 'shop', version: '1.2.3' } });
    const raw = await app.client({ era }).callRaw('refund', { order: 1 });

    const content = { content: [{ type: 'text', text: '{"refunded":100}' }], structuredContent: { refunded: 100 } };
    const envelope = {
      resultType: 'complete',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'shop', version: '1.2.3' } },
    };
    expect(raw).toEqual(era === 'session' ? content : { ...content, ...envelope });
  });

  it('calls several tools at once', async () => {
    await using app = await createMcpTestApp(OrdersModule);
    const client = app.client({ era });
    const results = await Promise.all([1, 2, 3].map((order) => client.call('refund', { order })));

    expect(results.map(({ structuredContent }) => structuredContent)).toEqual([
      { refunded: 100 },
      { refunded: 200 },
      { refunded: 300 },
    ]);
  });
});

describe('a test client', () => {
  it.each([
    ['2026-07-28', 'stateless 2026-07-28 me 2026-07-28'],
    ['2025-11-25', 'session 2025-11-25 me 2025-11-25'],
    ['2025-06-18', 'session 2025-06-18 me 2025-06-18'],
    ['2025-03-26', 'session 2025-03-26 me '],
  ] as const)('speaks revision %s', async (revision, said) => {
    await using app = await createMcpTestApp(OrdersModule);
    const client = app.client({ revision, name: 'me' });

    expect(await client.call('protocol')).toEqual({ content: [{ type: 'text', text: said }] });
    expect(client.revision).toBe(revision);
  });

  it('is stateless unless told otherwise', async () => {
    await using app = await createMcpTestApp(OrdersModule);

    expect(app.client().revision).toBe('2026-07-28');
    expect(app.client({ era: 'session' }).revision).toBe('2025-11-25');
    expect(() => app.client({ era: 'session', revision: '2026-07-28' })).toThrow(/belongs to the era "stateless"/);
  });

  it.each(['eu', 'Zürich', ' eu ', '=?base64?eu?='])('mirrors the argument %j into its header', async (region) => {
    await using app = await createMcpTestApp(OrdersModule);
    const { content } = await app.client().call('inRegion', { region });

    const header = region === 'eu' ? 'eu' : `=?base64?${Buffer.from(region).toString('base64')}?=`;
    expect(content).toEqual([{ type: 'text', text: `${region}: ${header}, undefined` }]);
  });

  it('does not repair headers that a test sends wrong on purpose', async () => {
    await using app = await createMcpTestApp(OrdersModule);
    const wrong = { headers: { 'mcp-param-region': 'us' } };

    await expect(app.client().call('inRegion', { region: 'eu' }, wrong)).rejects.toMatchObject({
      code: -32020,
      status: 400,
    });
  });

  it('says so when the server answers with something other than JSON-RPC', async () => {
    await using app = await createMcpTestApp(OrdersModule, {
      configure: (nest) =>
        void nest
          .getHttpAdapter()
          .getInstance()
          .addHook('onRequest', async (_request, reply) => reply.code(502).type('text/html').send('<h1>Bad</h1>')),
    });

    await expect(app.client().call('refund', { order: 1 })).rejects.toThrow(/answered 502 .*<h1>Bad<\/h1>/);
  });
});
