import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Rendered, ofKind, only, render, renderAll } from './support/chart.js';
import { goldenText } from './support/golden.js';
import { KubernetesSchema } from './support/kubernetes-schema.js';
import { POLICIES } from './support/policies.js';
import { cannotRender } from './support/renderer.js';
import { INSTALLATIONS, installation } from './support/values-files.js';

const GOLDEN = join(import.meta.dirname, 'golden');
const NAMES = Object.keys(INSTALLATIONS);

describe.skipIf(cannotRender())('the chart', () => {
  const rendered: Record<string, Rendered> = {};
  const of = (name: string): Rendered => rendered[name] as Rendered;
  let schema: KubernetesSchema;
  beforeAll(async () => {
    const all = await renderAll(NAMES.map((name) => installation(INSTALLATIONS[name] ?? {})));
    NAMES.forEach((name, index) => (rendered[name] = all[index] as Rendered));
    schema = await KubernetesSchema.of(all.flatMap(({ objects }) => objects));
  });

  describe.each(NAMES)('with the values %s', (name) => {
    it('renders', () => {
      expect(of(name).error).toBeUndefined();
      expect(ofKind(of(name).objects, 'Deployment')).toHaveLength(1);
    });

    it('makes objects that Kubernetes takes', () => {
      expect(of(name).objects.flatMap((object) => schema.problemsOf(object))).toEqual([]);
    });

    it.each(Object.keys(POLICIES))('keeps the policy: %s', (policy) => {
      expect(POLICIES[policy]?.(of(name))).toEqual([]);
    });

    it.each([
      ['yaml', () => goldenText(of(name).objects)],
      ['notes.txt', () => of(name).notes],
    ] as const)('is as in golden/*.%s (UPDATE_GOLDEN=1 writes them)', (extension, text) => {
      const path = join(GOLDEN, `${name}.${extension}`);
      if (process.env['UPDATE_GOLDEN']) writeFileSync(path, text());
      expect(text()).toBe(readFileSync(path, 'utf8'));
    });
  });

  it('scales production from 3 to 50 replicas, fast up and slowly down', () => {
    expect(only(of('production').objects, 'HorizontalPodAutoscaler')['spec']).toMatchObject({
      minReplicas: 3,
      maxReplicas: 50,
      metrics: expect.arrayContaining([
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 70 } } },
      ]),
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 30,
          selectPolicy: 'Max',
          policies: [
            { type: 'Percent', value: 100, periodSeconds: 60 },
            { type: 'Pods', value: 5, periodSeconds: 60 },
          ],
        },
        scaleDown: {
          stabilizationWindowSeconds: 300,
          policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }],
        },
      },
    });
  });

  it('spreads over zones where it is told to', () => {
    const { topologySpreadConstraints } = only(of('multi-zone').objects, 'Deployment')['spec'].template.spec;
    expect(topologySpreadConstraints).toContainEqual(
      expect.objectContaining({ topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule' }),
    );
  });

  it('keeps health and metrics off the HTTPRoute', () => {
    expect(JSON.stringify(only(of('production').objects, 'HTTPRoute')['spec'])).not.toMatch(/9464|health|metrics/);
  });

  it('tells the URL that callers use', () => {
    expect(of('production').notes).toContain('https://mcp.example.com/mcp');
    expect(of('small').notes).toContain('http://127.0.0.1:3000/mcp');
  });

  it('replaces pods when the configuration changes, and only then', async () => {
    const templateOf = async (set: string[]) => {
      const { objects } = await render(installation({ set: ['config.AUTH_MODE=none', ...set] }));
      return only(objects, 'Deployment')['spec'].template;
    };
    const before = await templateOf([]);
    expect(await templateOf(['config.LOG_LEVEL=debug'])).not.toEqual(before);
    expect(await templateOf(['service.port=8080', 'podDisruptionBudget.enabled=true'])).toEqual(before);
  });

  it('has selectors that no version changes', async () => {
    const selectorOf = async (set: string[]) =>
      only((await render(installation({ set: ['config.AUTH_MODE=none', ...set] }))).objects, 'Deployment')['spec']
        .selector;
    expect(await selectorOf(['image.tag=9.9.9', 'podLabels.team=a', 'commonLabels.team=b'])).toEqual({
      matchLabels: {
        'app.kubernetes.io/name': 'rookery',
        'app.kubernetes.io/instance': 'mcp',
        'app.kubernetes.io/component': 'server',
      },
    });
  });

  it('makes a password of the bundled Redis once, and keeps it over upgrades', async () => {
    const job = installation(INSTALLATIONS['small'] ?? {});
    const first = only((await render(job)).objects, 'Secret', 'redis');
    const again = only((await render({ ...job, upgrade: true, cluster: [first] })).objects, 'Secret', 'redis');
    expect(first['data']['redis-password']).toMatch(/^[A-Za-z0-9+/]{40,}={0,2}$/);
    expect(again['data']).toEqual(first['data']);
  });

  it('waits before SIGTERM in a way that the cluster knows', async () => {
    const hookOf = async (kubeVersion: string) => {
      const { objects } = await render(installation({ kubeVersion, set: ['config.AUTH_MODE=none'] }));
      return Object.keys(only(objects, 'Deployment')['spec'].template.spec.containers[0].lifecycle.preStop);
    };
    expect(await hookOf('v1.29.9')).toEqual(['exec']);
    expect(await hookOf('v1.30.0')).toEqual(['sleep']);
  });

  it('is refused by clusters it was not made for', async () => {
    const [old] = await renderAll([installation({ kubeVersion: 'v1.22.0', set: ['config.AUTH_MODE=none'] })]);
    expect(old?.error).toMatch(/^chart requires kubeVersion/);
  });
});
