import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { hasPromtool, promtoolOn } from '../monitoring/promtool.js';
import { CHART, type Manifest, ofKind, only, render } from './support/chart.js';
import { cannotRender } from './support/renderer.js';
import { INSTALLATIONS, installation } from './support/values-files.js';
import type { Json } from './support/json.js';

const OPEN = { config: { AUTH_MODE: 'none' } };
const RUNBOOK = 'https://runbooks.example.com/rookery';
const RULES = readFileSync(join(CHART, 'files/rules.yaml'), 'utf8');
const NONE_AVAILABLE = 'kube_deployment_status_replicas_available{namespace="tools",deployment="mcp-rookery"}';
const WANTED = 'kube_deployment_spec_replicas{namespace="tools",deployment="mcp-rookery"}';

async function ruled(prometheusRule: Record<string, unknown>): Promise<readonly Manifest[]> {
  const values = { ...OPEN, metrics: { prometheusRule: { runbookUrl: RUNBOOK, ...prometheusRule } } };
  return ofKind((await render(installation({ values }))).objects, 'PrometheusRule');
}

const alertsOf = (objects: readonly Manifest[]): Json[] =>
  objects.flatMap((object) => object['spec'].groups.flatMap(({ rules }: Json) => rules)).filter(({ alert }) => alert);

describe.skipIf(cannotRender())('the PrometheusRule', () => {
  it('is files/rules.yaml but for severities and addresses of the runbook', async () => {
    const expected: Json = parse(RULES);
    for (const { labels, annotations, alert } of expected.groups.flatMap(({ rules }: Json) => rules)) {
      if (!alert) continue;
      labels.severity = { page: 'critical', ticket: 'warning' }[labels.severity as string];
      annotations.runbook_url = `${RUNBOOK}#${alert.toLowerCase()}`;
    }
    expect(only(await ruled({ enabled: true }), 'PrometheusRule', 'mcp-rookery')['spec']).toEqual(expected);
  });

  it('takes severities as they are called where alerts are routed', async () => {
    const rules = await ruled({
      enabled: true,
      severities: { page: 'P1', ticket: 'P3' },
      alertSeverities: { RookeryToolLatencyCritical: 'ticket', RookeryDown: 'P0' },
    });
    const severities = Object.fromEntries(alertsOf(rules).map(({ alert, labels }) => [alert, labels.severity]));
    expect(severities).toMatchObject({
      RookeryNoneReady: 'P1',
      RookeryNotReady: 'P3',
      RookeryNoReplicas: 'P1',
      RookeryToolLatencyCritical: 'P3',
      RookeryDown: 'P0',
    });
  });

  it('labels all alerts, and leaves out those that are not wanted', async () => {
    const all = alertsOf(await ruled({ enabled: true }));
    const rules = await ruled({
      enabled: true,
      alertLabels: { team: 'tools' },
      disabledAlerts: ['RookeryDown', 'RookeryNoReplicas'],
    });
    const alerts = alertsOf(rules);
    expect(alerts.map(({ alert }) => alert)).toEqual(
      all.map(({ alert }) => alert).filter((alert) => !['RookeryDown', 'RookeryNoReplicas'].includes(alert)),
    );
    expect(alerts.filter(({ labels }) => labels.team !== 'tools')).toEqual([]);
    expect(rules.map(({ metadata }) => metadata.name)).toEqual(['mcp-rookery']);
  });

  it.each([
    [{ enabled: true }, ['mcp-rookery', 'mcp-rookery-replicas']],
    [{ enabled: true, noReplicas: false }, ['mcp-rookery']],
    [{ enabled: false, noReplicas: true }, ['mcp-rookery-replicas']],
    [{ enabled: false }, []],
  ])('has the alert of its own release apart from those of all: %j', async (values, names) => {
    expect((await ruled(values)).map(({ metadata }) => metadata.name)).toEqual(names);
  });

  it.skipIf(!hasPromtool())('is one that Prometheus takes', async () => {
    const groups = (await ruled({ enabled: true })).flatMap((object) => object['spec'].groups);
    expect(promtoolOn('check', { groups })).toBe('');
  });
});

