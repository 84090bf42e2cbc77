import { SpanKind, context, propagation, trace } from '@opentelemetry/api';
import { AlwaysOnSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type McpCall,
  McpCompletion,
  McpPrompt,
  McpRegistry,
  McpResource,
  McpTool,
  ToolError,
  activeTraceIds,
} from '../../../src/index.js';
import type { McpTestApp } from '../../../src/testing.js';
import { MemorySink } from '../../support/audit/memory-sink.js';
import { eventually } from '../../support/eventually.js';
import { ERAS, serve } from '../nest/serve.js';
import { Traced, clientSpan, statusOf } from './traced.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;
const OTHER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

class OrderHandlers {
  @McpTool({ input: z.object({ id: z.string().optional() }) })
  getOrder({ id }: { id?: string | undefined }): string {
    return `order ${id}`;
  }
  @McpResource('orders://all')
  orders(): string {
    return 'all';
  }
  @McpResource('orders://{id}')
  order(): string {
    return 'one';
  }
  @McpPrompt()
  explain(): string {
    return 'Explain it.';
  }
  @McpCompletion({ resource: 'orders://{id}', argument: 'id' })
  ids(): string[] {
    return ['1', '2'];
  }
}

let traced: Traced;
beforeEach(() => {
  traced = new Traced();
});
afterEach(() => traced[Symbol.dispose]());

function start(options = {}): Promise<McpTestApp> {
  return serve({ providers: [OrderHandlers] }, { options: { observers: traced.observers, ...options } });
}

