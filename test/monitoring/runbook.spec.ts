import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { alerts, recorded, rulesText } from './rules-file.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(root + file, 'utf8');
const runbook = read('docs/runbook.md');
const dashboard = read('helm/rookery/files/dashboard.json');
const documents = [
  ['rules.yaml', rulesText],
  ['dashboard.json', dashboard],
  ['runbook.md', runbook],
] as const;

/**
 * What the runbook has to have a section for, in this order: the rules, and what the chart makes itself for each release,
 * as it takes kube-state-metrics and the names of the Deployment.
 */
const known = alerts.flatMap(({ alert, labels }) => [
  [alert, labels?.['severity']],
  ...(alert === 'RookeryDown' ? [['RookeryNoReplicas', 'page']] : []),
]);

/** Recorded by teams, where they want to. */
const RECORDED_BY_TEAMS = ['rookery:tool_p95_limit:seconds'];
const CATALOGUE = 'docs/metrics.md';

/** Names of our metrics in a text, without what a histogram appends. */
function metricsIn(text: string): Set<string> {
  const names = text.match(/\b(?:mcp_server|http_server|rookery|nodejs|process)_[a-z0-9_]*[a-z0-9]\b/g) ?? [];
  return new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
}

/** What the runbook tells to search for in the log: `"..."`. */
const logTexts = [...runbook.matchAll(/`"([^`]+)"`/g)].map(([, text = '']) => text);

describe('the runbook', () => {
  it('has one section for each alert, in their order', () => {
    const sections = [...runbook.matchAll(/^## (Rookery[A-Z]\w*)$/gm)].map(([, name]) => name);

    expect(sections).toEqual(known.map(([alert]) => alert));
  });

  it('names the severity that the alert has', () => {
    const severities = [...runbook.matchAll(/^## (Rookery[A-Z]\w*)\n\n\*(\w+)\.\*/gm)].map(([, name, severity]) => [
      name,
      severity,
    ]);

    expect(severities).toEqual(known);
  });

  it('names no alert that does not exist', () => {
    const names = new Set(known.map(([alert]) => alert));

    expect((runbook.match(/\bRookery[A-Z]\w*/g) ?? []).filter((name) => !names.has(name))).toEqual([]);
  });

  it('quotes texts that the code logs', () => {
    const code = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
      .map((file) => read(`src/${file}`))
      .join('\n');

    expect(logTexts.length).toBeGreaterThan(25);
    expect(logTexts.filter((text) => !code.includes(text))).toEqual([]);
  });

  it('names only variables that the configuration has', () => {
    const configuration = read('docs/configuration.md');
    const variables = new Set(runbook.match(/\b(?:MCP|AUTH|AUDIT|LIMIT|REDIS|MANAGEMENT|METRICS)_[A-Z_]+\b/g));

    expect([...variables].filter((name) => !configuration.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('metrics', () => {
  it.skipIf(!existsSync(root + CATALOGUE)).each(documents)('%s reads only those of docs/metrics.md', (_, text) => {
    const catalogue = metricsIn(read(CATALOGUE));

    expect([...metricsIn(text)].filter((name) => !catalogue.has(name))).toEqual([]);
  });

  it.each(documents)('%s reads only what the rules record', (_, text) => {
    const names = new Set(text.match(/\brookery:[a-z0-9_:]*[a-z0-9]\b/g));

    expect([...names].filter((name) => !recorded.has(name) && !RECORDED_BY_TEAMS.includes(name))).toEqual([]);
  });
});
