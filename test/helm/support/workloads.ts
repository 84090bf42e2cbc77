import type { Manifest } from './chart.js';
import type { Json } from './json.js';

/** The pods that an object makes. */
export interface Workload {
  readonly object: Manifest;
  /** `Deployment/name`, for messages. */
  readonly title: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Json;
  /** Init containers, too. */
  readonly containers: readonly Json[];
  /** Whether it ends by itself, as a hook does. */
  readonly ends: boolean;
}

export function workloadsOf(objects: readonly Manifest[]): Workload[] {
  return objects.flatMap((object) => {
    const template = templateOf(object);
    if (!template) return [];
    return {
      object,
      title: titleOf(object),
      labels: template.metadata?.labels ?? {},
      spec: template.spec,
      containers: [...(template.spec.initContainers ?? []), ...template.spec.containers],
      ends: ['Pod', 'Job'].includes(object.kind),
    };
  });
}

export function titleOf({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata.name}`;
}

/** Whether labels are among those a selector with matchLabels wants. An empty selector wants all. */
export function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

function templateOf(object: Manifest): Json {
  if (object.kind === 'Pod') return object;
  if (['Deployment', 'StatefulSet', 'DaemonSet', 'Job'].includes(object.kind)) return object['spec'].template;
  return undefined;
}
