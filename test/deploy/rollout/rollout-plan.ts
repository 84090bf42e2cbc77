import type { Manifest } from '../../helm/support/chart.js';

/** A part of a manifest, whose fields the schemas of Kubernetes have checked. */
type Part = Manifest[string];

const PROBES = ['startup', 'readiness', 'liveness'] as const;
export type ProbeName = (typeof PROBES)[number];

/** A probe over HTTP, with the defaults of Kubernetes. Times in milliseconds. */
export interface Probe {
  readonly path: string;
  /** A port that the container declares. */
  readonly containerPort: number;
  readonly delayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
  /** From the decision to SIGKILL, where this probe has the container stopped; without it that of the pod. */
  readonly graceMs: number | undefined;
}

/** What of a Deployment decides how a rollout goes. Times in milliseconds. */
export interface RolloutPlan {
  readonly replicas: number;
  /** Pods there may be beyond `replicas`. */
  readonly maxSurge: number;
  readonly maxUnavailable: number;
  readonly minReadyMs: number;
  /** Between the decision to end a pod and SIGTERM. */
  readonly preStopMs: number;
  /** From that decision to SIGKILL. */
  readonly graceMs: number;
  readonly probes: Readonly<Partial<Record<ProbeName, Probe>>>;
  /** Number of a declared port, by its name. */
  readonly ports: Readonly<Record<string, number>>;
  /** The ConfigMap that the container names in `envFrom`. */
  readonly configMap: Manifest;
  /** Of the container itself, as far as it is written there and not in a Secret; it wins over the ConfigMap. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Reads a rendered Deployment.
 * @param configMaps that were rendered beside it
 * @param fewest replicas where the Deployment leaves the number to an autoscaler
 * @throws Error when it holds something that the supervisor does not play
 */
export function readPlan(deployment: Manifest, configMaps: readonly Manifest[], fewest: number): RolloutPlan {
  const { spec } = deployment;
  const pod = spec.template.spec;
  const [container, ...others] = pod.containers;
  if (others.length > 0) throw new Error('The supervisor runs one container a pod.');
  const configMap = configMaps.find(({ metadata }) => metadata.name === container.envFrom[0].configMapRef.name);
  if (!configMap || container.envFrom.length > 1) throw new Error('The supervisor knows one ConfigMap a container.');
  const replicas: number = spec.replicas ?? fewest;
  const { maxSurge, maxUnavailable } = spec.strategy.rollingUpdate;
  const ports = Object.fromEntries(
    (container.ports as { name: string; containerPort: number }[]).map((port) => [port.name, port.containerPort]),
  );
  const said = (container.env ?? []) as { name: string; value?: string }[];
  const values = said.filter((each): each is { name: string; value: string } => each.value !== undefined);
  return {
    replicas,
    maxSurge: share(maxSurge, replicas, Math.ceil),
    maxUnavailable: share(maxUnavailable, replicas, Math.floor),
    minReadyMs: (spec.minReadySeconds ?? 0) * 1_000,
    preStopMs: preStopSeconds(container.lifecycle?.preStop) * 1_000,
    graceMs: pod.terminationGracePeriodSeconds * 1_000,
    probes: Object.fromEntries(
      PROBES.filter((name) => container[`${name}Probe`]).map((name) => [
        name,
        readProbe(container[`${name}Probe`], ports),
      ]),
    ),
    ports,
    configMap,
    env: Object.fromEntries(values.map(({ name, value }) => [name, value])),
  };
}

/** Variables of the environment that are times within which a replica stops, or that bound how long a call may take. */
const TIMES = ['MCP_DRAIN_DELAY_MS', 'MCP_DRAIN_GRACE_MS', 'MCP_CALL_TIMEOUT_MS'] as const;
/** Where the environment does not say. */
const CALL_TIMEOUT_MS = 60_000;

/** A busy machine answers no faster because a test is in a hurry. */
const LEAST_TIMEOUT_MS = 1_000;
/** Nor does a process start any faster there. */
const LEAST_START_MS = 30_000;

/**
 * The same plan with all of its times divided by a factor, those in the ConfigMap too; but no probe gives up within a
 * second, and a process may take half a minute to start, unless they may not in the plan.
 */
export function faster(plan: RolloutPlan, factor: number): RolloutPlan {
  const { probes, configMap } = plan;
  const data = configMap['data'];
  const times = TIMES.map((name) => [name, String(Math.round(Number(data[name] ?? CALL_TIMEOUT_MS) / factor))]);
  return {
    ...plan,
    minReadyMs: plan.minReadyMs / factor,
    preStopMs: plan.preStopMs / factor,
    graceMs: plan.graceMs / factor,
    probes: Object.fromEntries(
      Object.entries(probes).map(([name, probe]) => [
        name,
        {
          ...probe,
          delayMs: probe.delayMs / factor,
          periodMs: probe.periodMs / factor,
          timeoutMs: Math.min(probe.timeoutMs, Math.max(probe.timeoutMs / factor, LEAST_TIMEOUT_MS)),
          failureThreshold: name === 'startup' ? startFailures(probe, factor) : probe.failureThreshold,
          graceMs: probe.graceMs === undefined ? undefined : probe.graceMs / factor,
        },
      ]),
    ),
    configMap: { ...configMap, data: { ...data, ...Object.fromEntries(times) } },
  };
}

/** How often the startup probe may fail when it asks more often by a factor. */
function startFailures({ periodMs, failureThreshold }: Probe, factor: number): number {
  const startMs = Math.min(
    periodMs * failureThreshold,
    Math.max((periodMs * failureThreshold) / factor, LEAST_START_MS),
  );
  return Math.ceil(startMs / (periodMs / factor));
}

/** A number of pods, or per cent of them. */
function share(amount: number | string, of: number, round: (n: number) => number): number {
  return typeof amount === 'number' ? amount : round((Number.parseFloat(amount) / 100) * of);
}

function readProbe(probe: Part, ports: Readonly<Record<string, number>>): Probe {
  const { path, port } = probe.httpGet;
  return {
    path,
    containerPort: typeof port === 'number' ? port : (ports[port] ?? 0),
    delayMs: (probe.initialDelaySeconds ?? 0) * 1_000,
    periodMs: (probe.periodSeconds ?? 10) * 1_000,
    timeoutMs: (probe.timeoutSeconds ?? 1) * 1_000,
    failureThreshold: probe.failureThreshold ?? 3,
    successThreshold: probe.successThreshold ?? 1,
    graceMs:
      probe.terminationGracePeriodSeconds === undefined ? undefined : probe.terminationGracePeriodSeconds * 1_000,
  };
}

/** Both ways of waiting that the chart knows: the kubelet sleeps, or node does. */
function preStopSeconds(hook: Part): number {
  if (hook === undefined) return 0;
  if (hook.sleep) return hook.sleep.seconds;
  const ms = /^setTimeout\(\(\) => \{\}, (\d+)\)$/.exec(hook.exec?.command?.[2] ?? '')?.[1];
  if (ms === undefined) throw new Error(`The supervisor does not know this preStop hook: ${JSON.stringify(hook)}`);
  return Number(ms) / 1_000;
}
