import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { Injectable } from '@nestjs/common';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { McpCall, McpMetricsModule, McpModule, type McpOptions, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { startRedisServer } from '../../support/redis/redis-server.js';
import { WireSession, statelessRequest } from '../../support/wire.js';
import { EventStream } from '../session/session-app.js';
import { type Gate, gate } from '../stateless/requests.js';
import { Scrape } from './scrape.js';

const APPENDS = 'mcp_server_event_log_appends_total';
const IN_FLIGHT = 'mcp_server_operations_in_flight';

let open: Gate[] = [];

@Injectable()
class Shop {
  @McpTool()
  async waits(call: McpCall): Promise<string> {
    const door = gate();
    open.push(door);
    call.progress(1);
    await door.opened;
    return 'done';
  }

  @McpTool()
  async counts(call: McpCall): Promise<string> {
    const door = gate();
    open.push(door);
    call.progress(1);
    await door.opened;
    for (let step = 2; step <= 5; step += 1) call.progress(step);
    return 'done';
  }
}

async function boot(options: McpOptions = {}): Promise<McpTestApp> {
  open = [];
  class ShopModule {}
  const modules = [McpModule.forRoot(), McpMetricsModule.forRoot(), { module: ShopModule, providers: [Shop] }];
  const app = await createMcpTestApp(modules, { logger: false, options });
  onTestFinished(async () => {
    for (const door of open) door.open();
    const server: Server = app.app.getHttpServer();
    server.closeAllConnections();
    await app.close();
  });
  return app;
}

const progress = { _meta: { progressToken: 1 } };

describe('streams', () => {
  it('are counted by what opened them, while they are open', async () => {
    const app = await boot();
    const session = await WireSession.open(app.url);
    const connection = new AbortController();
    const listen = { notifications: { toolsListChanged: true } };
    const streams = await Promise.all([
      EventStream.listen(session),
      EventStream.open((signal) =>
        session.request('tools/call', { name: 'waits', arguments: {}, ...progress }, 1, signal),
      ),
      EventStream.open((signal) => statelessRequest(app.url, 'subscriptions/listen', listen, { signal })),
      EventStream.open(() =>
        statelessRequest(
          app.url,
          'tools/call',
          { name: 'waits', arguments: {} },
          { meta: { progressToken: 1 }, signal: connection.signal },
        ),
      ),
    ]);
    const kinds = async () => {
      const scrape = await Scrape.of(app.url);
      return ['get', 'listen', 'call'].map((kind) => scrape.value('mcp_server_open_streams', { kind }));
    };

    expect(await kinds()).toEqual([1, 1, 2]);
    for (const stream of streams) stream.cut();
    connection.abort();
    await eventually(async () => expect(await kinds()).toEqual([0, 0, 0]));
  });

  it('do not count for their lifetime, neither as operations nor as HTTP requests', async () => {
    const app = await boot();
    const session = await WireSession.open(app.url);
    const stream = await EventStream.listen(session);
    const during = await Scrape.of(app.url);
    stream.cut();
    await eventually(async () => expect((await Scrape.of(app.url)).value('mcp_server_open_streams')).toBe(0));

    const after = await Scrape.of(app.url);

    const opened = { mcp_method_name: 'GET', era: 'session', error_type: '' };
    expect(during.value('mcp_server_operation_duration_seconds_count', opened)).toBe(1);
    expect(during.value('mcp_server_operations_in_flight', { mcp_method_name: 'GET' })).toBe(0);
    const answered = { http_request_method: 'GET', http_route: '/mcp' };
    expect(after.value('http_server_request_duration_seconds_count', answered)).toBeUndefined();
  });

  it('are counted when they are resumed, and when what they need is gone', async () => {
    const app = await boot({ sessions: { events: { maxEvents: 2 } } });
    const session = await WireSession.open(app.url);
    const call = { name: 'counts', arguments: {}, ...progress };
    const stream = await EventStream.open((signal) => session.request('tools/call', call, 1, signal));
    await stream.next();
    stream.cut();
    for (const door of open) door.open();
    await eventually(async () => expect((await Scrape.of(app.url)).value(IN_FLIGHT)).toBe(0));
    await (await EventStream.listen(session, stream.lastEventId)).messages();

    const scrape = await Scrape.of(app.url);

    // What primes the stream, five messages of progress, and the result.
    await eventually(async () => expect((await Scrape.of(app.url)).value(APPENDS)).toBe(7));
    expect(scrape.value('mcp_server_event_log_replays_total')).toBe(1);
    expect(scrape.value('mcp_server_event_log_gaps_total', { reason: 'gap' })).toBe(1);
    expect(scrape.value('mcp_server_event_log_gaps_total')).toBe(1);
  });
});

describe('sessions', () => {
  it('are counted when they begin, end, and are asked for in vain', async () => {
    const app = await boot({ sessions: { store: { maxSessions: 7 } } });
    const [first] = [await WireSession.open(app.url), await WireSession.open(app.url)];
    await first.delete();
    expect((await first.request('tools/list')).status).toBe(404);

    const scrape = await Scrape.of(app.url);

    expect(scrape.value('mcp_server_sessions')).toBe(1);
    expect(scrape.value('mcp_server_session_limit')).toBe(7);
    expect(scrape.value('mcp_server_sessions_started_total')).toBe(2);
    expect(scrape.value('mcp_server_sessions_ended_total', { reason: 'deleted' })).toBe(1);
    expect(scrape.value('mcp_server_unknown_sessions_total')).toBe(1);
    expect(scrape.value('mcp_server_denials_total', { reason: 'session' })).toBe(1);
  });
});

it('the audit shows that it fails, how often, and what it has lost', async () => {
  const sink = { name: 'disk', write: async () => Promise.reject(new Error('full')) };
  const app = await boot({ audit: { to: [sink], onFailure: 'closed' } });
  await app
    .client()
    .listTools()
    .catch(() => undefined);

  const scrape = await Scrape.of(app.url);

  expect(scrape.value('mcp_server_audit_failing')).toBe(1);
  expect(scrape.value('mcp_server_audit_failures_total')).toBeGreaterThanOrEqual(1);
  expect(scrape.value('mcp_server_audit_lost_total')).toBe(0);
  expect(scrape.value('mcp_server_limited_total', { limit: 'audit', scope: 'none' })).toBe(1);
  expect(scrape.value('mcp_server_operation_duration_seconds_count', { error_type: 'unavailable' })).toBe(1);
});

const url = inject('redisUrl') ?? '';

describe.skipIf(url === '')('with Redis', () => {
  it('shows commands by name, wake-ups, and the sessions of all replicas', async () => {
    const redis = { url, keyPrefix: `test:metrics:${randomUUID()}:` };
    const [here, there] = [await boot({ redis }), await boot({ redis })];
    await WireSession.open(here.url);
    await WireSession.open(there.url);

    const scrape = await Scrape.of(there.url);

    expect(scrape.value('mcp_server_redis_up')).toBe(1);
    expect(scrape.value('mcp_server_sessions')).toBe(2);
    const commands = 'mcp_server_redis_command_duration_seconds_count';
    expect(scrape.value(commands, { command: 'rookerySessionCreate', outcome: 'ok' })).toBe(1);
    expect(scrape.value(commands, { command: '_other' })).toBeUndefined();
    expect(scrape.value(commands, { outcome: 'error' })).toBe(0);
    await eventually(async () => {
      const later = await Scrape.of(there.url);
      expect(later.value('mcp_server_wakeup_latency_seconds_count')).toBeGreaterThanOrEqual(1);
    });
  });

  it('shows that Redis is away, and says nothing of sessions then', async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.close());
    const app = await boot({ redis: { url: server.url } });
    await server.close();

    await eventually(async () => {
      const scrape = await Scrape.of(app.url);
      expect(scrape.value('mcp_server_redis_up')).toBe(0);
      expect(scrape.value('mcp_server_sessions')).toBeUndefined();
      expect(scrape.value('mcp_server_check_degraded', { check: 'sessions' })).toBe(1);
    });
    const failed = { outcome: 'error' };
    expect((await Scrape.of(app.url)).value('mcp_server_redis_command_duration_seconds_count', failed)).toBeGreaterThan(
      0,
    );
  });
});
