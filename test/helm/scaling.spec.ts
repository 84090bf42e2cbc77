import { describe, expect, it } from 'vitest';
import { type Manifest, only, render } from './support/chart.js';
import { cannotRender } from './support/renderer.js';
import { installation } from './support/values-files.js';
import type { Json } from './support/json.js';

const BASE = { config: { AUTH_MODE: 'none' }, redis: { url: 'redis://redis:6379' } };
const AUTOSCALING = { ...BASE, autoscaling: { enabled: true } };
const KEDA = { ...BASE, keda: { enabled: true, prometheusAddress: 'http://prometheus.monitoring:9090' } };

/** Renders, on a cluster that has these objects. */
async function objectsOf(
  values: Record<string, unknown>,
  cluster: readonly Manifest[] = [],
): Promise<readonly Manifest[]> {
  return (await render(installation({ values, cluster, upgrade: cluster.length > 0 }))).objects;
}

/** The Deployment as a cluster would have it after a while. */
function live(objects: readonly Manifest[], replicas: number): Manifest {
  const deployment: Json = structuredClone(only(objects, 'Deployment'));
  deployment.spec.replicas = replicas;
  return deployment;
}

describe.skipIf(cannotRender())('replicas', () => {
  const deploymentOf = async (values: Record<string, unknown>, cluster: readonly Manifest[] = []) =>
    only(await objectsOf(values, cluster), 'Deployment');

  it.each([
    ['autoscaling', AUTOSCALING],
    ['keda', KEDA],
  ])('are as many as there were when %s takes over, and stay with it', async (_name, scaled) => {
    const fixed = await objectsOf({ ...BASE, replicaCount: 7 });
    const taken = await deploymentOf(scaled, [live(fixed, 7)]);
    expect(taken['spec'].replicas).toBe(7);
    // A field that was there and is no more would be 1.
    expect((await deploymentOf(scaled, [live([taken], 12)]))['spec'].replicas).toBe(12);
  });

  it('are never written down where an autoscaler had them from the beginning: a rollback would bring them back', async () => {
    const first = await deploymentOf(AUTOSCALING);
    expect(first['spec'].replicas).toBeUndefined();
    expect((await deploymentOf(AUTOSCALING, [live([first], 40)]))['spec'].replicas).toBeUndefined();
    expect((await deploymentOf(KEDA, [live([first], 40)]))['spec'].replicas).toBeUndefined();
  });

  it('are those of replicaCount again where nothing scales them', async () => {
    const scaled = await deploymentOf(AUTOSCALING);
    const fixed = await deploymentOf({ ...BASE, replicaCount: 4 }, [live([scaled], 40)]);
    expect(fixed['spec'].replicas).toBe(4);
    expect(fixed.metadata.annotations).toBeUndefined();
    expect((await deploymentOf(AUTOSCALING, [live([fixed], 4)]))['spec'].replicas).toBe(4);
  });
});

describe.skipIf(cannotRender())('the ScaledObject', () => {
  const scaledObject = async (values: Record<string, unknown>, release = 'mcp') =>
    only((await render({ ...installation({ values }), release })).objects, 'ScaledObject');

  it('takes over the HorizontalPodAutoscaler of before, which has its name', async () => {
    const scaler = only(await objectsOf(AUTOSCALING), 'HorizontalPodAutoscaler');
    const scaled = await scaledObject(KEDA);
    expect(scaled['spec'].advanced.horizontalPodAutoscalerConfig.name).toBe(scaler.metadata.name);
    expect(scaled.metadata.annotations).toEqual({ 'scaledobject.keda.sh/transfer-hpa-ownership': 'true' });
  });

  it('takes no replicas away while its metrics are missing', async () => {
    const { triggers } = (await scaledObject(KEDA))['spec'];
    const ignoring = triggers.map(({ name, type, metadata }: Json) => [name ?? type, metadata.ignoreNullValues]);
    expect(ignoring).toEqual([
      ['cpu', undefined],
      ['memory', undefined],
      ['streams', 'false'],
      ['event-loop', 'false'],
    ]);
  });

  it('asks for the pods of its Deployment, however long its name is', async () => {
    const release = 'a'.repeat(53);
    const { triggers } = (await scaledObject(KEDA, release))['spec'];
    const [, pattern = ''] = /pod=~"([^"]+)"/.exec(triggers[2].metadata.query) ?? [];
    expect(`${'a'.repeat(46)}-0123456789-abcde`).toMatch(new RegExp(`^(?:${pattern})$`));
  });
});
