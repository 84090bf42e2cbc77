import { beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from './support/chart.js';
import { KubernetesSchema } from './support/kubernetes-schema.js';
import type { Json } from './support/json.js';

const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a', labels: { any: 'label' } },
  spec: {
    selector: { matchLabels: { app: 'a' } },
    template: {
      metadata: { labels: { app: 'a' } },
      spec: {
        containers: [
          {
            name: 'a',
            image: 'a:1',
            ports: [{ containerPort: 3000 }],
            resources: { limits: { memory: '1Gi', cpu: 2 } },
            readinessProbe: { httpGet: { path: '/', port: 'http' } },
          },
        ],
      },
    },
  },
} satisfies Manifest;
const MONITOR = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'ServiceMonitor',
  metadata: { name: 'a' },
  spec: { selector: {}, endpoints: [{ port: 'http', interval: '15s' }] },
} satisfies Manifest;
const AUTOSCALER = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'a' },
  spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'a' } },
} satisfies Manifest;

/** A copy with one value replaced, by its path. */
function changed(object: Manifest, path: string, value: unknown): Manifest {
  const copy: Manifest = structuredClone(object);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const within = keys.reduce((part: Json, key) => part[key], copy);
  within[last] = value;
  return copy;
}

describe('the Kubernetes schemas', () => {
  let schema: KubernetesSchema;
  beforeAll(async () => {
    schema = await KubernetesSchema.of([DEPLOYMENT, MONITOR, AUTOSCALER]);
  });

  it.each([DEPLOYMENT, MONITOR, AUTOSCALER])('accept a right $kind', (object) => {
    expect(schema.problemsOf(object)).toEqual([]);
  });

  it.each([
    [
      'a misspelt field',
      DEPLOYMENT,
      'spec.template.spec.containers.0.readynessProbe',
      {},
      /readynessProbe is no field/,
    ],
    ['a field one level too high', DEPLOYMENT, 'spec.containers', [], /\/spec\/containers is no field/],
    ['a field of a probe', DEPLOYMENT, 'spec.template.spec.containers.0.readinessProbe.port', 1, /port is no field/],
    ['a field of metadata', DEPLOYMENT, 'metadata.label', {}, /\/metadata\/label is no field/],
    ['a field of a monitor', MONITOR, 'spec.endpoints.0.intervall', '15s', /intervall is no field/],
    ['a bad quantity', DEPLOYMENT, 'spec.template.spec.containers.0.resources.limits.memory', '1 GB', /quantity/],
    ['a text for a number', DEPLOYMENT, 'spec.template.spec.containers.0.ports.0.containerPort', '3000', /integer/],
    ['a number for a label', DEPLOYMENT, 'metadata.labels.any', 1, /string/],
    ['a missing field', AUTOSCALER, 'spec.maxReplicas', undefined, /maxReplicas/],
    ['a bad duration', MONITOR, 'spec.endpoints.0.interval', '15 seconds', /pattern/],
    ['a bad choice', MONITOR, 'spec.endpoints.0.scheme', 'gopher', /allowed values/],
  ] as const)('refuse %s', (...[, object, path, value, problem]) => {
    expect(schema.problemsOf(changed(object, path, value)).join('\n')).toMatch(problem);
  });

  it('refuse a kind that nobody described', async () => {
    await expect(KubernetesSchema.of([{ ...DEPLOYMENT, kind: 'Deploiment' }])).rejects.toThrow(
      /is not in the packages/,
    );
  });
});
