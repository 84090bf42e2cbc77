import type { LoggerService } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  GracefulStop,
  McpHealthModule,
  McpModule,
  type McpOptions,
  Readiness,
  SessionStore,
} from '../../../src/index.js';
import { Startup } from '../../../src/mcp/health/startup.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { WireSession } from '../../support/wire.js';
import { plainRequest } from '../stateless/requests.js';

afterEach(() => vi.restoreAllMocks());

function boot(options: McpOptions = {}, logger: LoggerService | false = false): Promise<McpTestApp> {
  return createMcpTestApp([McpModule.forRoot(options), McpHealthModule], { options, logger });
}

async function probe(app: McpTestApp, path: string) {
  const response = await fetch(new URL(path, app.url));
  return { status: response.status, cache: response.headers.get('cache-control'), body: await response.json() };
}

describe('GET /health/live', () => {
  it('answers as long as the process lives, also while it stops', async () => {
    await using app = await boot({ http: { drainDelayMs: 500 } });
    const alive = { status: 200, cache: 'no-store', body: { status: 'ok' } };

    expect(await probe(app, '/health/live')).toEqual(alive);
    const drained = app.get(GracefulStop).drain();

    expect(await probe(app, '/health/live')).toEqual(alive);
    await drained;
  });

  it('does not depend on anything that has to be ready', async () => {
    await using app = await boot();
    app.get(Readiness).add({ name: 'catalogue', check: () => ({ ready: false }) });

    expect((await probe(app, '/health/live')).status).toBe(200);
  });
});

describe('GET /health/ready', () => {
  it('says that requests may come', async () => {
    await using app = await boot();

    expect(await probe(app, '/health/ready')).toMatchObject({
      status: 200,
      cache: 'no-store',
      body: { status: 'ok', details: { server: { status: 'up' } } },
    });
  });

  it('says no from the moment at which the server begins to stop', async () => {
    await using app = await boot({ http: { drainDelayMs: 500 } });

    const drained = app.get(GracefulStop).drain();

    expect(await probe(app, '/health/ready')).toMatchObject({
      status: 503,
      cache: 'no-store',
      body: { details: { server: { status: 'down', message: 'The server is stopping.' } } },
    });
    await drained;
  });

  it.each([
    ['closed', 503, 'down'],
    ['continue', 200, 'degraded'],
  ] as const)('says while the audit cannot be written, %s, that %i', async (onFailure, status, state) => {
    const sink = {
      name: 'disk',
      broken: true,
      write: async () => (sink.broken ? Promise.reject(new Error('full')) : undefined),
    };
    await using app = await boot({ audit: { to: [sink], onFailure } });

    const meanwhile = await probe(app, '/health/ready');
    sink.broken = false;

    expect(meanwhile).toMatchObject({ status, body: { details: { audit: { status: state } } } });
    await eventually(async () => expect((await probe(app, '/health/ready')).status).toBe(200));
  });

  it('says no when a check does, and what it found', async () => {
    await using app = await boot();
    app.get(Readiness).add({ name: 'catalogue', check: () => ({ ready: false, detail: 'It is being loaded.' }) });

    expect(await probe(app, '/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'error', error: { catalogue: { status: 'down', message: 'It is being loaded.' } } },
    });
  });

  it('says yes to what is degraded, and says so', async () => {
    await using app = await boot();
    const state = { ready: true, degraded: true, detail: 'Redis is away.' };
    app.get(Readiness).add({ name: 'cache', check: () => state });

    expect(await probe(app, '/health/ready')).toMatchObject({
      status: 200,
      body: { status: 'degraded', details: { cache: { status: 'degraded', message: 'Redis is away.' } } },
    });
  });

  it('logs what has changed, and not every probe', async () => {
    const logged: unknown[] = [];
    const note = (message: unknown): void => void logged.push(message);
    await using app = await boot({}, { log: () => undefined, warn: note, error: note });
    app.get(Readiness).add({ name: 'catalogue', check: () => ({ ready: false }) });

    for (let count = 0; count < 3; count++) await probe(app, '/health/ready');

    expect(logged).toEqual(['Not ready. catalogue']);
  });

  it('may be asked under any Host, since probes come to an address', async () => {
    await using app = await boot();
    const url = new URL('/health/ready', app.url).href;

    expect((await plainRequest(url, { method: 'GET', headers: { host: '10.1.2.3:3000' } })).status).toBe(200);
    expect((await plainRequest(app.url, { headers: { host: '10.1.2.3:3000' } })).status).toBe(403);
  });
});

