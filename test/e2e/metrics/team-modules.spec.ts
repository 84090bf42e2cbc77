import type { DynamicModule } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { Counter, Registry, register } from 'prom-client';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { McpMetricsModule, McpModule } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { Scrape } from './scrape.js';

// A process that nobody has collected anything in yet.
beforeEach(() => register.clear());
afterEach(() => register.clear());

async function boot(...modules: DynamicModule[]): Promise<McpTestApp> {
  const app = await createMcpTestApp([McpModule.forRoot(), ...modules], { logger: false });
  onTestFinished(() => app.close());
  return app;
}

function expectEverythingOnce(scrape: Scrape): void {
  expect(scrape.response.status).toBe(200);
  for (const name of ['rookery_build_info', 'process_resident_memory_bytes', 'process_cpu_user_seconds_total']) {
    expect(scrape.series.filter((series) => series.name === name)).toHaveLength(1);
  }
  expect(new Set(scrape.identities).size).toBe(scrape.identities.length);
}

it('metrics go onto the page that an application has already, if they are served nowhere else', async () => {
  const app = await boot(McpMetricsModule.forRoot({ path: false }), PrometheusModule.register());

  expectEverythingOnce(await Scrape.of(app.url));
  await app.close();

  expect(register.getSingleMetric('rookery_build_info')).toBeUndefined();
});

it('both pages of an application can be served, whichever module comes first', async () => {
  const team = (): DynamicModule => PrometheusModule.register({ path: '/team' });
  const first = await boot(McpMetricsModule.forRoot(), team());
  expectEverythingOnce(await Scrape.of(first.url));
  expect((await Scrape.of(first.url, '/team')).value('process_resident_memory_bytes')).toBeGreaterThan(0);
  register.clear();

  const second = await boot(team(), McpMetricsModule.forRoot());

  expectEverythingOnce(await Scrape.of(second.url));
  expect((await Scrape.of(second.url, '/team')).value('rookery_build_info')).toBeUndefined();
});

it('metrics of a team in the registry that the module is given are served with ours', async () => {
  const registry = new Registry();
  registry.setDefaultLabels({ region: 'eu' });
  new Counter({ name: 'team_total', help: 'Theirs.', registers: [registry] }).inc(3);
  const app = await boot(McpMetricsModule.forRoot({ registry }));

  const scrape = await Scrape.of(app.url);

  expectEverythingOnce(scrape);
  expect(scrape.value('team_total', { region: 'eu' })).toBe(3);
  expect(scrape.value('rookery_build_info', { region: 'eu' })).toBe(1);
});

it('two applications cannot have one registry, and are told what to do', async () => {
  await boot(McpMetricsModule.forRoot({ path: false }));

  await expect(boot(McpMetricsModule.forRoot({ path: false }))).rejects.toThrow(
    'give each application a registry of its own',
  );
});
