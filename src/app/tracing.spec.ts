import { Logger } from '@nestjs/common';
import { context, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../test/support/eventually.js';
import { type OtlpReceiver, startOtlpReceiver } from '../../test/support/otlp/otlp-receiver.js';
import { readConfig } from './config.js';
import { keyValuePairs } from './key-value-pairs.js';
import { LostSpans } from './lost-spans.js';
import { type Tracing, startTracing } from './tracing.js';

let tracing: Tracing | undefined;
beforeEach(() => Logger.overrideLogger(false));
afterEach(async () => {
  await tracing?.shutdown();
  tracing = undefined;
  Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose']);
});

/** Starts with some variables, traces one span, and ends. */
async function traceOnce(receiver: OtlpReceiver, env: Record<string, string> = {}, parent?: string) {
  tracing = await startTracing(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env }));
  const headers = parent === undefined ? {} : { traceparent: parent };
  const watch = tracing?.observer.operation?.({ method: 'tools/list', headers });
  watch?.ended({ decision: 'allow', rule: 'public', durationMs: 1 });
  await tracing?.shutdown();
  return receiver.spans;
}

describe('tracing', () => {
  it('is off without a receiver, and when it is disabled', async () => {
    expect(await startTracing(readConfig({}))).toBe(undefined);
    expect(
      await startTracing(
        readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_SDK_DISABLED: 'true' }),
      ),
    ).toBe(undefined);
  });

  it('sends spans of a described service to /v1/traces of the base URL', async () => {
    await using receiver = await startOtlpReceiver();

    const spans = await traceOnce(receiver, {
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod,team=a%2Cb',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20SECRET',
    });

    expect(spans).toMatchObject([{ name: 'tools/list', kind: 2, status: 0, scope: 'rookery' }]);
    expect(spans[0]?.resource).toEqual({
      'service.name': 'rookery',
      'service.version': expect.stringMatching(/^\d+\./),
      'service.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'host.name': expect.any(String),
      'process.pid': process.pid,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': process.versions.node,
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': expect.any(String),
      'deployment.environment.name': 'prod',
      team: 'a,b',
    });
    const { path, headers } = receiver.requests[0] ?? {};
    expect(path).toBe('/v1/traces');
    expect(headers).toMatchObject({ 'content-type': 'application/x-protobuf', authorization: 'Bearer SECRET' });
  });

  it('sends to the URL for traces as it is', async () => {
    await using receiver = await startOtlpReceiver();

    await traceOnce(receiver, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/here` });

    expect(receiver.requests.map(({ path }) => path)).toEqual(['/here']);
  });

  it.each([
    [{ OTEL_SERVICE_NAME: 'shop', OTEL_RESOURCE_ATTRIBUTES: 'service.name=other' }, 'shop'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,service.instance.id=pod-1' }, 'other'],
  ])('names the service by %o', async (env, name) => {
    await using receiver = await startOtlpReceiver();

    const [span] = await traceOnce(receiver, env);

    expect(span?.resource['service.name']).toBe(name);
  });

  const sampled = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const unsampled = sampled.replace(/1$/, '0');
  it.each([
    ['always_on', undefined, unsampled, 1],
    ['always_off', undefined, sampled, 0],
    ['traceidratio', '0', sampled, 0],
    ['traceidratio', '1', unsampled, 1],
    ['traceidratio', undefined, undefined, 1],
    ['parentbased_always_on', undefined, undefined, 1],
    ['parentbased_always_on', undefined, unsampled, 0],
    ['parentbased_always_off', undefined, undefined, 0],
    ['parentbased_always_off', undefined, sampled, 1],
    ['parentbased_traceidratio', '0', undefined, 0],
    ['parentbased_traceidratio', '0', sampled, 1],
  ])('samples as %s %s says (parent %s)', async (sampler, arg, parent, count) => {
    await using receiver = await startOtlpReceiver();

    const env = { OTEL_TRACES_SAMPLER: sampler, ...(arg !== undefined && { OTEL_TRACES_SAMPLER_ARG: arg }) };

    expect(await traceOnce(receiver, env, parent)).toHaveLength(count);
  });

  it('makes spans of tools belong to the call, and leaves nothing behind when it ends', async () => {
    await using receiver = await startOtlpReceiver();
    tracing = await startTracing(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }));
    const watch = tracing?.observer.operation?.({ method: 'tools/call' });
    watch?.run?.(() => trace.getTracer('team').startSpan('team').end());
    watch?.ended({ decision: 'allow', rule: 'public', durationMs: 1 });

    await tracing?.onApplicationShutdown();

    const [team, call] = receiver.spans;
    expect(team?.parentSpanId).toBe(call?.spanId);
    trace.getTracer('team').startActiveSpan('later', (span) => expect(span.isRecording()).toBe(false));
    expect(trace.getSpan(context.active())).toBe(undefined);
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', ' URL/base/ ', '/base/v1/traces'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'URL//', '/v1/traces'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'URL ', '/'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', ' URL/here/', '/here/'],
  ])('understands %s=%j', async (name, address, path) => {
    await using receiver = await startOtlpReceiver();

    await traceOnce(receiver, { [name]: address.replace('URL', receiver.url) });

    expect(receiver.requests.map((request) => request.path)).toEqual([path]);
  });

  it('sends batches of the size that is wanted, and all of them at the end', async () => {
    await using receiver = await startOtlpReceiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2' };
    tracing = await startTracing(readConfig(env));
    for (let n = 0; n < 130; n += 1) trace.getTracer('team').startSpan('team').end();

    await tracing?.shutdown();

    expect(receiver.spans).toHaveLength(130);
    expect(receiver.requests).toHaveLength(65);
  });

  it('sends after the delay that is wanted', async () => {
    await using receiver = await startOtlpReceiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '10' };
    tracing = await startTracing(readConfig(env));

    trace.getTracer('team').startSpan('team').end();

    await eventually(() => expect(receiver.spans).toHaveLength(1));
  });

  it.each([
    ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', '0'],
    ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'a b=c'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a b=c'],
    ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', '1'],
  ])('takes nothing from %s but what was judged', async (name, value) => {
    vi.stubEnv(name, value);
    await using receiver = await startOtlpReceiver();

    expect(await traceOnce(receiver)).toHaveLength(1);
    expect(process.env[name]).toBe(value);
    vi.unstubAllEnvs();
  });

  it('says how many spans have not been sent when it ends, also those that found no room', async () => {
    const warn = vi.fn();
    Logger.overrideLogger({ log: () => undefined, error: () => undefined, warn });
    await using receiver = await startOtlpReceiver(() => undefined);
    const sizes = { OTEL_BSP_MAX_QUEUE_SIZE: '2', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' };
    tracing = await startTracing(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...sizes }));
    for (let n = 0; n < 7; n += 1) trace.getTracer('team').startSpan('team').end();

    await tracing?.shutdown();

    expect(warn.mock.calls.map(([said]) => String(said))).toEqual([
      `7 spans had not been sent to ${new URL(receiver.url).host} when the server stopped.`,
    ]);
  });

  const header = 'OTEL_EXPORTER_OTLP_HEADERS';
  it.each([
    [{ [header]: 'x=1,a b=SECRET' }, `${header}: entry 2 has a name that HTTP does not allow`],
    [{ [header]: 'x%0D%0Ay=SECRET' }, `${header}: entry 1 has a name that HTTP does not allow`],
    [{ [header]: 'x=SECRET%0D%0Ay:z' }, `${header}: entry 1 has a value that HTTP does not allow`],
    [{ [header]: 'x=SECRET%00' }, `${header}: entry 1 has a value that HTTP does not allow`],
    [{ [header]: 'x=SECRET€' }, `${header}: entry 1 has a value that HTTP does not allow`],
    ...['Content-Length', 'transfer-encoding', 'HOST', 'content-type', 'connection', 'content-encoding'].map((name) => [
      { [header]: `${name}=SECRET` },
      `${header}: entry 1 is ${name.toLowerCase()}, which the exporter`,
    ]),
    [{ OTEL_RESOURCE_ATTRIBUTES: 'a=b,SECRET' }, 'OTEL_RESOURCE_ATTRIBUTES: entry 2 is not like key=value'],
    [
      { OTEL_BSP_MAX_QUEUE_SIZE: '100' },
      'OTEL_BSP_MAX_EXPORT_BATCH_SIZE (512) must not be more than OTEL_BSP_MAX_QUEUE_SIZE (100)',
    ],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/?SECRET' }, 'OTEL_EXPORTER_OTLP_ENDPOINT must end with its path'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/#' }, 'OTEL_EXPORTER_OTLP_ENDPOINT must end with its path'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:0' }, 'OTEL_EXPORTER_OTLP_ENDPOINT has the port 0'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://me:SECRET@c' }, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must not hold'],
  ] as [Record<string, string>, string][])('refuses %j even without a receiver', async (env, message) => {
    const error = await startTracing(readConfig(env)).catch(String);

    expect(error).toContain(message);
    expect(error).not.toContain('SECRET');
  });

  it.each(['http://c\nSECRET:4318', 'http://c SECRET', 'http://SECRET:99999', '\n'])(
    'refuses the address %j',
    (address) => {
      const read = () => readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: address });

      expect(read).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT: (must be a URL without blanks|Invalid URL)/);
      expect(read).not.toThrow(/SECRET/);
    },
  );

  it.each([
    [{ OTEL_RESOURCE_ATTRIBUTES: 'a=b,SECRET' }, /OTEL_RESOURCE_ATTRIBUTES: entry 2 is not like key=value/],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=%SECRET' }, /OTEL_EXPORTER_OTLP_HEADERS: entry 1 is not like key=value/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://SECRET:4317' }, /OTEL_EXPORTER_OTLP_ENDPOINT must begin with http/],
  ])('refuses %o, without repeating it', async (env, message) => {
    const error = await startTracing(
      readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', ...env }),
    ).catch(String);

    expect(error).toMatch(message);
    expect(error).not.toContain('SECRET');
  });
});

describe('key=value pairs', () => {
  it('are read with their blanks and escapes, and may be empty', () => {
    expect(keyValuePairs('X', ' a = 1 ,,b=x%3Dy=z,c=')).toEqual({ a: '1', b: 'x=y=z', c: '' });
    expect(keyValuePairs('X')).toEqual({});
  });
});

describe('lost spans', () => {
  const told = (spans: number, reason: string): [string] => [
    `${spans} spans could not be sent to collector:4318: ${reason}. Requests are served all the same.`,
  ];
  const full = 'more came than could be sent, and the queue was full';
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are told at once, then once a minute with all that came together, also if no more are lost', () => {
    const warn = vi.fn();
    const lost = new LostSpans({ warn }, 'collector:4318');

    lost.add(5, 'ECONNREFUSED');
    lost.add(2, 'ECONNREFUSED');
    lost.diagnostics.warn('Dropped 10 spans because maxQueueSize reached');
    expect(warn.mock.calls).toEqual([told(5, 'ECONNREFUSED')]);
    vi.advanceTimersByTime(60_000);
    expect(warn.mock.calls.slice(1)).toEqual([told(12, full)]);
    vi.advanceTimersByTime(120_000);
    lost.add(1, '503 Service Unavailable');

    expect(warn.mock.calls.slice(2)).toEqual([told(1, '503 Service Unavailable')]);
  });

  it('are told at the end, if they have not been', () => {
    const warn = vi.fn();
    const lost = new LostSpans({ warn }, 'collector:4318');

    lost.add(5, 'ECONNREFUSED');
    lost.add(2, 'ETIMEDOUT');
    lost.end();
    lost.end();

    expect(warn.mock.calls).toEqual([told(5, 'ECONNREFUSED'), told(2, 'ETIMEDOUT')]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