describe.skipIf(cannotRender() || !hasPromtool())('RookeryNoReplicas', () => {
  const name = 'RookeryNoReplicas';
  const alert = {
    exp_labels: { severity: 'critical', namespace: 'tools', deployment: 'mcp-rookery' },
    exp_annotations: {
      summary: 'Deployment mcp-rookery has no replica that is available',
      description:
        'No pod of mcp-rookery in tools is available: they cannot be scheduled, do not start, or are not ready. Every call fails.',
      runbook_url: `${RUNBOOK}#rookerynoreplicas`,
    },
  };
  /** What promtool says of the alert, minutes into these series. */
  const problems = async (series: readonly [available: string, wanted: string], at: string, expected: object[]) => {
    const { groups } = only(await ruled({ noReplicas: true }), 'PrometheusRule')['spec'];
    const [available, wanted] = series;
    const input_series = [
      { series: NONE_AVAILABLE, values: available },
      { series: WANTED, values: wanted },
    ];
    const alert_rule_test = [{ eval_time: at, alertname: name, exp_alerts: expected }];
    const dir = mkdtempSync(join(tmpdir(), 'rookery-rules-'));
    try {
      const file = join(dir, 'rules.yaml');
      writeFileSync(file, stringify({ groups }));
      return promtoolOn('test', { rule_files: [file], tests: [{ interval: '1m', input_series, alert_rule_test }] });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  };

  it('fires after two minutes without any', async () => {
    expect(await problems(['3 0x10', '3x11'], '2m', [])).toBe('');
    expect(await problems(['3 0x10', '3x11'], '3m', [alert])).toBe('');
  });

  it('goes on for as long as there is none, and ends with the first', async () => {
    expect(await problems(['0x240 1x10', '3x251'], '240m', [alert])).toBe('');
    expect(await problems(['0x240 1x10', '3x251'], '242m', [])).toBe('');
  });

  it('does not mind that there shall be none', async () => {
    expect(await problems(['0x10', '0x10'], '10m', [])).toBe('');
  });
});

describe.skipIf(cannotRender())('the dashboard', () => {
  it('is passed on as it is, under a name that no other release has', async () => {
    const { objects } = await render(installation(INSTALLATIONS['production'] ?? {}));
    const { data } = only(objects, 'ConfigMap', 'dashboard');
    expect(Object.keys(data)).toEqual(['tools-mcp-rookery.json']);
    expect(JSON.parse(data['tools-mcp-rookery.json'])).toEqual(
      JSON.parse(readFileSync(join(CHART, 'files/dashboard.json'), 'utf8')),
    );
  });
});

describe.skipIf(cannotRender())('the notes', () => {
  const notesOf = async (values: Record<string, unknown>) =>
    (await render(installation({ values: { ...OPEN, ...values } }))).notes;

  it('warn of labels without which Prometheus finds nothing', async () => {
    const metrics = { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true, runbookUrl: RUNBOOK } };
    expect(await notesOf({ metrics })).toContain(
      'WARNING: metrics.serviceMonitor.labels and metrics.prometheusRule.labels are empty.',
    );
    const labels = { release: 'prometheus' };
    expect(await notesOf({ metrics: { serviceMonitor: { enabled: true, labels } } })).not.toContain('labels');
  });

  it('say that rules and dashboard are for one release of all', async () => {
    const metrics = { prometheusRule: { enabled: true, runbookUrl: RUNBOOK } };
    expect(await notesOf({ metrics })).toContain('Let one release alone have metrics.prometheusRule.enabled');
    expect(await notesOf({})).not.toContain('Let one release alone');
  });

  it('say where prometheus-adapter cannot mount its rules', async () => {
    const text = 'set prometheusAdapter.namespace';
    expect(await notesOf({ prometheusAdapter: { enabled: true } })).toContain(text);
    expect(await notesOf({ prometheusAdapter: { enabled: true, namespace: 'monitoring' } })).not.toContain(text);
  });
});
