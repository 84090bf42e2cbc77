import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { describe, expect, inject, it } from 'vitest';
import { Concurrency, McpMetricsModule, McpModule, McpTool } from '../../src/index.js';
import { createMcpTestApp } from '../../src/testing.js';
import { Scrape } from '../e2e/metrics/scrape.js';

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

/** What the catalogue says, name by name: type and labels. */
const documented = new Map(
  [...page.matchAll(/^\| `(\w+)` \| (histogram|gauge|counter) \| ([^|]*)\|/gm)].map(
    ([, name = '', type, labels = '']) => [
      name,
      { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).sort() },
    ],
  ),
);

/** Of these the page names some, and prom-client decides. */
const OF_THE_PROCESS = /^(?:process_|nodejs_(?!eventloop_utilization))/;

@Injectable()
class Shop {
  @McpTool()
  @Concurrency(1)
  greet(): string {
    return 'hello';
  }
}

const url = inject('redisUrl') ?? '';

/** A run in which everything is on. */
async function scrapeOfEverything(): Promise<Scrape> {
  class ShopModule {}
  const options = {
    redis: { url, keyPrefix: `test:metrics-page:${randomUUID()}:` },
    audit: { to: [{ name: 'nowhere', write: async () => undefined }], onFailure: 'continue' as const },
  };
  const modules = [McpModule.forRoot(options), McpMetricsModule.forRoot(), { module: ShopModule, providers: [Shop] }];
  await using app = await createMcpTestApp(modules, { logger: false });
  await app.client({ era: 'session' }).call('greet');
  return Scrape.of(app.url);
}

describe.skipIf(url === '')('the catalogue of metrics', () => {
  it('says of every metric its type and labels, and names none that is not there', async () => {
    const { families } = await scrapeOfEverything();
    const exported = [...families].filter(([name]) => !OF_THE_PROCESS.test(name));

    const found = Object.fromEntries(
      exported.map(([name, { type, labels }]) => [name, { type, labels: [...labels].sort() }]),
    );

    expect(found).toEqual(Object.fromEntries(documented));
  });

  it('names metrics of the process that there are', async () => {
    const { families } = await scrapeOfEverything();
    const named = [...page.matchAll(/`((?:process|nodejs)_\w+)`/g)].map(([, name = '']) => name);

    expect(named.filter((name) => !families.has(name))).toEqual([]);
  });

  it('and the texts for Prometheus say as much as a sentence', async () => {
    const { families } = await scrapeOfEverything();
    const ours = [...families].filter(([name]) => documented.has(name));

    for (const [name, { help }] of ours) expect(help, name).toMatch(/^\S+( \S+){3,}\.$|^Always 1;.*\.$/);
    const timed = ours.filter(([name]) => name.endsWith('_seconds'));
    for (const [name, { help }] of timed) expect(help, name).toContain('in seconds');
  });
});

it('queries of the catalogue ask for metrics that it names', () => {
  const asked = [...page.matchAll(/\b((?:mcp_server|http_server|rookery)_\w+)/g)].map(([, name = '']) => name);
  const known = (name: string) => documented.has(name) || documented.has(name.replace(/_(bucket|count|sum)$/, ''));

  expect(asked.filter((name) => !known(name))).toEqual([]);
});
