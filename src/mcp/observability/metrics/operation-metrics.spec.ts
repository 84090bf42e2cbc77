import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { ObservedCapability, ObservedOperation, OperationEnd } from '../server-observer.port.js';
import { OperationMetrics } from './operation-metrics.js';

const DONE: OperationEnd = { decision: 'allow', rule: 'public', durationMs: 3 };
const CALL: ObservedOperation = { method: 'tools/call', era: 'stateless' };

function setup() {
  const registry = new Registry();
  const metrics = new OperationMetrics(registry);
  const tool = (key: string): ObservedCapability => ({ kind: 'tool', key });
  return {
    metrics,
    call: (key: string, end: Partial<OperationEnd> = {}) =>
      metrics.operation(CALL).ended({ ...DONE, capability: tool(key), ...end }),
    counts: async () => (await registry.metrics()).split('\n').filter((line) => /_seconds_count/.test(line)),
    lines: async (pattern: RegExp) => (await registry.metrics()).split('\n').filter((line) => pattern.test(line)),
  };
}

it('names of tools that come and go are bounded; what is beyond is counted together', async () => {
  const { call, counts } = setup();
  for (let n = 0; n < 1_010; n += 1) call(`tool${n}`);
  call('tool0');

  const lines = await counts();

  expect(lines).toHaveLength(1_001);
  expect(lines.find((line) => line.includes('"_other"'))).toMatch(/ 10$/);
  expect(lines.find((line) => line.includes('"tool0"'))).toMatch(/ 2$/);
});

it('a tool that is registered again goes on with its series', async () => {
  const { call, counts } = setup();
  call('greet');
  call('greet');

  expect(await counts()).toEqual([
    'mcp_server_operation_duration_seconds_count{mcp_method_name="tools/call",era="stateless",' +
      'gen_ai_tool_name="greet",gen_ai_prompt_name="",mcp_resource_uri="",error_type=""} 2',
  ]);
});

it('a duration falls into the bucket that it is not above', async () => {
  const { call, lines } = setup();
  call('greet', { durationMs: 2.5 });
  call('greet', { durationMs: 400_000 });

  const below = async (bound: string) => (await lines(new RegExp(`le="${bound}"`)))[0]?.split(' ').at(-1);

  expect([await below('0.001'), await below('0.0025'), await below('300'), await below('\\+Inf')]).toEqual([
    '0',
    '1',
    '1',
    '2',
  ]);
  expect((await lines(/_sum/))[0]).toMatch(/ 400\.0025$/);
});

it.each([
  [{ decision: 'deny', rule: 'scopes:shop:admin' }, 'scope'],
  [{ decision: 'deny', rule: 'roles:admin|owner' }, 'role'],
  [{ decision: 'deny', rule: 'policy:Tenancy' }, 'policy'],
  [{ decision: 'deny', rule: 'authentication' }, 'authentication'],
  [{ decision: 'deny', rule: 'unknown' }, 'unknown'],
  [{ decision: 'deny', rule: 'session_not_found' }, 'session'],
  [{ decision: 'deny', rule: 'undeclared' }, 'undeclared'],
  [{ decision: 'deny', rule: 'forbidden' }, 'forbidden'],
  [{ decision: 'deny', rule: 'constructor' }, 'forbidden'],
  [{ decision: 'allow', rule: 'scopes:a' }, 'forbidden'],
] as const)('of %o the reason is %s', async (end, reason) => {
  const { call, lines } = setup();
  call('greet', { ...end, failure: 'denied' });

  expect(await lines(/denials_total\{.* 1$/)).toEqual([`mcp_server_denials_total{reason="${reason}"} 1`]);
});

it.each([
  ['rate:tenant', 'limit="rate",scope="tenant"'],
  ['concurrency:prompt', 'limit="concurrency",scope="prompt"'],
  ['audit', 'limit="audit",scope="none"'],
  ['rate:made-up', 'limit="rate",scope="none"'],
])('of the limit %s the labels are %s', async (rule, labels) => {
  const { call, lines } = setup();
  call('greet', { decision: 'limit', rule, failure: 'limited' });

  expect(await lines(/limited_total\{.* 1$/)).toEqual([`mcp_server_limited_total{${labels}} 1`]);
});

it('verbs of requests that were refused before they were read are not methods', async () => {
  const { metrics, counts } = setup();
  metrics.operation({ method: 'DELETE' }).ended(DONE);
  metrics.operation({ method: 'DELETE', era: 'session' }).ended(DONE);

  expect((await counts()).map((line) => /mcp_method_name="([^"]*)",era="(\w+)"/.exec(line)?.slice(1))).toEqual([
    ['_other', 'none'],
    ['DELETE', 'session'],
  ]);
});
