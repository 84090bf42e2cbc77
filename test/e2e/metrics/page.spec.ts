import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { Controller, Get, Injectable } from '@nestjs/common';
import { InjectMetric, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import { Counter } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  GracefulStop,
  McpMetricsModule,
  type McpMetricsOptions,
  McpModule,
  type McpOptions,
  McpRegistry,
  McpTool,
  Readiness,
} from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { statelessRequest } from '../../support/wire.js';
import { LIST_HEADERS, plainRequest, requestBody } from '../stateless/requests.js';
import { Scrape } from './scrape.js';

@Injectable()
class Shop {
  constructor(@InjectMetric('shop_greetings_total') private readonly greetings: Counter) {}

  @McpTool()
  greet(): string {
    this.greetings.inc();
    return 'hello';
  }
}

@Controller('orders')
class Orders {
  @Get(':id')
  order(): string {
    return 'an order';
  }
}

const greetings = makeCounterProvider({ name: 'shop_greetings_total', help: 'Greetings that were given.' });

async function boot(metrics?: McpMetricsOptions, options: McpOptions = {}): Promise<McpTestApp> {
  class ShopModule {}
  const modules = [
    McpModule.forRoot({ version: '1.2.3' }),
    McpMetricsModule.forRoot(metrics),
    { module: ShopModule, controllers: [Orders], providers: [Shop, greetings] },
  ];
  const app = await createMcpTestApp(modules, { logger: false, options });
  onTestFinished(() => app.close());
  return app;
}

const HTTP = 'http_server_request_duration_seconds_count';

