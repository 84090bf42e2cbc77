import { readConfig } from '../../../src/app/config.js';
import type { Manifest } from './chart.js';
import type { Policy } from './policy.js';
import { type Workload, selects, titleOf, workloadsOf } from './workloads.js';
import type { Json } from './json.js';

const LABEL = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
/** RFC 1123, subdomain; 253 characters. */
const NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** RFC 1035, label: what a Service must be named, and what it makes of a StatefulSet's pods. */
const SERVICE_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** What changes with a release must not be in a selector, which is for ever. */
const PASSING = ['app.kubernetes.io/version', 'helm.sh/chart', 'app.kubernetes.io/managed-by'];
/** Names of variables whose value is nobody's business. */
const SECRET = /(SECRET|PASSWORD|_KEYS?|_HEADERS)$/;
/** What the shortest wait between two events of a stream is, times a good reserve; seconds. */
const SHORTEST_READ_TIMEOUT = 300;
/** What a call may be silent for, and what replicas keep an idle connection for; seconds. */
const LONGEST_SILENCE = 60;
const KEEP_ALIVE = 75;
const MARGIN_SECONDS = 5;

/** How objects must fit together, and what running without stickiness and with streams takes. */
export const OBJECT_POLICIES: Readonly<Record<string, Policy>> = {
  'objects have names and labels that Kubernetes takes, once each': ({ objects }) => {
    const titles = objects.map((object) => `${object.metadata.namespace} ${titleOf(object)}`);
    return objects.flatMap((object, index) => [
      ...((object.kind === 'Service' ? SERVICE_NAME : NAME).test(object.metadata.name)
        ? []
        : [`${titleOf(object)}: bad name`]),
      ...(titles.indexOf(titles[index] ?? '') === index ? [] : [`${titles[index]} is there twice`]),
      ...Object.entries(object.metadata.labels ?? {})
        .filter(([, value]) => !LABEL.test(value))
        .map(([key, value]) => `${titleOf(object)}: label ${key} cannot be ${JSON.stringify(value)}`),
    ]);
  },
  'selectors select the pods of their workload, whatever its version, and no others': ({ objects }) => {
    const workloads = workloadsOf(objects);
    return workloads.flatMap(({ object, title, labels }) => {
      const selector = object['spec'].selector?.matchLabels;
      if (!selector) return [];
      return [
        ...(selects(selector, labels) ? [] : [`${title}: does not select its pods`]),
        ...PASSING.filter((key) => key in selector).map((key) => `${title}: selects by ${key}`),
        ...workloads
          .filter((other) => other.object !== object && selects(selector, other.labels))
          .map((other) => `${title}: selects the pods of ${other.title}`),
      ];
    });
  },
  'services lead to a named port of some pods': ({ objects }) =>
    ofKinds(objects, 'Service').flatMap((service) => {
      const targets = workloadsOf(objects).filter(({ labels }) => selects(service['spec'].selector, labels));
      if (targets.length !== 1) return [`${titleOf(service)}: selects ${targets.length} workloads`];
      return service['spec'].ports
        .filter(({ targetPort }: Json) => !targets.every((workload) => portNames(workload).includes(targetPort)))
        .map(({ targetPort }: Json) => `${titleOf(service)}: there is no port named ${targetPort}`);
    }),
  'routes lead to the MCP port of a Service that is there': ({ objects }) =>
    backendsOf(objects).flatMap(({ title, name, port }) => {
      const service = ofKinds(objects, 'Service').find(({ metadata }) => metadata.name === name);
      const found = service?.['spec'].ports.find((one: Json) => one.port === port || one.name === port);
      if (!found) return [`${title}: leads to ${name}:${port}, which is not there`];
      return found.targetPort === 'http' ? [] : [`${title}: leads to port ${found.targetPort}`];
    }),
  'autoscalers scale something that leaves its replicas to them': ({ objects }) =>
    ofKinds(objects, 'HorizontalPodAutoscaler', 'ScaledObject').flatMap((scaler) => {
      const { kind = 'Deployment', name } = scaler['spec'].scaleTargetRef;
      const target = objects.find((object) => object.kind === kind && object.metadata.name === name);
      if (!target) return [`${titleOf(scaler)}: scales ${kind}/${name}, which is not there`];
      return target['spec'].replicas === undefined ? [] : [`${titleOf(target)}: sets replicas, and is scaled`];
    }),
  'budgets and network policies are about pods that are there': ({ objects }) =>
    ofKinds(objects, 'PodDisruptionBudget', 'NetworkPolicy').flatMap((object) => {
      const { selector, podSelector = selector } = object['spec'];
      const hit = workloadsOf(objects).filter(({ labels }) => selects(podSelector?.matchLabels ?? {}, labels));
      return podSelector?.matchLabels && hit.length > 0 ? [] : [`${titleOf(object)}: selects no pods of its own`];
    }),
  'monitors find what they scrape, on the management port': ({ objects }) => [
    ...ofKinds(objects, 'ServiceMonitor').flatMap((monitor) => {
      const { selector, endpoints } = monitor['spec'];
      const found = ofKinds(objects, 'Service').filter(({ metadata }) =>
        selects(selector.matchLabels, metadata.labels ?? {}),
      );
      if (found.length !== 1) return [`${titleOf(monitor)}: selects ${found.length} Services`];
      const ports = found[0]?.['spec'].ports.map(({ name }: Json) => name);
      return endpoints
        .filter(({ port }: Json) => port !== 'management' || !ports.includes(port))
        .map(({ port }: Json) => `${titleOf(monitor)}: scrapes port ${port}`);
    }),
    ...ofKinds(objects, 'PodMonitor').flatMap((monitor) => {
      const { selector, podMetricsEndpoints } = monitor['spec'];
      const found = workloadsOf(objects).filter(({ labels }) => selects(selector.matchLabels, labels));
      if (found.length !== 1) return [`${titleOf(monitor)}: selects ${found.length} workloads`];
      return podMetricsEndpoints
        .filter(({ port }: Json) => port !== 'management' || !found.every((one) => portNames(one).includes(port)))
        .map(({ port }: Json) => `${titleOf(monitor)}: scrapes port ${port}`);
    }),
  ],
  'what pods refer to is rendered, or the values name it': ({ objects, values }) => {
    const given = namesIn(values);
    return workloadsOf(objects).flatMap((workload) =>
      referencesOf(workload)
        .filter(({ kind, name, optional }) => {
          const rendered = objects.some((object) => object.kind === kind && object.metadata.name === name);
          return !rendered && !optional && !given.has(name);
        })
        .map(({ kind, name }) => `${workload.title}: refers to ${kind}/${name}, which nobody makes`),
    );
  },
  'keys that pods read are in the rendered ConfigMaps and Secrets': ({ objects }) =>
    workloadsOf(objects).flatMap((workload) =>
      referencesOf(workload).flatMap(({ kind, name, keys }) => {
        const source = objects.find((object) => object.kind === kind && object.metadata.name === name);
        if (!source) return [];
        const has = { ...source['data'], ...source['stringData'] };
        return keys
          .filter((key) => !(key in has))
          .map((key) => `${workload.title}: reads ${key} of ${titleOf(source)}, which lacks it`);
      }),
    ),
  'pods have the time to drain': ({ objects }) =>
    workloadsOf(objects).flatMap(({ object, title, spec }) => {
      const config = configOf(object, objects);
      if (!config) return [];
      const read = readConfig(config);
      const needed = preStopSeconds(spec.containers[0]) + Math.ceil(read.MCP_DRAIN_GRACE_MS / 1000) + MARGIN_SECONDS;
      return [
        ...(spec.terminationGracePeriodSeconds >= needed ? [] : [`${title}: ends after less than ${needed} s`]),
        ...(read.MCP_DRAIN_GRACE_MS >= read.MCP_CALL_TIMEOUT_MS ? [] : [`${title}: drains for less than a call takes`]),
      ];
    }),
  'the server can read its configuration, which holds no secrets': ({ objects }) =>
    ofKinds(objects, 'ConfigMap').flatMap((map) => [
      ...Object.entries(map['data'] ?? {})
        .filter(([, value]) => typeof value !== 'string')
        .map(([key]) => `${titleOf(map)}: ${key} is no text`),
      ...Object.keys(map['data'] ?? {})
        .filter((key) => SECRET.test(key))
        .map((key) => `${titleOf(map)}: ${key} is a secret`),
      ...unreadable(map),
    ]),
  'nothing is sticky': ({ objects }) => [
    ...ofKinds(objects, 'Service')
      .filter((service) => (service['spec'].sessionAffinity ?? 'None') !== 'None')
      .map((service) => `${titleOf(service)}: has session affinity`),
    ...objects.flatMap((object) =>
      Object.entries(object.metadata.annotations ?? {})
        .filter(([key]) => /affinity|session-cookie|upstream-hash|sticky/i.test(key))
        .map(([key]) => `${titleOf(object)}: ${key}`),
    ),
    ...ofKinds(objects, 'HTTPRoute')
      .filter((route) => JSON.stringify(route).includes('sessionPersistence'))
      .map((route) => `${titleOf(route)}: has session persistence`),
  ],
  'streams pass routes unbuffered and stay open': ({ objects, values }) => [
    ...ofKinds(objects, 'Ingress').flatMap((ingress) => cutOrBuffered(ingress, values['ingress']?.controller)),
    ...ofKinds(objects, 'HTTPRoute').flatMap((route) =>
      route['spec'].rules
        .filter(({ timeouts }: Json) => timeouts?.request !== '0s' && Number.parseInt(timeouts?.request) < 300)
        .map(() => `${titleOf(route)}: cuts streams`),
    ),
  ],
};

