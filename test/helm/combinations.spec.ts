import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Rendered, renderAll } from './support/chart.js';
import { documentedRefusals, problemsIn } from './support/documented-refusals.js';
import { generatedJobs } from './support/generated-values.js';
import { KubernetesSchema } from './support/kubernetes-schema.js';
import { POLICIES } from './support/policies.js';
import { type RenderJob, cannotRender } from './support/renderer.js';

const SEED = Number(process.env['HELM_SEED'] ?? 5);
const RUNS = Number(process.env['HELM_RUNS'] ?? 250);
/** A failing job is printed with its problems: that is all there is to find out from. */
const MOST_SHOWN = 3;

describe.skipIf(cannotRender())('generated values', () => {
  let jobs: RenderJob[];
  let all: Rendered[];
  let rendered: Rendered[];
  beforeAll(async () => {
    jobs = fc.sample(generatedJobs, { seed: SEED, numRuns: RUNS });
    all = await renderAll(jobs);
    rendered = all.filter(({ error }) => error === undefined);
  });

  /** The first jobs that have problems, with these. */
  const wrong = (problemsOf: (one: Rendered) => readonly string[]) =>
    all
      .flatMap((one, index) => {
        const problems = problemsOf(one);
        return problems.length > 0 ? [{ problems: [...new Set(problems)], job: JSON.stringify(jobs[index]) }] : [];
      })
      .slice(0, MOST_SHOWN);

  it('render, or are refused with words that the chart has for it', () => {
    const known = documentedRefusals();
    const problems = wrong(({ error }) => {
      if (error === undefined) return [];
      return (problemsIn(error) ?? [error]).filter((problem) => !known.some(({ pattern }) => pattern.test(problem)));
    });
    expect(problems).toEqual([]);
  });

  it('are of both kinds, in good numbers', () => {
    expect(rendered.length).toBeGreaterThan(RUNS / 5);
    expect(all.length - rendered.length).toBeGreaterThan(RUNS / 5);
  });

  it('make every kind of object', () => {
    const kinds = new Set(rendered.flatMap(({ objects }) => objects.map(({ kind }) => kind)));
    expect([...kinds].sort()).toEqual([
      'ConfigMap',
      'Deployment',
      'ExternalSecret',
      'HTTPRoute',
      'HorizontalPodAutoscaler',
      'Ingress',
      'NetworkPolicy',
      'Pod',
      'PodDisruptionBudget',
      'PodMonitor',
      'PrometheusRule',
      'ScaledObject',
      'Secret',
      'Service',
      'ServiceAccount',
      'ServiceMonitor',
      'StatefulSet',
    ]);
  });

  it('make objects that Kubernetes takes', async () => {
    const schema = await KubernetesSchema.of(rendered.flatMap(({ objects }) => objects));
    expect(wrong(({ objects }) => objects.flatMap((object) => schema.problemsOf(object)))).toEqual([]);
  });

  it.each(Object.entries(POLICIES))('keep the policy: %s', (_name, policy) => {
    expect(wrong((one) => (one.error === undefined ? policy(one) : []))).toEqual([]);
  });

  it('leave replicas to the autoscaler, where there is one, and to nobody else', () => {
    const problems = wrong(({ objects }) => {
      const replicas = objects.find(({ kind }) => kind === 'Deployment')?.['spec'].replicas;
      const isScaled = objects.some(({ kind }) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind));
      return objects.length > 0 && (replicas === undefined) !== isScaled ? [`replicas: ${replicas}`] : [];
    });
    expect(problems).toEqual([]);
  });

  it('print nothing that Go could not', () => {
    const leaks = /<no value>|<nil>|%!|map\[|e\+\d\d/;
    expect(
      wrong(({ objects, notes }) =>
        [...objects.map((one) => JSON.stringify(one)), notes].filter((text) => leaks.test(text)),
      ),
    ).toEqual([]);
  });
});
