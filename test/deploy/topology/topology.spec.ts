import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CompiledServer } from '../../support/compiled-server.js';
import { statelessRequest } from '../../support/wire.js';
import { FOR_DIVISOR } from './committed-files.js';
import { panelQueries } from './dashboard.js';
import { cannotRunTopology } from './neighbours.js';
import { type AlertState, PrometheusApi } from './prometheus-api.js';
import { Topology } from './topology.js';
import { Traffic } from './traffic.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const SOON = { interval: 200 };
/** How long traffic comes before anything is looked at: some scrapes and evaluations. */
const TRAFFIC_MS = 6_000;

/** What has no value in this topology: there is no kube-state-metrics. */
const NEVER_RECORDED = ['rookery:memory_limit:bytes'];
/** Rows of the dashboard that must show something under traffic; of Limits and Audit there is nothing to show. */
const ROWS_WITH_DATA = ['Overview', 'Tools', 'Sessions and streams', 'Event log', 'Redis', 'Saturation'];
/** Panels of these rows that are empty as long as all is well, or without capabilities that are limited. */
const EMPTY_PANELS = ['Gaps', 'Failed commands', 'Bulkheads', 'Refused with 503'];
/** How many requests are sent while a replica stands still, and after which time a client gives one up. */
const PROBES = 24;
const PATIENCE_MS = 2_000;

