import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { McpError } from '../../protocol/errors.js';
import { registerLoadShedding } from './load-shedding.js';
import { sendError } from './replies.js';

/** The event loop as the sampler sees it; taken in its place before the plugin asks for it. */
const loop = await vi.hoisted(async () => {
  const { default: hooks } = await import('node:perf_hooks');
  const state = { lateMs: 0 };
  const histogram = {
    get mean() {
      // In nanoseconds, the 10 ms between two looks included.
      return (10 + state.lateMs) * 1e6;
    },
    enable: () => true,
    reset: () => undefined,
  };
  hooks.monitorEventLoopDelay = () => histogram as ReturnType<typeof hooks.monitorEventLoopDelay>;
  return state;
});

const logger = { warn: vi.fn() };
let server: FastifyInstance;
let endpoint: FastifyInstance;
beforeEach(() => {
  logger.warn.mockReset();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

/** An endpoint with a limit, in a scope of its own, and a probe beside it. */
async function start(maxDelayMs: number): Promise<void> {
  server = fastify();
  void server.register((scope, _options, done) => {
    endpoint = scope;
    scope.setErrorHandler((error, _request, reply) => sendError(reply, undefined, error as McpError));
    scope.addHook('onRequest', async (_request, reply) => void reply.header('vary', 'Origin'));
    registerLoadShedding(scope, maxDelayMs, logger);
    scope.route({ method: ['GET', 'POST', 'DELETE', 'OPTIONS'], url: '/mcp', handler: async () => 'served' });
    done();
  });
  server.get('/health/live', async () => 'alive');
  await server.ready();
}

/** Lets the event loop be late from now on, and a second pass. */
function beLate(ms: number): void {
  loop.lateMs = ms;
  vi.advanceTimersByTime(1_000);
}

const statusOf = async (method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS', url = '/mcp'): Promise<number> =>
  (await server.inject({ method, url })).statusCode;

it('refuses with 503 and Retry-After while the event loop lags', async () => {
  await start(20);
  beLate(21);

  const { statusCode, headers, json } = await server.inject({ method: 'POST', url: '/mcp', payload: {} });

  expect(statusCode).toBe(503);
  expect(headers['retry-after']).toMatch(/^[123]$/);
  expect(headers['vary']).toBe('Origin');
  expect(json()).toEqual({ jsonrpc: '2.0', error: { code: 503, message: expect.stringContaining('busy') } });
});

it('says so in the log, once in a while and not for each request', async () => {
  await start(20);
  beLate(21);

  for (let count = 0; count < 5; count++) await statusOf('POST');

  expect(logger.warn).toHaveBeenCalledExactlyOnceWith(
    expect.stringContaining('The event loop is late by more than 20 ms, so requests are refused with 503: 1 so far.'),
  );
});

it('refuses new streams, but neither the end of a session nor a preflight', async () => {
  await start(20);
  beLate(21);

  expect(await statusOf('GET')).toBe(503);
  expect(await statusOf('DELETE')).toBe(200);
  expect(await statusOf('OPTIONS')).toBe(200);
});

it('leaves what is in other scopes alone, so that a probe is answered', async () => {
  await start(20);
  beLate(21);

  expect(await statusOf('GET', '/health/live')).toBe(200);
});

it('serves again when the event loop keeps up', async () => {
  await start(20);
  beLate(21);

  expect(await statusOf('POST')).toBe(503);
  beLate(0);
  expect(await statusOf('POST')).toBe(200);
});

it('does not refuse what is below the limit', async () => {
  await start(20);
  beLate(20);

  expect(await statusOf('POST')).toBe(200);
});

it('of 0 is switched off', async () => {
  await start(0);
  beLate(60_000);

  expect(endpoint.hasDecorator('isUnderPressure')).toBe(false);
  expect(await statusOf('POST')).toBe(200);
});

it('can be used beside one that the application has for itself', async () => {
  server = fastify();
  const { default: underPressure } = await import('@fastify/under-pressure');
  await server.register(underPressure);
  void server.register(async (scope) => registerLoadShedding(scope, 20, logger));

  await expect(server.ready()).resolves.toBeDefined();
});
