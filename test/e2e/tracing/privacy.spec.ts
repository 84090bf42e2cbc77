import { Logger } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { readConfig } from '../../../src/app/config.js';
import { type Tracing, startTracing } from '../../../src/app/tracing.js';
import { McpRegistry, ToolError } from '../../../src/index.js';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp/otlp-receiver.js';
import { WireSession, initialize, post, statelessRequest } from '../../support/wire.js';
import { serve } from '../nest/serve.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose']));

let receiver: OtlpReceiver;
let tracing: Tracing | undefined;
beforeEach(async () => {
  receiver = await startOtlpReceiver();
  tracing = await startTracing(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }));
});
afterEach(async () => {
  await tracing?.shutdown();
  await receiver[Symbol.asyncDispose]();
});

/** A server whose handlers say what they were told, on sessions in Redis if there is one. */
async function serveHandlers() {
  const redisUrl = inject('redisUrl');
  const redis = redisUrl === null ? {} : { redis: { url: redisUrl, keyPrefix: `MARKER-${process.pid}:` } };
  const app = await serve({}, { options: { observers: tracing ? [tracing.observer] : [], ...redis } });
  const registry = app.get(McpRegistry);
  registry.addTool({ name: 'say', handler: () => 'MARKER' });
  registry.addTool({ name: 'refuse', handler: () => Promise.reject(new ToolError('MARKER')) });
  registry.addTool({
    name: 'break',
    handler: () => Promise.reject(Object.assign(new Error('MARKER'), { name: 'MARKER' })),
  });
  registry.addTool({ name: 'report', handler: (_input, call) => call.progress(1, 2, 'MARKER') });
  return app;
}

const HOSTILE = [
  ...['say', 'refuse', 'break', 'report', 'MARKER'].map((name) => [
    'tools/call',
    { name, arguments: { MARKER: 'MARKER', nested: [{ MARKER: 'MARKER' }] } },
  ]),
  ['resources/read', { uri: 'MARKER://MARKER' }],
  ['prompts/get', { name: 'MARKER', arguments: { MARKER: 'MARKER' } }],
  [
    'completion/complete',
    { ref: { type: 'ref/prompt', name: 'MARKER' }, argument: { name: 'MARKER', value: 'MARKER' } },
  ],
  ['tools/list', { cursor: 'MARKER' }],
  ['logging/setLevel', { level: 'MARKER' }],
  ['MARKER/MARKER', { MARKER: 'MARKER' }],
] as [string, Record<string, unknown>][];
const META = { MARKER: 'MARKER', progressToken: 'MARKER', baggage: 'MARKER=MARKER', traceparent: 'MARKER' };
const HEADERS = {
  ...{ authorization: 'Bearer MARKER', cookie: 'MARKER', 'x-request-id': 'MARKER', 'user-agent': 'MARKER' },
  ...{ traceparent: '00-MARKER', baggage: 'MARKER=MARKER', 'mcp-param-x': 'MARKER' },
};

describe('what a caller sends', () => {
  it('is in no span of 2026-07-28', async () => {
    await using app = await serveHandlers();
    const meta = { ...META, 'io.modelcontextprotocol/clientInfo': { name: 'MARKER', version: 'MARKER' } };

    for (const [method, params] of HOSTILE) {
      const response = await statelessRequest(app.url, method, params, { id: 'MARKER', meta, headers: HEADERS });
      await response.text();
    }
    await tracing?.shutdown();

    expect(receiver.spans.length).toBeGreaterThan(HOSTILE.length);
    for (const { body } of receiver.requests) expect(body.toString('latin1')).not.toContain('MARKER');
  });

  it('is in no span of a session, nor is its id', async () => {
    await using app = await serveHandlers();
    const session = await WireSession.open(app.url);
    for (const [index, [method, params]] of HOSTILE.entries()) {
      const message = { jsonrpc: '2.0', id: `MARKER${index}`, method, params: { ...params, _meta: META } };
      await (await session.post(message, HEADERS)).text();
    }
    await (await session.get({ ...HEADERS, 'last-event-id': 'MARKER' })).text();
    await (await post(app.url, JSON.stringify(initialize('MARKER')), HEADERS)).text();
    await (await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-session-id': 'MARKER' })).text();
    await (await session.delete(HEADERS)).text();
    await tracing?.shutdown();

    expect(receiver.spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['initialize', 'GET', 'DELETE']));
    for (const { body } of receiver.requests) {
      expect(body.toString('latin1')).not.toContain('MARKER');
      expect(body.toString('latin1')).not.toContain(session.id);
    }
  });

  it('would be found: a span that a team makes may hold it', async () => {
    trace.getTracer('team').startSpan('MARKER').end();

    await tracing?.shutdown();

    expect(receiver.requests[0]?.body.toString('latin1')).toContain('MARKER');
  });
});
