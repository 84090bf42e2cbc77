import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { RedisMetrics } from './redis-metrics.js';

function setup() {
  const registry = new Registry();
  const metrics = new RedisMetrics(registry);
  const counts = async () =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith('mcp_server_redis_command_duration_seconds_count'));
  return { metrics, registry, counts };
}

it('commands are measured by name and outcome', async () => {
  const { metrics, counts } = setup();
  metrics.redisCommand('rookeryBeat')();
  metrics.redisCommand('rookeryBeat')(new Error('READONLY'));
  metrics.redisCommand('rookeryBeat')();

  expect(await counts()).toEqual([
    'mcp_server_redis_command_duration_seconds_count{command="rookeryBeat",outcome="ok"} 2',
    'mcp_server_redis_command_duration_seconds_count{command="rookeryBeat",outcome="error"} 1',
  ]);
});

it('names of commands are bounded, should anybody make some up', async () => {
  const { metrics, counts } = setup();
  for (let n = 0; n < 150; n += 1) metrics.redisCommand(`command${n}`)();

  const lines = await counts();

  expect(lines).toHaveLength(202);
  expect(lines).toContain('mcp_server_redis_command_duration_seconds_count{command="_other",outcome="ok"} 50');
});

it('wake-ups are measured in seconds', async () => {
  const { metrics, registry } = setup();
  metrics.wakeUp(20);

  expect(await registry.metrics()).toContain('mcp_server_wakeup_latency_seconds_sum 0.02\n');
});
