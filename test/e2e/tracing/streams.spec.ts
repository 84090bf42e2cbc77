import { SpanKind, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { McpRegistry, SessionStore } from '../../../src/index.js';
import { eventually } from '../../support/eventually.js';
import { statelessRequest } from '../../support/wire.js';
import { CLIENTS } from '../clients/real-clients.js';
import { ERAS, serve } from '../nest/serve.js';
import { Traced, clientSpan, statusOf } from './traced.js';

let traced: Traced;
beforeEach(() => {
  traced = new Traced();
});
afterEach(() => traced[Symbol.dispose]());

describe.each(ERAS)('a stream of changes in the %s era', (era) => {
  it('is a span of its opening alone', async () => {
    await using app = await serve({}, { options: { observers: traced.observers } });
    app.get(McpRegistry).addTool({ name: 'first', handler: () => 'first' });

    const listening = await app.client({ era }).listen({ toolsListChanged: true });
    const name = era === 'stateless' ? 'subscriptions/listen' : 'GET';
    await eventually(() => traced.span(name));
    app.get(McpRegistry).addTool({ name: 'second', handler: () => 'second' });
    await listening.close();

    expect(statusOf(traced.span(name))).toEqual({ status: 0, error: undefined, code: undefined });
    expect(traced.names.filter((each) => each === name)).toEqual([name]);
  });
});

describe.skipIf(inject('redisUrl') === null)('commands to Redis', () => {
  const redis = { url: inject('redisUrl') ?? '', keyPrefix: `tracing-${process.pid}:` };

  it('are spans of the team span, the handler and the call that they are for', async () => {
    await using app = await serve({}, { options: { observers: traced.observers, redis } });
    const store = app.get<SessionStore>(SessionStore);
    const handler = (): Promise<void> =>
      trace.getTracer('team').startActiveSpan('team', async (span) => {
        await store.enter('SECRET-session', 'SECRET-owner');
        span.end();
      });
    app.get(McpRegistry).addTool({ name: 'look', handler });
    const { span, carrier } = clientSpan();

    await app.client().call('look', {}, { meta: carrier });
    span.end();

    const command = traced.spans.find(({ attributes }) => 'db.system.name' in attributes);
    expect(command).toMatchObject({ kind: SpanKind.CLIENT, status: { code: 0 } });
    expect(command?.attributes).toEqual({ 'db.system.name': 'redis', 'db.operation.name': command?.name });
    expect(traced.ancestry(command?.name ?? '')).toEqual([
      ...[command?.name, 'team', 'handle tool look', 'tools/call look', 'client'],
    ]);
  });

  it('are none outside of an operation', async () => {
    await using app = await serve({}, { options: { observers: traced.observers, redis } });

    // Nobody's operation, as the heartbeat of the replica.
    await app.get<SessionStore>(SessionStore).enter('none', 'nobody');

    expect(traced.names).toEqual([]);
  });
});

it.each(CLIENTS.filter(({ name }) => name.startsWith('SDK v2')))('traces the calls of $name', async ({ connect }) => {
  await using app = await serve({}, { options: { observers: traced.observers } });
  app.get(McpRegistry).addTool({ name: 'look', handler: () => 'seen' });
  await using client = await connect(app.url);

  await client.call('look');

  expect(traced.ancestry('handle tool look')).toEqual(['handle tool look', 'tools/call look']);
  expect(traced.span('tools/call look').attributes['mcp.protocol.version']).toBe(client.revision);
});

it('links to the span of the HTTP request, if there is one, and belongs to the caller', async () => {
  await using app = await serve(
    {},
    {
      options: { observers: traced.observers },
      configure: (nest) => {
        // As an instrumentation of HTTP or of Fastify does.
        nest
          .getHttpAdapter()
          .getInstance()
          .addHook('preHandler', (_request: unknown, _reply: unknown, done: () => void) => {
            trace.getTracer('http').startActiveSpan('http', (span) => {
              done();
              span.end();
            });
          });
      },
    },
  );
  const { span, carrier } = clientSpan();

  await statelessRequest(app.url, 'tools/list');
  await statelessRequest(app.url, 'tools/list', {}, { meta: carrier });
  span.end();

  const http = traced.spans.filter(({ name }) => name === 'http');
  const [alone, called] = traced.spans.filter(({ name }) => name === 'tools/list');
  expect(alone?.parentSpanContext?.spanId).toBe(http[0]?.spanContext().spanId);
  expect(alone?.links).toEqual([]);
  expect(called?.parentSpanContext?.spanId).toBe(span.spanContext().spanId);
  expect(called?.links).toMatchObject([{ context: { spanId: http[1]?.spanContext().spanId } }]);
});
