import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RULES_FILE, hasPromtool, promtoolOn } from './promtool.js';
import { healthyReplicas } from './replica-series.js';

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly datasource: { readonly uid: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly options?: { readonly yAxis?: { readonly unit?: string } };
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

const text = readFileSync(new URL('../../helm/rookery/files/dashboard.json', import.meta.url), 'utf8');
const dashboard = JSON.parse(text) as Dashboard;
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const targets = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));

/** As Grafana fills it in, with All chosen everywhere. */
const filledIn = (expr: string): string =>
  expr
    .replaceAll('$__rate_interval', '4m')
    .replaceAll('"$tool"', '".+"')
    .replaceAll(/"\$(job|namespace|instance|pod)"/g, '".*"');

describe('the dashboard', () => {
  it('gives each panel an id of its own', () => {
    const ids = dashboard.panels.map(({ id }) => id);

    expect(new Set(ids).size).toBe(ids.length);
  });

  it('puts no panel over another or over the edge', () => {
    const taken = new Map<string, string>();
    const collisions: string[] = [];
    for (const { title, gridPos } of dashboard.panels) {
      if (gridPos.x + gridPos.w > 24) collisions.push(`${title} and the edge`);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          const other = taken.get(`${x},${y}`);
          if (other !== undefined) collisions.push(`${title} and ${other}`);
          taken.set(`${x},${y}`, title);
        }
      }
    }

    expect(collisions).toEqual([]);
  });

  it('lets the data source be chosen everywhere', () => {
    const sources = [...panels, ...targets].map(({ datasource }) => datasource?.uid);

    expect(new Set(sources)).toEqual(new Set(['${datasource}']));
  });

  it.each(panels.map((panel) => [panel.title, panel] as const))('says what "%s" is, and in what unit', (_, panel) => {
    expect(panel.description).toMatch(/\.$/);
    expect(panel.fieldConfig?.defaults.unit ?? panel.options?.yAxis?.unit).toBeTypeOf('string');
    expect(panel.targets?.length).toBeGreaterThan(0);
  });

  it('uses no variable that it does not have, and each that it has', () => {
    const own = new Set([...text.matchAll(/\$\{?([a-z]+)\b/g)].map(([, name]) => name));

    expect([...own].sort()).toEqual(dashboard.templating.list.map(({ name }) => name).sort());
  });
});

describe.skipIf(!hasPromtool())('the queries of the dashboard', () => {
  it('all parse', () => {
    const rules = targets.map(({ expr }, index) => ({ record: `panel:${index}`, expr: filledIn(expr) }));

    expect(promtoolOn('check', { groups: [{ name: 'panels', rules }] })).toBe('');
  });

  it.each([
    ['three replicas', 3],
    ['one replica', 1],
  ])('all yield data of %s', { timeout: 120_000 }, (_, replicas) => {
    // What is there when something fails is not there when all is well.
    const empty = /ALERTS/;
    const queries = targets.filter(({ expr }) => !empty.test(expr) || expr.includes('or vector(0)'));
    const complaints = promtoolOn('test', {
      rule_files: [RULES_FILE],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: healthyReplicas(replicas),
          promql_expr_test: queries.map(({ expr }) => ({
            expr: `count((${filledIn(expr)}) >= 0) > bool 0`,
            eval_time: '50m',
            exp_samples: [{ labels: '{}', value: 1 }],
          })),
        },
      ],
    });

    expect(complaints).toBe('');
    expect(queries.length).toBeGreaterThan(60);
  });
});
