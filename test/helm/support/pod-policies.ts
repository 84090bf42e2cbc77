import type { Policy } from './policy.js';
import { type Workload, workloadsOf } from './workloads.js';
import type { Json } from './json.js';

/** What every pod and container must be like: the restricted Pod Security Standard, and what running it well takes. */
export const POD_POLICIES: Readonly<Record<string, Policy>> = {
  'images have a tag that stays': eachContainer(({ image = '' }) => {
    if (image.includes('@sha256:')) return [];
    const tag = /:([^/:]+)$/.exec(image)?.[1];
    return tag === undefined ? [`image ${image} has no tag`] : tag === 'latest' ? ['the tag is latest'] : [];
  }),
  'no pod runs as root': eachPod(({ spec, containers }) => [
    ...(spec.securityContext?.runAsNonRoot === true ? [] : ['runAsNonRoot is not true']),
    ...[spec, ...containers]
      .filter(({ securityContext }) => securityContext?.runAsUser === 0 || securityContext?.runAsNonRoot === false)
      .map(() => 'runs as root'),
  ]),
  'system calls are filtered': eachPod(({ spec }) =>
    ['RuntimeDefault', 'Localhost'].includes(spec.securityContext?.seccompProfile?.type) ? [] : ['no seccomp profile'],
  ),
  'containers can do no more than their user': eachContainer(({ securityContext: context = {} }) => [
    ...(context.allowPrivilegeEscalation === false ? [] : ['may escalate privileges']),
    ...(context.readOnlyRootFilesystem === true ? [] : ['may write its root file system']),
    ...(context.privileged ? ['is privileged'] : []),
    ...(context.capabilities?.drop?.includes('ALL') ? [] : ['does not drop ALL capabilities']),
    ...(context.capabilities?.add ? ['adds capabilities'] : []),
  ]),
  'nothing of the host is used': eachPod(({ spec, containers }) => [
    ...['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => spec[field]).map((field) => `${field} is set`),
    ...(spec.volumes ?? [])
      .filter((volume: Json) => volume.hostPath)
      .map(({ name }: Json) => `volume ${name} is hostPath`),
    ...containers
      .flatMap(({ ports = [] }) => ports)
      .filter((port) => port.hostPort)
      .map(() => 'hostPort is set'),
  ]),
  'containers say what they need': eachContainer(({ resources = {} }) =>
    [
      ['requests', 'cpu'],
      ['requests', 'memory'],
      ['limits', 'memory'],
    ]
      .filter(([of = '', what = '']) => resources[of]?.[what] === undefined)
      .map(([of, what]) => `no ${of}.${what}`),
  ),
  'containers that stay are probed': eachPod(({ spec, ends }) =>
    ends
      ? []
      : spec.containers.flatMap((container: Json) =>
          ['livenessProbe', 'readinessProbe']
            .filter((probe) => !container[probe])
            .map((probe) => `${container.name} has no ${probe}`),
        ),
  ),
  'no pod has a token for Kubernetes': ({ objects }) => [
    ...workloadsOf(objects)
      .filter(({ spec }) => spec.automountServiceAccountToken !== false)
      .map(({ title }) => `${title}: mounts a token`),
    ...objects
      .filter((object) => object.kind === 'ServiceAccount' && object['automountServiceAccountToken'] !== false)
      .map(({ metadata }) => `ServiceAccount/${metadata.name}: mounts a token`),
  ],
  'variables and ports of a container are named once': eachContainer(({ env = [], ports = [] }) => [
    ...twice(env.map(({ name }: Json) => name)).map((name) => `variable ${name} is set twice`),
    ...twice(ports.map(({ name }: Json) => name)).map((name) => `port ${name} is named twice`),
    ...ports
      .filter(({ name }: Json) => !/^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(name ?? ''))
      .map(({ name }: Json) => `port name ${name} is not usable`),
  ]),
  'volumes are mounted, and mounts have volumes': eachPod(({ object, spec, containers }) => {
    const volumes: string[] = (spec.volumes ?? []).map(({ name }: Json) => name);
    const claims: string[] = (object['spec'].volumeClaimTemplates ?? []).map(({ metadata }: Json) => metadata.name);
    const mounts: string[] = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }: Json) => name));
    return [
      ...twice(volumes).map((name) => `volume ${name} is there twice`),
      ...volumes.filter((name) => !mounts.includes(name)).map((name) => `volume ${name} is not mounted`),
      ...mounts.filter((name) => ![...volumes, ...claims].includes(name)).map((name) => `mount ${name} has no volume`),
    ];
  }),
};

function eachPod(check: (workload: Workload) => string[]): Policy {
  return ({ objects }) =>
    workloadsOf(objects).flatMap((workload) => check(workload).map((problem) => `${workload.title}: ${problem}`));
}

function eachContainer(check: (container: Json) => string[]): Policy {
  return eachPod(({ containers }) =>
    containers.flatMap((container) => check(container).map((problem) => `${container.name}: ${problem}`)),
  );
}

function twice(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}