describe.each(ERAS)('the span of an operation in the %s era', (era) => {
  it('has the name and the attributes of the semantic conventions', async () => {
    await using app = await start();

    await app.client({ era }).call('getOrder', { id: '7' });

    const { kind, attributes, status, parentSpanContext, links } = traced.span('tools/call getOrder');
    expect({ kind, attributes, status, parentSpanContext, links }).toEqual({
      kind: SpanKind.SERVER,
      attributes: {
        'mcp.method.name': 'tools/call',
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'getOrder',
        'mcp.protocol.version': era === 'stateless' ? '2026-07-28' : '2025-11-25',
        'network.transport': 'tcp',
        'network.protocol.name': 'http',
      },
      status: { code: 0 },
      parentSpanContext: undefined,
      links: [],
    });
  });

  it.each([
    ['prompts/get', { name: 'explain' }, 'prompts/get explain', { 'gen_ai.prompt.name': 'explain' }],
    ['resources/read', { uri: 'orders://all' }, 'resources/read', { 'mcp.resource.uri': 'orders://all' }],
    ['resources/read', { uri: 'orders://7' }, 'resources/read', { 'mcp.resource.uri': 'orders://{id}' }],
    ['tools/list', {}, 'tools/list', { 'mcp.method.name': 'tools/list' }],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'orders://{id}' }, argument: { name: 'id', value: '1' } },
      'completion/complete',
      { 'mcp.resource.uri': 'orders://{id}' },
    ],
  ])('names %s by what is registered (%o)', async (method, params, name, attributes) => {
    await using app = await start();

    await app.client({ era }).request(method, params);

    expect(traced.span(name).attributes).toMatchObject(attributes);
  });

  it('takes its parent from _meta, else from the headers', async () => {
    await using app = await start();
    const client = app.client({ era, headers: { traceparent: OTHER, tracestate: 'vendor=1' } });

    await client.call('getOrder', {}, { meta: { traceparent } });
    const ofMeta = traced.span('tools/call getOrder');
    await client.call('getOrder');
    const ofHeaders = traced.span('tools/call getOrder');

    expect(ofMeta.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: '00f067aa0ba902b7', isRemote: true });
    expect(ofMeta.spanContext().traceState?.serialize()).toBe(undefined);
    expect(ofHeaders.parentSpanContext).toMatchObject({ traceId: OTHER.slice(3, 35), spanId: 'b7ad6b7169203331' });
    expect(ofHeaders.spanContext().traceState?.serialize()).toBe('vendor=1');
  });

  it.each(['', 'x', `${traceparent}-more`, traceparent.replace(TRACE, '0'.repeat(32)), 7, null, [traceparent], {}])(
    'begins a trace of its own when traceparent is %o',
    async (malformed) => {
      await using app = await start();

      await app.client({ era }).call('getOrder', {}, { meta: { traceparent: malformed, tracestate: 7, baggage: [1] } });

      expect(traced.span('tools/call getOrder').parentSpanContext).toBe(undefined);
    },
  );

  it('heeds the headers when what is in _meta is malformed', async () => {
    await using app = await start();

    await app
      .client({ era, headers: { traceparent: OTHER } })
      .call('getOrder', {}, { meta: { traceparent: 'malformed' } });

    expect(traced.span('tools/call getOrder').spanContext().traceId).toBe(OTHER.slice(3, 35));
  });

  it('has the span of its handler, and in it those that a team makes', async () => {
    await using app = await start();
    app.get(McpRegistry).addTool({
      name: 'charge',
      handler: () => trace.getTracer('team').startActiveSpan('team', (span) => span.end()),
    });
    const { span, carrier } = clientSpan();

    await app.client({ era }).call('charge', {}, { meta: carrier });
    span.end();

    expect(traced.ancestry('team')).toEqual(['team', 'handle tool charge', 'tools/call charge', 'client']);
    expect(traced.span('handle tool charge')).toMatchObject({
      kind: SpanKind.INTERNAL,
      attributes: { 'gen_ai.tool.name': 'charge' },
    });
  });

  it('hands baggage and its own context to whom a handler calls', async () => {
    await using app = await start();
    const outgoing: Record<string, string> = {};
    const handler = (): void => propagation.inject(context.active(), outgoing);
    app.get(McpRegistry).addTool({ name: 'forward', handler });

    await app.client({ era }).call('forward', {}, { meta: { traceparent, baggage: 'tenant=acme' } });

    const { spanId } = traced.span('handle tool forward').spanContext();
    expect(outgoing).toEqual({ traceparent: `00-${TRACE}-${spanId}-01`, baggage: 'tenant=acme' });
  });

  it('lasts as long as what a tool streams', async () => {
    await using app = await start();
    app.get(McpRegistry).addTool({
      name: 'stream',
      handler: async function* () {
        yield 'a';
        trace.getTracer('team').startSpan('team').end();
        await new Promise((resolve) => setImmediate(resolve));
        yield 'b';
      },
    });

    await app.client({ era }).call('stream', {}, { onProgress: () => undefined });

    const server = traced.span('tools/call stream');
    expect(traced.ancestry('team')).toEqual(['team', 'handle tool stream', 'tools/call stream']);
    expect(traced.names.at(-1)).toBe('tools/call stream');
    expect(statusOf(server)).toEqual({ status: 0, error: undefined, code: undefined });
  });

  it('is known to the log and to the audit', async () => {
    const sink = new MemorySink();
    await using app = await start({ audit: { to: [sink] } });
    let ids: unknown;
    app.get(McpRegistry).addTool({ name: 'look', handler: () => void (ids = activeTraceIds()) });

    await app.client({ era }).call('look');

    const server = traced.span('tools/call look').spanContext();
    const { spanId } = traced.span('handle tool look').spanContext();
    expect(ids).toEqual({ trace_id: server.traceId, span_id: spanId });
    const entries = sink.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries.find(({ method }) => method === 'tools/call')).toMatchObject({ traceId: server.traceId });
    expect(activeTraceIds()).toBe(undefined);
  });

  it('is no more than a trace id when the caller does not sample', async () => {
    traced[Symbol.dispose]();
    traced = new Traced(new ParentBasedSampler({ root: new AlwaysOnSampler() }));
    const sink = new MemorySink();
    await using app = await start({ audit: { to: [sink] } });
    const client = app.client({ era });
    await client.listTools();
    traced.reset();

    await client.call('getOrder', {}, { meta: { traceparent: traceparent.replace(/1$/, '0') } });

    expect(traced.names).toEqual([]);
    expect(sink.lines.join('\n')).toContain(`"traceId":"${TRACE}"`);
  });
});

