import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RULES_FILE, hasPromtool, promtool, promtoolOn } from './promtool.js';
import { healthyReplicas } from './replica-series.js';
import { alerts, rulesText } from './rules-file.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const testFiles = readdirSync(here).filter((file) => file.endsWith('.test.yaml'));
/** promtool evaluates every rule at every step of hours. */
const SLOW_MS = 120_000;

describe('alerts', () => {
  it.each(alerts.map((rule) => [rule.alert, rule] as const))('%s says who gets up, and what to read', (name, rule) => {
    expect(rule.labels?.['severity']).toMatch(/^(page|ticket)$/);
    expect(rule.annotations).toEqual({
      summary: expect.stringContaining('{{ $labels.'),
      description: expect.stringContaining('{{ $labels.'),
      runbook_url: `docs/runbook.md#${name.toLowerCase()}`,
    });
  });

  it('are each seen to fire in a test', () => {
    const tests = testFiles.map((file) => readFileSync(here + file, 'utf8')).join('\n');
    const untested = alerts.filter(({ alert }) => !tests.includes(`{alertname="${alert}",alertstate="firing"`));

    expect(untested.map(({ alert }) => alert)).toEqual([]);
  });

  it('look at no fixed job, namespace, pod or instance', () => {
    expect(rulesText).not.toMatch(/\b(job|namespace|pod|instance|container)\s*(=|=~|!=|!~)\s*"/);
  });
});

describe.skipIf(!hasPromtool())('promtool', () => {
  it('accepts the rules', () => {
    expect(promtool('check', 'rules', RULES_FILE)).toBe('');
  });

  it.each(testFiles)('finds that %s holds', { timeout: SLOW_MS }, (file) => {
    expect(promtool('test', 'rules', here + file)).toBe('');
  });

  it.each([0, 1, 3, 50])(
    'sees no alert, pending ones included, at %i healthy replicas',
    { timeout: SLOW_MS },
    (count) => {
      const quiet = { expr: 'ALERTS', exp_samples: [] };
      const complaints = promtoolOn('test', {
        rule_files: [RULES_FILE],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: healthyReplicas(count),
            promql_expr_test: ['2m', '10m', '50m'].map((eval_time) => ({ ...quiet, eval_time })),
          },
        ],
      });

      expect(complaints).toBe('');
    },
  );
});
