import { Counter, type Registry } from 'prom-client';
import type { Finding } from '../../health/readiness.js';
import type { AnyCapability } from '../../registry/capability.js';
import type { EventLoopSampler } from './event-loop-sampler.js';
import type { MetricSources } from './metric-sources.js';
import { type Sample, type StateGaugeOptions, stateGauge } from './state-gauge.js';

type Gauges = (options: Omit<StateGaugeOptions, 'registry'>) => void;

/** Adds what is looked up when somebody scrapes: nothing here costs a request anything. */
export function addStateMetrics(registry: Registry, sources: MetricSources, eventLoop: EventLoopSampler): void {
  const gauge: Gauges = (options) => stateGauge({ registry, ...options });
  addProcess(gauge, sources, eventLoop);
  addStreamsAndSessions(gauge, sources);
  addCapabilities(gauge, sources);
  addChecks(gauge, sources);
  addAudit(gauge, registry, sources);
}

function addProcess(gauge: Gauges, { options, services: { stop } }: MetricSources, eventLoop: EventLoopSampler): void {
  gauge({
    name: 'rookery_build_info',
    help: 'Always 1; the labels say which version runs, on which Node.',
    labelNames: ['version', 'node_version'],
    read: () => [[1, { version: options.version ?? '0.0.0', node_version: process.version }]],
  });
  gauge({
    name: 'nodejs_eventloop_utilization_ratio',
    help: 'Share of the last 5 seconds in which the event loop was not idle, 0 to 1.',
    read: () => [[eventLoop.utilization]],
  });
  gauge({
    name: 'mcp_server_draining',
    help: '1 from the moment at which the server begins to stop, else 0.',
    read: () => [[Number(stop.draining)]],
  });
}

function addStreamsAndSessions(gauge: Gauges, { options, services, backend, sessions }: MetricSources): void {
  const { keepAlive, store } = services;
  gauge({
    name: 'mcp_server_open_streams',
    help: 'Event streams that are open on this replica, by what opened them.',
    labelNames: ['kind'],
    read: () => Object.entries(keepAlive.open).map(([kind, open]): Sample => [open, { kind }]),
  });
  gauge({
    name: 'mcp_server_stream_limit',
    help: 'Event streams of the kinds get and listen that this replica holds at most.',
    read: () => [[services.options.maxStreams]],
  });
  gauge({
    name: 'mcp_server_sessions',
    help: 'Sessions of all replicas together; absent while they cannot be counted.',
    read: async () => {
      const count = await sessions.get();
      return count === undefined ? [] : [[count]];
    },
  });
  gauge({
    name: 'mcp_server_session_limit',
    help: 'Sessions that there may be on all replicas together.',
    read: () => (store.maxSessions === undefined ? [] : [[store.maxSessions]]),
  });
  if (!options.redis) return;
  gauge({
    name: 'mcp_server_redis_up',
    help: '1 while Redis answers this replica and its messages come through, else 0.',
    read: () => [[Number(backend.health().available)]],
  });
}

function addCapabilities(gauge: Gauges, { limits, services: { registry } }: MetricSources): void {
  gauge({
    name: 'mcp_server_capabilities',
    help: 'Capabilities that are registered, by kind.',
    labelNames: ['kind'],
    read: () => [
      [registry.tools.all().length, { kind: 'tool' }],
      [registry.resources.all().length, { kind: 'resource' }],
      [registry.templates.all().length, { kind: 'template' }],
      [registry.prompts.all().length, { kind: 'prompt' }],
    ],
  });
  const depths = (which: 'running' | 'waiting') => (): Sample[] => {
    const bound = boundCapabilities(registry.everything());
    return limits.depths(bound).map((depth, i) => [depth[which], namesOf(bound[i])]);
  };
  gauge({
    name: 'mcp_server_bulkhead_running',
    help: 'Calls that run within the bulkhead of a capability on this replica.',
    labelNames: ['kind', 'name'],
    read: depths('running'),
  });
  gauge({
    name: 'mcp_server_bulkhead_waiting',
    help: 'Calls that wait for a place in the bulkhead of a capability on this replica.',
    labelNames: ['kind', 'name'],
    read: depths('waiting'),
  });
}

interface Bound {
  readonly kind: string;
  readonly key: string;
  readonly concurrency: AnyCapability['rules']['concurrency'];
}

function boundCapabilities(all: readonly AnyCapability[]): Bound[] {
  const bound = all.filter(({ rules }) => rules.concurrency.length > 0);
  return bound.map(({ kind, key, rules: { concurrency } }) => ({ kind, key, concurrency }));
}

function namesOf(bound: Bound | undefined): Record<string, string> {
  return { kind: bound?.kind ?? '', name: bound?.key ?? '' };
}

function addChecks(gauge: Gauges, { readiness }: MetricSources): void {
  let asked: Promise<readonly Finding[]> | undefined;
  /** Both gauges of a scrape show the same look. */
  const find = (): Promise<readonly Finding[]> => (asked ??= readiness.find().finally(() => (asked = undefined)));
  const samples = (of: (finding: Finding) => boolean) => async (): Promise<Sample[]> =>
    (await find()).map((finding) => [Number(of(finding)), { check: finding.name }]);
  gauge({
    name: 'mcp_server_check_ready',
    help: '1 if a readiness check lets requests come to this replica, else 0.',
    labelNames: ['check'],
    read: samples(({ ready }) => ready),
  });
  gauge({
    name: 'mcp_server_check_degraded',
    help: '1 if a readiness check found that not everything works, else 0.',
    labelNames: ['check'],
    read: samples(({ degraded }) => degraded === true),
  });
}

function addAudit(gauge: Gauges, registry: Registry, { audit }: MetricSources): void {
  if (!audit) return;
  gauge({
    name: 'mcp_server_audit_failing',
    help: '1 while a destination of the audit cannot be written, else 0.',
    read: () => [[Number(audit.failure !== undefined)]],
  });
  const counter = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  counter(
    'mcp_server_audit_failures_total',
    'Writes of the audit that failed, of all its destinations.',
    () => audit.failures,
  );
  counter(
    'mcp_server_audit_lost_total',
    'Operations that are missing from a destination of the audit; one that is missing from two counts twice.',
    () => audit.lost,
  );
}
