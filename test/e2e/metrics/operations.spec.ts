import { type CanActivate, Injectable, UseGuards } from '@nestjs/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import {
  Concurrency,
  McpCall,
  McpError,
  McpMetricsModule,
  McpModule,
  type McpOptions,
  McpPrompt,
  McpResource,
  McpTool,
  RateLimit,
  RequireScopes,
  Telemetry,
  ToolError,
} from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { ERAS } from '../limits/caller.js';
import { type Gate, gate } from '../stateless/requests.js';
import { Scrape } from './scrape.js';

const DURATION = 'mcp_server_operation_duration_seconds';
const IN_FLIGHT = 'mcp_server_operations_in_flight';

let open: Gate[] = [];

@Injectable()
class Closed implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Injectable()
class Shop {
  @McpTool()
  greet(): string {
    return 'hello';
  }

  @McpTool()
  sells(): never {
    throw new ToolError('Sold out. Ask tomorrow.');
  }

  @McpTool({ input: z.object({ count: z.number() }) })
  counts({ count }: { count: number }): string {
    return String(count);
  }

  @McpTool({ timeoutMs: 20 })
  dawdles(): Promise<string> {
    return new Promise(() => undefined);
  }

  @McpTool()
  async waits({ signal }: McpCall): Promise<string> {
    const door = gate();
    open.push(door);
    signal.addEventListener('abort', door.open);
    await door.opened;
    return 'done';
  }

  @McpTool()
  @RequireScopes('shop:admin')
  closes(): string {
    return 'closed';
  }

  @McpTool()
  @UseGuards(Closed)
  guarded(): string {
    return 'never';
  }

  @McpTool()
  @RateLimit({ perHour: 1 })
  stamps(): string {
    return 'stamped';
  }

  @McpTool()
  @Concurrency(1)
  async cooks(): Promise<string> {
    const door = gate();
    open.push(door);
    await door.opened;
    return 'done';
  }

  @McpTool()
  needs(): never {
    throw new McpError('UNAVAILABLE', 'The stock is away.');
  }

  @McpTool()
  breaks(): never {
    throw new Error('a defect');
  }

  @McpTool()
  talks(): string {
    return 'x'.repeat(5_000);
  }

  @McpTool()
  clashes(): never {
    throw new McpError('INVALID_REQUEST', 'This cannot be asked for.');
  }

  @McpPrompt()
  poem(): string {
    return 'Write a poem.';
  }

  @McpResource('shop://stock')
  stock(): string {
    return 'none';
  }

  @McpResource('shop://orders/{id}')
  order(): string {
    return 'an order';
  }
}

async function boot(options: McpOptions = {}): Promise<McpTestApp> {
  open = [];
  class ShopModule {}
  const modules = [
    McpModule.forRoot({ maxResultBytes: 4_000, ...options }),
    McpMetricsModule.forRoot(),
    { module: ShopModule, providers: [Shop] },
  ];
  const app = await createMcpTestApp(modules, { logger: false });
  onTestFinished(() => app.close());
  return app;
}