describe.skipIf(cannotRunTopology())('the topology of docker/compose.yaml', () => {
  let compiled: CompiledServer;
  let topology: Topology;
  let prometheus: PrometheusApi;
  let traffic: Traffic | undefined;
  beforeAll(async () => {
    compiled = new CompiledServer([]);
    topology = await Topology.start({ root: ROOT, script: compiled.script('src/main.ts') });
    prometheus = new PrometheusApi(topology.prometheusUrl);
  }, 90_000);
  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await topology?.[Symbol.asyncDispose]();
    compiled?.[Symbol.dispose]();
  });

  const firing = async (): Promise<AlertState[]> =>
    (await prometheus.alerts()).filter(({ state, labels }) => state === 'firing' && labels['job'] === 'rookery');

  it('runs the committed files, but for what this list says', async ({ annotate }) => {
    await annotate(topology.substitutions.join('\n'));
    expect(topology.substitutions).toHaveLength(13);
    expect(topology.replicas).toHaveLength(3);
  });

  it('is scraped: every replica is up', async () => {
    const up = topology.replicas.map(({ management }) => [management, 'rookery', 'up']);

    await expect
      .poll(async () => {
        const targets = await prometheus.targets();
        return targets.map(({ labels, health }) => [labels['instance'], labels['job'], health]);
      }, SOON)
      .toEqual(expect.arrayContaining(up));
  });

  it('serves clients of both eras through nginx, without a failure', async ({ annotate }) => {
    const addresses = topology.replicas.map(({ address }) => address);
    traffic = await Traffic.start(topology.url, addresses);
    await delay(TRAFFIC_MS);

    expect(traffic.failures).toEqual([]);
    expect(traffic.done).toBeGreaterThan(100);
    await annotate(`${traffic.done} pieces of work in ${TRAFFIC_MS} ms`);
  });

  it('evaluates every rule', async () => {
    const { groups } = parse(readFileSync(`${ROOT}/helm/rookery/files/rules.yaml`, 'utf8')) as {
      groups: readonly { rules: readonly unknown[] }[];
    };

    await expect.poll(async () => (await prometheus.rules()).every(({ health }) => health === 'ok'), SOON).toBe(true);
    expect(await prometheus.rules()).toHaveLength(groups.flatMap(({ rules }) => rules).length);
  });

  it('raises no alert while all is well', async () => {
    expect((await firing()).map(({ labels }) => labels['alertname'])).toEqual([]);
  });

  it('fills the dashboard: each query works, and what traffic makes is there', async ({ annotate }) => {
    const queries = panelQueries(`${ROOT}/helm/rookery/files/dashboard.json`);

    const empty = await Promise.all(
      queries.map(async ({ expr, ...where }) => ((await prometheus.query(expr)).length > 0 ? [] : [where])),
    );

    const missing = empty
      .flat()
      .filter(({ row, panel }) => ROWS_WITH_DATA.includes(row) && !EMPTY_PANELS.includes(panel));
    expect(missing).toEqual([]);
    await annotate(
      `${queries.length} queries; empty: ${empty
        .flat()
        .map(({ panel }) => panel)
        .join(', ')}`,
    );
  });

  describe('with a replica that stands still', () => {
    let goOn: (() => void) | undefined;
    afterAll(() => goOn?.());

    it('raises the alert on it, and no other', async ({ annotate }) => {
      await traffic?.stop();
      const [replica] = topology.replicas;
      const seen: string[] = [];
      goOn = replica?.process.stall();
      const began = Date.now();

      await expect
        .poll(async () => {
          const states = (await prometheus.alerts()).map(({ labels, state }) => `${labels['alertname']} ${state}`);
          seen.push(...states.filter((state) => !seen.includes(state)));
          return seen;
        }, SOON)
        .toContain('RookeryReplicaDown firing');

      await annotate(`firing ${Date.now() - began} ms after the stall, with for: 1m divided by ${FOR_DIVISOR}`);
      expect(seen.slice(0, 2)).toEqual(['RookeryReplicaDown pending', 'RookeryReplicaDown firing']);
      expect(await firing()).toMatchObject([
        {
          labels: {
            alertname: 'RookeryReplicaDown',
            instance: replica?.management,
            job: 'rookery',
            severity: 'ticket',
          },
          annotations: { runbook_url: expect.stringMatching(/docs\/runbook\.md#rookeryreplicadown$/) },
        },
      ]);
    });

    it('answers what nginx sends elsewhere; what is with that replica waits until it goes on', async ({ annotate }) => {
      const ask = async (): Promise<number> => (await statelessRequest(topology.url, 'tools/list')).status;
      const sent = Array.from({ length: PROBES }, () => {
        const answer = ask();
        return { answer, soon: Promise.race([answer, delay(PATIENCE_MS, 'waits' as const)]) };
      });
      const soon = await Promise.all(sent.map((each) => each.soon));
      goOn?.();
      const inTheEnd = await Promise.all(sent.map((each) => each.answer));

      const waiting = soon.filter((each) => each === 'waits').length;
      expect(soon.filter((each) => each !== 'waits' && each !== 200)).toEqual([]);
      expect(waiting).toBeGreaterThan(0);
      expect(waiting).toBeLessThan(PROBES);
      // It finds that its event loop was late, and refuses what has waited. nginx may meet it three times in a row.
      expect(inTheEnd.filter((status) => status !== 200 && status !== 503)).toEqual([]);
      await expect.poll(ask, SOON).toBe(200);
      const refused = inTheEnd.filter((status) => status === 503).length;
      await annotate(`${waiting} of ${PROBES} requests waited, ${refused} were refused with 503 in the end`);
    });

    it('clears the alert when it goes on', async () => {
      await expect
        .poll(async () => (await prometheus.alerts()).map(({ labels }) => labels['alertname']), SOON)
        .not.toContain('RookeryReplicaDown');
      expect((await prometheus.targets()).map(({ health }) => health)).toEqual(['up', 'up', 'up']);
    });
  });

  it('has recorded every series that the rules promise', async () => {
    const recording = (await prometheus.rules()).filter(({ type }) => type === 'recording').map(({ name }) => name);

    await expect
      .poll(async () => {
        const recorded = await Promise.all(
          [...new Set(recording)].map(async (name) => ((await prometheus.query(name)).length > 0 ? [] : [name])),
        );
        return recorded.flat();
      }, SOON)
      .toEqual(NEVER_RECORDED);
  });
});
