import { spawnSync } from 'node:child_process';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startHttp } from '../../../src/app/http.js';
import { Telemetry } from '../../../src/index.js';
import { CompiledServer } from '../../support/compiled-server.js';
import { freePort } from '../../support/free-port.js';
import { startOtlpReceiver } from '../../support/otlp/otlp-receiver.js';
import { responseOf, statelessRequest } from '../../support/wire.js';

const warn = vi.fn();
beforeAll(() => Logger.overrideLogger({ log: () => undefined, error: () => undefined, warn }));
afterAll(() => Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose']));
afterEach(() => warn.mockReset());

const CALL = { name: 'analyzeDocument', arguments: { text: 'A text.', domain: 'legal' } };

async function start(endpoint: string, env: Record<string, string> = {}) {
  const app = await startHttp({ PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env });
  return { app, url: `${await app.getUrl()}/mcp` };
}

describe('the platform with tracing on', () => {
  it('has sent the spans of every call when it has stopped', async () => {
    await using receiver = await startOtlpReceiver();
    const { app, url } = await start(receiver.url);

    await responseOf(await statelessRequest(url, 'tools/call', CALL));
    await app.close();

    const [handler, call] = receiver.spans;
    expect(receiver.spans.map(({ name }) => name)).toEqual([
      'handle tool analyzeDocument',
      'tools/call analyzeDocument',
    ]);
    expect(handler?.parentSpanId).toBe(call?.spanId);
    expect(call).toMatchObject({ kind: 2, parentSpanId: '', attributes: { 'gen_ai.tool.name': 'analyzeDocument' } });
    expect(warn).not.toHaveBeenCalled();
  });

  it('serves and stops while the receiver is away, and says so once', async () => {
    const { app, url } = await start(`http://127.0.0.1:${await freePort()}`);

    for (let n = 0; n < 5; n += 1) expect((await statelessRequest(url, 'tools/list')).status).toBe(200);
    await app.close();

    expect(warn.mock.calls.filter(([said]) => /spans/.test(String(said)))).toHaveLength(1);
  });

  it('serves and stops while the receiver does not answer', async () => {
    await using receiver = await startOtlpReceiver(() => undefined);
    const { app, url } = await start(receiver.url);

    expect((await statelessRequest(url, 'tools/list')).status).toBe(200);
    await app.close();

    expect(receiver.spans).toHaveLength(1);
    expect(warn.mock.calls.map(([said]) => String(said))).toEqual([
      `1 spans had not been sent to ${new URL(receiver.url).host} when the server stopped.`,
    ]);
  });

  it('says why a receiver takes nothing', async () => {
    await using receiver = await startOtlpReceiver((response) => void response.writeHead(401).end('SECRET'));
    const { app, url } = await start(receiver.url);

    await statelessRequest(url, 'tools/list');
    await app.close();

    expect(warn.mock.calls.map(([said]) => String(said))).toEqual([
      `1 spans could not be sent to ${new URL(receiver.url).host}: 401 Unauthorized. Requests are served all the same.`,
    ]);
  });
});

describe('the platform with tracing that could never work', () => {
  it.each([
    ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', '0', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE: Too small'],
    ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', '-1', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE: Too small'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0', 'OTEL_BSP_MAX_QUEUE_SIZE: Too small'],
    ['OTEL_BSP_SCHEDULE_DELAY', 'abc', 'OTEL_BSP_SCHEDULE_DELAY: must be a whole number'],
    ['OTEL_BSP_EXPORT_TIMEOUT', '99', 'OTEL_BSP_EXPORT_TIMEOUT: Too small'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '1e4', 'OTEL_EXPORTER_OTLP_TIMEOUT: must be a whole number'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a b=c', 'OTEL_EXPORTER_OTLP_HEADERS: entry 1 has a name that HTTP does not allow'],
  ])('does not start with %s=%s', async (name, value, message) => {
    await expect(startHttp({ PORT: '0', [name]: value })).rejects.toThrow(message);
  });
});

describe('the platform with tracing off', () => {
  it('has nobody who watches operations', async () => {
    const app = await startHttp({ PORT: '0', LOG_REQUESTS: 'false', METRICS_ENABLED: 'false' });

    expect(app.get(Telemetry, { strict: false }).operation({ method: 'tools/list' })).toBe(undefined);
    await app.close();
  });

  it.each([
    ['does not load the SDK', {}, ['api']],
    [
      'loads it once there is a receiver',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
      expect.arrayContaining(['api', 'sdk-trace-node']),
    ],
  ])(
    '%s',
    (_what, env, loaded) => {
      const fixture = 'test/e2e/tracing/loaded-modules.fixture.ts';
      using compiled = new CompiledServer([fixture]);

      const { stderr } = spawnSync(process.execPath, [compiled.script(fixture)], {
        env: { PATH: process.env['PATH'], ...env },
        encoding: 'utf8',
      });

      expect(JSON.parse(/loaded:(.*)/.exec(stderr)?.[1] ?? JSON.stringify(stderr))).toEqual(loaded);
    },
    30_000,
  );
});