describe.each(ERAS)('what a span says of a failure in the %s era', (era) => {
  it('tells what is the fault of the server from what is that of the caller', async () => {
    await using app = await start({ callTimeoutMs: 20 });
    const registry = app.get(McpRegistry);
    registry.addTool({ name: 'refuse', handler: () => Promise.reject(new ToolError('No order SECRET.')) });
    registry.addTool({ name: 'break', handler: () => Promise.reject(new RangeError('SECRET')) });
    registry.addTool({ name: 'hang', handler: () => new Promise(() => undefined) });
    const client = app.client({ era });

    for (const name of ['refuse', 'break', 'hang', 'SECRET']) await client.call(name).catch(() => undefined);
    await client.request('SECRET/method').catch(() => undefined);
    await client.request('tools/list', { cursor: 'SECRET' }).catch(() => undefined);

    expect(statusOf(traced.span('tools/call refuse'))).toEqual({ status: 2, error: 'tool_error', code: undefined });
    expect(statusOf(traced.span('handle tool refuse'))).toMatchObject({ status: 2, error: 'ToolError' });
    expect(statusOf(traced.span('tools/call break'))).toMatchObject({ status: 2, error: 'internal_error' });
    expect(statusOf(traced.span('handle tool break'))).toMatchObject({ status: 2, error: 'RangeError' });
    expect(statusOf(traced.span('tools/call hang'))).toMatchObject({ status: 2, error: 'timeout' });
    expect(statusOf(traced.span('handle tool hang'))).toMatchObject({ status: 2, error: 'timeout' });
    expect(statusOf(traced.span('tools/call'))).toEqual({ status: 0, error: 'denied', code: '-32602' });
    expect(statusOf(traced.span('_other'))).toEqual({ status: 0, error: 'denied', code: '-32601' });
    expect(statusOf(traced.span('tools/list'))).toEqual({ status: 0, error: 'invalid_arguments', code: '-32602' });
  });

  it('ends with a call that is cancelled, whether its handler heeds that or not', async () => {
    await using app = await start();
    const abort = new AbortController();
    const handler = (): Promise<never> => {
      abort.abort();
      return new Promise(() => undefined);
    };
    app.get(McpRegistry).addTool({ name: 'hang', handler });

    await expect(app.client({ era }).call('hang', {}, { signal: abort.signal })).rejects.toThrow();

    await eventually(() => traced.span('tools/call hang'));
    expect(statusOf(traced.span('tools/call hang'))).toEqual({ status: 0, error: 'cancelled', code: undefined });
    expect(statusOf(traced.span('handle tool hang'))).toMatchObject({ status: 0, error: 'cancelled' });
  });

  it('is nothing when a call waits for its client', async () => {
    await using app = await start();
    const handler = async (_input: unknown, call: McpCall): Promise<string> => {
      const { sure } = await call.elicit(z.object({ sure: z.boolean() }), 'Sure?');
      return String(sure);
    };
    app.get(McpRegistry).addTool({ name: 'ask', handler });

    await app
      .client({ era })
      .onElicit(() => ({ sure: true }))
      .call('ask');

    const rounds = traced.spans.filter(({ name }) => name.endsWith('ask'));
    expect(rounds.map(({ name }) => name)).toEqual(
      Array.from({ length: era === 'stateless' ? 2 : 1 }, () => ['handle tool ask', 'tools/call ask']).flat(),
    );
    expect(rounds.map((span) => statusOf(span).error)).toEqual(rounds.map(() => undefined));
  });
});