describe('GET /health/startup', () => {
  it('says that the server has started, also while it stops', async () => {
    await using app = await boot({ http: { drainDelayMs: 200 } });
    const started = { status: 200, cache: 'no-store', body: { status: 'ok' } };

    expect(await probe(app, '/health/startup')).toEqual(started);
    const drained = app.get(GracefulStop).drain();

    expect(await probe(app, '/health/startup')).toEqual(started);
    await drained;
  });

  it('says no before that', async () => {
    await using app = await boot();
    vi.spyOn(app.get(Startup), 'isComplete', 'get').mockReturnValue(false);

    expect(await probe(app, '/health/startup')).toEqual({
      status: 503,
      cache: 'no-store',
      body: { status: 'error', message: 'The server is starting.' },
    });
    expect((await probe(app, '/health/ready')).body).toMatchObject({
      error: { server: { message: 'The server is starting.' } },
    });
  });
});

describe('GET /health', () => {
  it('tells people how the server is', async () => {
    await using app = await boot({ name: 'shop', version: '1.2.3' });
    const session = await WireSession.open(app.url);
    const stream = await session.get();

    const { status, cache, body } = await probe(app, '/health');
    await stream.body?.cancel();

    expect([status, cache]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({
      status: 'ok',
      server: { name: 'shop', version: '1.2.3' },
      process: { pid: process.pid, node: process.version, started: true, uptimeSeconds: expect.any(Number) },
      memory: { rssBytes: expect.any(Number), heapUsedBytes: expect.any(Number) },
      eventLoop: { delayMs: expect.any(Number), utilization: expect.any(Number) },
      sessions: { open: 1, limit: 10_000 },
      streams: { open: 1, limit: 10_000 },
      runningCalls: 0,
      checks: [
        { name: 'server', ready: true },
        { name: 'sessions', ready: true },
      ],
    });
  });

  it.each([
    [{ ready: false, detail: 'It is being loaded.' }, 'error'],
    [{ ready: true, degraded: true }, 'degraded'],
  ])('answers 200 to a check that finds %j, and says %s', async (state, status) => {
    await using app = await boot();
    app.get(Readiness).add({ name: 'catalogue', check: () => state });

    const answer = await probe(app, '/health');

    expect(answer).toMatchObject({ status: 200, body: { status } });
    expect((answer.body as { checks: unknown[] }).checks).toContainEqual({ name: 'catalogue', ...state });
  });

  it('does not wait for what hangs', async () => {
    const never = new Promise<never>(() => undefined);
    await using app = await boot();
    app.get(Readiness).add({ name: 'catalogue', check: () => never });
    vi.spyOn(app.get<{ count: () => Promise<number> }>(SessionStore), 'count').mockReturnValue(never);

    const { status, body } = await probe(app, '/health');

    expect([status, (body as Record<string, unknown>)['sessions']]).toEqual([200, undefined]);
    expect((body as { checks: unknown[] }).checks.at(-1)).toEqual({
      name: 'catalogue',
      ready: false,
      detail: 'The check failed.',
    });
  });
});

it('an application that does not import it has no health endpoint', async () => {
  await using app = await createMcpTestApp(McpModule.forRoot());

  expect((await fetch(new URL('/health/live', app.url))).status).toBe(404);
});