/** What an Ingress does to streams by its annotations; nothing is known of other controllers. */
function cutOrBuffered(ingress: Manifest, controller: string): string[] {
  const { annotations = {} } = ingress.metadata;
  const seconds = (text = '') => Number.parseInt(/\d+/.exec(text)?.[0] ?? '0', 10);
  const problemsOf = (isBuffered: boolean, isCut: boolean) => [
    ...(isBuffered ? [`${titleOf(ingress)}: buffers answers`] : []),
    ...(isCut ? [`${titleOf(ingress)}: cuts streams`] : []),
  ];
  if (controller === 'nginx' || controller === 'f5-nginx') {
    const prefix = controller === 'nginx' ? 'nginx.ingress.kubernetes.io' : 'nginx.org';
    const buffering = annotations[`${prefix}/proxy-buffering`];
    const timeout = seconds(annotations[`${prefix}/proxy-read-timeout`]);
    return problemsOf(buffering !== 'off' && buffering !== 'False', timeout < SHORTEST_READ_TIMEOUT);
  }
  if (controller === 'alb') {
    const idle = seconds(annotations['alb.ingress.kubernetes.io/load-balancer-attributes']);
    return problemsOf(false, idle <= LONGEST_SILENCE || idle >= KEEP_ALIVE);
  }
  return [];
}