describe.each(ERAS)('in the %s era', (era) => {
  it('operations are counted and measured by what they use', async () => {
    const app = await boot();
    const client = app.client({ era });
    for (let i = 0; i < 3; i += 1) await client.call('greet');
    await client.prompt('poem');
    await client.read('shop://stock');
    await client.read('shop://orders/17');
    await client.listTools();

    const scrape = await Scrape.of(app.url);

    const count = (labels: Record<string, string>) =>
      scrape.value(`${DURATION}_count`, { era, error_type: '', ...labels });
    expect(count({ mcp_method_name: 'tools/call', gen_ai_tool_name: 'greet' })).toBe(3);
    expect(count({ mcp_method_name: 'prompts/get', gen_ai_prompt_name: 'poem' })).toBe(1);
    expect(count({ mcp_method_name: 'resources/read', mcp_resource_uri: 'shop://stock' })).toBe(1);
    expect(count({ mcp_method_name: 'resources/read', mcp_resource_uri: 'shop://orders/{id}' })).toBe(1);
    expect(count({ mcp_method_name: 'tools/list', gen_ai_tool_name: '' })).toBe(1);
    const sum = scrape.value(`${DURATION}_sum`, { gen_ai_tool_name: 'greet' });
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(10);
    expect(scrape.value(`${DURATION}_bucket`, { gen_ai_tool_name: 'greet', le: '+Inf' })).toBe(3);
  });

  it.each([
    ['sells', 'tool_error'],
    ['counts', 'invalid_arguments'],
    ['dawdles', 'timeout'],
    ['closes', 'denied'],
    ['guarded', 'denied'],
    ['needs', 'unavailable'],
    ['breaks', 'internal_error'],
    ['talks', 'result_too_large'],
    ['clashes', 'protocol_error'],
  ])('a tool that %s ends with %s', async (tool, type) => {
    const app = await boot();
    await app
      .client({ era, principal: { subject: 'ada' } })
      .call(tool)
      .catch(() => undefined);

    const scrape = await Scrape.of(app.url);

    expect(scrape.value(`${DURATION}_count`, { era, gen_ai_tool_name: tool, error_type: type })).toBe(1);
    expect(scrape.value(`${DURATION}_count`, { gen_ai_tool_name: tool })).toBe(1);
  });

  it('a call that is cancelled ends with cancelled, and one that a limit refuses with limited', async () => {
    const app = await boot();
    const client = app.client({ era });
    const running = client.call('waits');
    await eventually(() => expect(open).toHaveLength(1));
    await running.cancel().then(() => running.catch(() => undefined));
    await client.call('stamps');
    await client.call('stamps').catch(() => undefined);

    await eventually(async () => {
      const scrape = await Scrape.of(app.url);
      expect(scrape.value(`${DURATION}_count`, { gen_ai_tool_name: 'waits', error_type: 'cancelled' })).toBe(1);
      expect(scrape.value(`${DURATION}_count`, { gen_ai_tool_name: 'stamps', error_type: 'limited' })).toBe(1);
      expect(scrape.value('mcp_server_limited_total', { limit: 'rate', scope: 'tool' })).toBe(1);
    });
  });

  it('denials are counted by reason', async () => {
    const app = await boot();
    const client = app.client({ era, principal: { subject: 'ada' } });
    for (const tool of ['closes', 'guarded', 'nothing']) await client.call(tool).catch(() => undefined);

    const scrape = await Scrape.of(app.url);

    expect(scrape.value('mcp_server_denials_total', { reason: 'scope' })).toBe(1);
    expect(scrape.value('mcp_server_denials_total', { reason: 'forbidden' })).toBe(1);
    expect(scrape.value('mcp_server_denials_total', { reason: 'unknown' })).toBe(1);
    expect(scrape.value('mcp_server_denials_total', { reason: 'policy' })).toBe(0);
  });

  it('calls are in flight while they run, and bulkheads show who is in', async () => {
    const app = await boot();
    const client = app.client({ era });
    await client.listTools();
    const calls = [client.call('waits'), client.call('waits'), client.call('cooks')];
    await eventually(() => expect(open).toHaveLength(3));

    const busy = await Scrape.of(app.url);
    for (const door of open) door.open();
    await Promise.all(calls);
    const idle = await Scrape.of(app.url);

    expect(busy.value(IN_FLIGHT, { mcp_method_name: 'tools/call' })).toBe(3);
    expect(busy.value('mcp_server_bulkhead_running', { kind: 'tool', name: 'cooks' })).toBe(1);
    expect(busy.value('mcp_server_bulkhead_waiting', { kind: 'tool', name: 'cooks' })).toBe(0);
    expect(idle.value(IN_FLIGHT)).toBe(0);
    expect(idle.value('mcp_server_bulkhead_running')).toBe(0);
  });

  it('an observer that fails takes nothing from its request', async () => {
    const app = await boot();
    const fail = (): never => {
      throw new Error('a defect of an observer');
    };
    app.get(Telemetry).add({ operation: () => ({ run: fail, ended: fail }), handler: fail, sessionStarted: fail });

    expect(await app.client({ era }).call('greet')).toMatchObject({ content: [{ text: 'hello' }] });

    const scrape = await Scrape.of(app.url);
    expect(scrape.value(`${DURATION}_count`, { gen_ai_tool_name: 'greet', error_type: '' })).toBe(1);
  });
});