describe('GET /metrics', () => {
  it('is text for Prometheus that nobody keeps, for any Host, without credentials', async () => {
    const app = await boot();
    const url = new URL('/metrics', app.url).href;

    const answer = await plainRequest(url, { method: 'GET', headers: { host: '10.1.2.3:9464' } });

    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('can be served elsewhere, in each application of a process', async () => {
    const here = await boot();
    const there = await boot({ path: '/internal/metrics' });

    expect((await Scrape.of(here.url)).response.status).toBe(200);
    expect((await Scrape.of(there.url, '/internal/metrics')).response.status).toBe(200);
    expect((await Scrape.of(there.url)).response.status).toBe(404);
  });

  it('says what is before anything has happened', async () => {
    const app = await boot();

    const scrape = await Scrape.of(app.url);

    expect(scrape.value('rookery_build_info', { version: '1.2.3', node_version: process.version })).toBe(1);
    expect(scrape.value('mcp_server_operations_in_flight', { mcp_method_name: 'tools/call' })).toBe(0);
    expect(scrape.value('mcp_server_denials_total')).toBe(0);
    expect(scrape.value('mcp_server_sessions')).toBe(0);
    expect(scrape.value('mcp_server_session_limit')).toBe(10_000);
    expect(scrape.value('mcp_server_stream_limit')).toBe(10_000);
    expect(scrape.value('mcp_server_capabilities', { kind: 'tool' })).toBe(1);
    expect(scrape.value('nodejs_eventloop_utilization_ratio')).toBeLessThanOrEqual(1);
    expect(scrape.value('mcp_server_redis_up')).toBeUndefined();
    expect(scrape.value('mcp_server_audit_failing')).toBeUndefined();
    expect(scrape.text).not.toMatch(/NaN|undefined|\[object/);
  });

  it('holds the metrics of the process once, and those of teams', async () => {
    const [app] = [await boot(), await boot()];
    await app.client().call('greet');

    const scrape = await Scrape.of(app.url);

    expect(scrape.value('shop_greetings_total')).toBeGreaterThanOrEqual(1);
    expect(scrape.series.filter(({ name }) => name === 'process_resident_memory_bytes')).toHaveLength(1);
    expect(new Set(scrape.identities).size).toBe(scrape.identities.length);
  });

  it('does not mix the applications of a process', async () => {
    const [busy, idle] = [await boot(), await boot()];
    await busy.client().call('greet');
    const operations = async (app: McpTestApp) =>
      (await Scrape.of(app.url)).value('mcp_server_operation_duration_seconds_count');

    expect(await operations(busy)).toBe(1);
    expect(await operations(idle)).toBeUndefined();
  });

  it('shows capabilities that came while it ran', async () => {
    const app = await boot();
    app.get(McpRegistry).addTool({ name: 'late', handler: () => 'done' });

    expect((await Scrape.of(app.url)).value('mcp_server_capabilities', { kind: 'tool' })).toBe(2);
  });

  it('shows the checks, and that the server stops', async () => {
    const app = await boot({}, { http: { drainDelayMs: 500 } });
    app.get(Readiness).add({ name: 'catalogue', check: () => ({ ready: true, degraded: true }) });
    const before = await Scrape.of(app.url);
    void app.get(GracefulStop).drain();

    const after = await Scrape.of(app.url);

    expect(before.value('mcp_server_check_ready', { check: 'catalogue' })).toBe(1);
    expect(before.value('mcp_server_check_degraded', { check: 'catalogue' })).toBe(1);
    expect(before.value('mcp_server_check_degraded', { check: 'server' })).toBe(0);
    expect([before, after].map((scrape) => scrape.value('mcp_server_draining'))).toEqual([0, 1]);
    expect(after.value('mcp_server_check_ready', { check: 'server' })).toBe(0);
  });
});

it('is on the management port alone, if there is one', async () => {
  const port = await freePort();
  const app = await boot({ path: '/internal/metrics' }, { management: { port } });

  const scrape = await Scrape.of(`http://127.0.0.1:${port}`, '/internal/metrics');

  expect(scrape.response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(scrape.value('mcp_server_draining')).toBe(0);
  expect((await Scrape.of(app.url, '/internal/metrics')).response.status).toBe(404);
});

describe('requests over HTTP', () => {
  it('are measured by route, for MCP and for controllers of teams', async () => {
    const app = await boot();
    await statelessRequest(app.url, 'tools/list');
    for (const path of ['/orders/1', '/orders/2', '/nowhere/1', '/nowhere/2']) await fetch(new URL(path, app.url));

    const scrape = await Scrape.of(app.url);

    const answered = (method: string, route: string, status: string) =>
      scrape.value(HTTP, {
        http_request_method: method,
        http_route: route,
        http_response_status_code: status,
      });
    expect(answered('POST', '/mcp', '200')).toBe(1);
    expect(answered('GET', '/orders/:id', '200')).toBe(2);
    expect(answered('GET', '_other', '404')).toBe(2);
  });

  it('are counted when the parser or the host check refuses them', async () => {
    const app = await boot();
    await plainRequest(app.url, {
      headers: { ...LIST_HEADERS, host: 'evil.example' },
      body: requestBody('tools/list'),
    });
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.end('NONSENSE\r\n\r\n');
    socket.resume();

    await eventually(async () => {
      const scrape = await Scrape.of(app.url);
      expect(scrape.value(HTTP, { http_route: '/mcp', http_response_status_code: '403' })).toBe(1);
      expect(scrape.value(HTTP, { http_request_method: '_other', http_response_status_code: '400' })).toBe(1);
    });
  });
});

/** Debian's package prometheus has it. */
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

it.skipIf(!hasPromtool && !process.env['REQUIRE_REDIS'])('promtool finds nothing wrong with what is ours', async () => {
  const app = await boot();
  await app.client({ era: 'session' }).call('greet');
  const { text } = await Scrape.of(app.url);

  const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });

  // Some of prom-client's own are named against the rules.
  const ours = `${stdout}${stderr}`
    .split('\n')
    .filter((line) => !/^(nodejs|process)_/.test(line) || /utilization/.test(line));
  expect(ours.filter((line) => line !== '')).toEqual([]);
  // 3 is what it says of lint problems; the text itself was read.
  expect([0, 3]).toContain(status);
});