function ofKinds(objects: readonly Manifest[], ...kinds: string[]): Manifest[] {
  return objects.filter(({ kind }) => kinds.includes(kind));
}

function portNames({ spec }: Workload): string[] {
  return spec.containers.flatMap(({ ports = [] }: Json) => ports.map(({ name }: Json) => name));
}

function backendsOf(objects: readonly Manifest[]): { title: string; name: string; port: string | number }[] {
  return [
    ...ofKinds(objects, 'Ingress').flatMap((ingress) =>
      ingress['spec'].rules.flatMap((rule: Json) =>
        rule.http.paths.map(({ backend: { service } }: Json) => ({
          title: titleOf(ingress),
          name: service.name,
          port: service.port.name ?? service.port.number,
        })),
      ),
    ),
    ...ofKinds(objects, 'HTTPRoute').flatMap((route) =>
      route['spec'].rules.flatMap((rule: Json) =>
        rule.backendRefs.map(({ name, port }: Json) => ({ title: titleOf(route), name, port })),
      ),
    ),
  ];
}

interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly keys: readonly string[];
  readonly optional: boolean;
}

function referencesOf({ spec, containers }: Workload): Reference[] {
  const references: Reference[] = [];
  const add = (kind: string, ref: Json, keys: readonly string[] = []) => {
    if (ref) references.push({ kind, name: ref.name ?? ref.secretName, keys, optional: ref.optional === true });
  };
  for (const { env = [], envFrom = [] } of containers) {
    for (const { configMapRef, secretRef } of envFrom) {
      add('ConfigMap', configMapRef);
      add('Secret', secretRef);
    }
    for (const { valueFrom = {} } of env) {
      add('ConfigMap', valueFrom.configMapKeyRef, [valueFrom.configMapKeyRef?.key]);
      add('Secret', valueFrom.secretKeyRef, [valueFrom.secretKeyRef?.key]);
    }
  }
  const keysOf = (source: Json): string[] => (source?.items ?? []).map(({ key }: Json) => key);
  for (const volume of spec.volumes ?? []) {
    for (const { configMap, secret } of [volume, ...(volume.projected?.sources ?? [])]) {
      add('ConfigMap', configMap, keysOf(configMap));
      add('Secret', secret, keysOf(secret));
    }
  }
  for (const secret of spec.imagePullSecrets ?? []) add('Secret', secret);
  if (spec.serviceAccountName && spec.serviceAccountName !== 'default') {
    add('ServiceAccount', { name: spec.serviceAccountName });
  }
  return references;
}

/** Every text and every key in values. */
function namesIn(value: unknown): Set<string> {
  if (typeof value === 'string') return new Set([value]);
  if (value === null || typeof value !== 'object') return new Set();
  const keys = Array.isArray(value) ? [] : Object.keys(value);
  return new Set([...keys, ...Object.values(value).flatMap((entry) => [...namesIn(entry)])]);
}

/** The variables that the server gets from its ConfigMap; undefined where it is not the server. */
function configOf(object: Manifest, objects: readonly Manifest[]): Record<string, string> | undefined {
  const containers = object['spec'].template?.spec.containers ?? [];
  const names: string[] = containers.flatMap(({ envFrom = [] }: Json) =>
    envFrom.flatMap(({ configMapRef }: Json) => configMapRef?.name ?? []),
  );
  return objects.find(
    ({ kind, metadata, data }) => kind === 'ConfigMap' && names.includes(metadata.name) && data.HOST,
  )?.['data'];
}

function preStopSeconds(container: Json): number {
  const { sleep, exec } = container.lifecycle?.preStop ?? {};
  if (exec) return Math.ceil(Number(/setTimeout\(.*?, (\d+)\)/.exec(exec.command.join(' '))?.[1]) / 1000);
  return sleep?.seconds ?? 0;
}

function unreadable(map: Manifest): string[] {
  if (map['data']?.HOST === undefined) return [];
  try {
    readConfig(map['data']);
    return [];
  } catch (error) {
    return [`${titleOf(map)}: ${(error as Error).message}`];
  }
}
