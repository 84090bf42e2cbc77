import fc from 'fast-check';
import type { RenderJob } from './renderer.js';

type Values = Record<string, unknown>;

const off = fc.constant<Values>({});
const constant = (...choices: readonly Values[]) => fc.constantFrom<Values>({}, ...choices);
const HOSTS = ['mcp.example.com', 'other.example.com'];
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};
const SIDECAR = {
  name: 'sidecar',
  image: 'sidecar:1.0.0',
  securityContext: RESTRICTED,
  resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '32Mi' } },
};
const PROBE = { httpGet: { path: '/', port: 8080 } };

/** A few of many: with all of them at once, something is always wrong. */
function few(of: Readonly<Record<string, fc.Arbitrary<unknown>>>, maxLength: number): fc.Arbitrary<Values> {
  return fc
    .tuple(fc.record(of), fc.shuffledSubarray(Object.keys(of), { maxLength }))
    .map(([values, keys]) => Object.fromEntries(keys.map((key) => [key, values[key]])));
}

const auth = fc.constantFrom<Values>(
  { config: { AUTH_MODE: 'none' } },
  { config: { AUTH_MODE: 'none' } },
  { config: { AUTH_MODE: 'none' } },
  { config: { AUTH_MODE: 'none' } },
  { config: { AUTH_ISSUERS: 'https://login.example.com/' } },
  { config: { AUTH_ISSUERS: 'https://login.example.com/', AUTH_RESOURCE: 'https://mcp.example.com/mcp' } },
  {
    config: { AUTH_RESOURCE: 'https://mcp.example.com/mcp' },
    existingSecret: 'rookery-secrets',
    secrets: { files: { AUTH_ISSUERS_FILE: 'issuers.json' } },
  },
  {},
);

const redis = fc.constantFrom<Values>(
  { redis: { url: 'rediss+cluster://a:6379,b:6380' } },
  { redis: { url: 'redis+sentinel://a,b:26380/main?db=1' } },
  { redis: { url: 'redis://redis:6379/1' }, secrets: { env: { REDIS_PASSWORD: { name: 'redis', key: 'password' } } } },
  { redis: { existingSecret: { name: 'redis-access', key: 'url' } } },
  { redis: { bundled: { enabled: true } } },
  { redis: { bundled: { enabled: true, persistence: { enabled: true, size: '2Gi', storageClass: 'fast' } } } },
  {
    redis: { bundled: { enabled: true, existingSecret: { name: 'own', key: 'p' }, networkPolicy: { enabled: false } } },
  },
  { secrets: { env: { REDIS_URL: { name: 'redis', key: 'url' } } } },
  { redis: { bundled: { enabled: true } } },
  {},
);

const metrics = fc.record(
  {
    targetCPUUtilizationPercentage: fc.constantFrom(null, 50),
    streams: fc.record({ enabled: fc.boolean() }),
    eventLoop: fc.record({ enabled: fc.boolean() }),
    latency: fc.constantFrom({ enabled: true }, { enabled: true, selector: { job: 'mcp' }, value: 0.2 }),
    maxReplicas: fc.constantFrom(3, 50),
    extraMetrics: fc.constant([
      { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
    ]),
  },
  { requiredKeys: [] },
);
const scaling = fc.oneof(
  fc.constant<Values>({}),
  fc.record({ replicaCount: fc.integer({ min: 0, max: 3 }) }),
  metrics.map((values): Values => ({ autoscaling: { ...values, enabled: true } })),
  fc
    .record({
      streams: fc.constantFrom(null, 1_000_000),
      eventLoop: fc.constantFrom(null, 0.5),
      latency: fc.constantFrom(null, 0.1),
      authenticationRef: fc.constantFrom({}, { name: 'prometheus', kind: 'ClusterTriggerAuthentication' }),
      fallback: fc.constantFrom({}, { failureThreshold: 3, replicas: 6 }),
      prometheusAddress: fc.constantFrom('', 'http://prometheus.monitoring:9090', 'http://prometheus.monitoring:9090'),
    })
    .map((values): Values => ({ keda: { ...values, enabled: true } })),
  fc.constant<Values>({ autoscaling: { enabled: true }, keda: { enabled: true, prometheusAddress: 'http://p:9090' } }),
);

const exposure = fc.oneof(
  off,
  fc
    .record({
      hosts: fc.constantFrom(HOSTS, HOSTS, HOSTS.slice(0, 1), HOSTS.slice(0, 1), []),
      controller: fc.constantFrom('nginx', 'f5-nginx', 'alb', 'traefik', 'none', 'none', 'nginx', ''),
      className: fc.constantFrom('', 'nginx'),
      tls: fc.constantFrom([], [{ secretName: 'tls', hosts: HOSTS }]),
      paths: fc.constantFrom([], [{ path: '/', pathType: 'Prefix' }]),
      annotations: fc.constantFrom({}, { 'cert-manager.io/cluster-issuer': 'letsencrypt' }),
    })
    .map((values): Values => ({ ingress: { ...values, enabled: true } })),
  fc
    .record({
      parentRefs: fc.constant([{ name: 'gateway', namespace: 'gateways', sectionName: 'https' }]),
      hostnames: fc.constantFrom(HOSTS, HOSTS.slice(0, 1), HOSTS.slice(0, 1)),
      filters: fc.constantFrom([], [{ type: 'URLRewrite', urlRewrite: { hostname: 'inside' } }]),
      timeouts: fc.constantFrom(null, { request: '0s' }, { request: '3600s' }),
    })
    .map((values): Values => ({ httpRoute: { ...values, enabled: true } })),
  constant(
    { service: { type: 'NodePort', nodePort: 30_080, externalTrafficPolicy: 'Local' } },
    { service: { type: 'LoadBalancer', port: 8080, loadBalancerClass: 'service.k8s.aws/nlb' } },
    { service: { type: 'LoadBalancer', ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] } },
  ).map((values): Values => ({ ...values, config: { MCP_ALLOWED_HOSTS: '*' } })),
);

const watching = few(
  {
    serviceMonitor: fc.record({ enabled: fc.boolean(), labels: fc.constant({ release: 'prometheus' }) }),
    podMonitor: fc.record({
      enabled: fc.boolean(),
      relabelings: fc.constant([{ sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' }]),
    }),
    prometheusRule: fc.record({
      enabled: fc.boolean(),
      runbookUrl: fc.constantFrom('', 'https://example.com/runbook', 'https://example.com/runbook'),
      noReplicas: fc.constantFrom(null, true, false),
      alertLabels: fc.constantFrom({}, { team: 'tools' }),
      alertSeverities: fc.constantFrom({}, { RookeryToolLatencyCritical: 'ticket' }),
      disabledAlerts: fc.constantFrom([], ['RookeryDown', 'RookeryNoReplicas'], ['RookeryDwon']),
      extraGroups: fc.constantFrom([], [{ name: 'own', rules: [{ record: 'a', expr: 'b' }] }]),
    }),
    dashboard: fc.record({ enabled: fc.boolean(), namespace: fc.constantFrom('', 'grafana') }),
  },
  2,
).map((values): Values => ({ metrics: values }));

const config = few(
  {
    MCP_PATH: fc.constantFrom('/mcp', '/'),
    PORT: fc.constantFrom(8080, 3000),
    MANAGEMENT_PORT: fc.constantFrom(9000, 8080),
    MCP_SESSION_MAX_MS: fc.constant(864_000_000),
    MCP_MAX_BODY_BYTES: fc.constant(10_485_760),
    MCP_DRAIN_GRACE_MS: fc.constantFrom(90_000, 61_500),
    MCP_CALL_TIMEOUT_MS: fc.constantFrom(30_000, 60_001),
    METRICS_ENABLED: fc.boolean(),
    LOG_LEVEL: fc.constant('debug'),
    OTEL_EXPORTER_OTLP_ENDPOINT: fc.constantFrom('http://collector.tracing:4318', 'https://otlp.example.com'),
    OTEL_RESOURCE_ATTRIBUTES: fc.constant('deployment.environment.name=prod'),
    OTEL_TRACES_SAMPLER_ARG: fc.constant(0.1),
  },
  3,
).map((values): Values => ({ config: values }));

const network = constant(
  { networkPolicy: { enabled: true } },
  {
    networkPolicy: {
      enabled: true,
      ingress: {
        from: [{ podSelector: {} }],
        managementFrom: [],
        extra: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
      },
      egress: { dnsTo: [{ namespaceSelector: {} }], httpsTo: [{ ipBlock: { cidr: '0.0.0.0/0' } }], httpsPorts: [] },
    },
  },
);

const extras = few(
  {
    extraEnv: fc.constantFrom(
      [{ name: 'OWN', value: 'x' }],
      [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    ),
    extraEnvFrom: fc.constant([{ secretRef: { name: 'team-secrets' } }]),
    extraContainers: fc.constant([{ ...SIDECAR, livenessProbe: PROBE, readinessProbe: PROBE }]),
    initContainers: fc.constant([{ ...SIDECAR, name: 'before' }]),
    extraObjects: fc.constant([
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: '{{ .Release.Name }}-own' },
        data: { a: '{{ .Chart.Name }}' },
      },
    ]),
    podLabels: fc.constant({ team: 'tools' }),
    podAnnotations: fc.constant({ 'example.com/a': 'b' }),
    commonLabels: fc.constant({ 'example.com/cost': 'tools', 'app.kubernetes.io/component': 'mine' }),
    commonAnnotations: fc.constant({ 'example.com/owner': 'Team "Tools": all' }),
    imagePullSecrets: fc.constant([{ name: 'registry' }]),
    serviceAccount: fc.constantFrom({ create: false }, { create: false, name: 'given' }, { name: 'own' }),
    image: fc.constantFrom({ registry: 'r.example.com', tag: 2 }, { digest: `sha256:${'a'.repeat(64)}` }),
    nameOverride: fc.constant('platform'),
    fullnameOverride: fc.constantFrom('mcp-platform', 'm'.repeat(63)),
    tests: fc.constantFrom({ enabled: false }, { token: { existingSecret: 'test-token', key: 'access' } }),
    nodeOptions: fc.constantFrom(null, '--enable-source-maps'),
    terminationGracePeriodSeconds: fc.constantFrom(60, 300),
    preStop: fc.constantFrom({ seconds: 0 }, { seconds: 20, method: 'exec' }),
    podDisruptionBudget: fc.constantFrom(
      { enabled: true },
      { enabled: true, minAvailable: 1 },
      { enabled: true, minAvailable: '50%' },
    ),
    prometheusAdapter: fc.constant({ enabled: true, namespace: 'monitoring' }),
    topologySpread: fc.constant({
      host: { enabled: false },
      zone: { enabled: true, minDomains: 2, whenUnsatisfiable: 'DoNotSchedule' },
    }),
    tolerations: fc.constant([{ key: 'dedicated', operator: 'Exists' }]),
    nodeSelector: fc.constant({ 'kubernetes.io/arch': 'arm64' }),
    priorityClassName: fc.constant('high'),
    externalSecrets: fc.constantFrom(
      { enabled: true },
      {
        enabled: true,
        secretStoreRef: { name: 'vault' },
        secrets: {
          'rookery-secrets': {
            data: [{ secretKey: 'issuers.json', remoteRef: { key: 'rookery', property: 'issuers' } }],
          },
          'redis-access': { dataFrom: [{ extract: { key: 'redis' } }] },
        },
      },
    ),
  },
  5,
);

/** What people may come up with: right, wrong, and both at once. */
export const generatedJobs: fc.Arbitrary<RenderJob> = fc
  .record({
    layers: fc.tuple(auth, redis, scaling, exposure, watching, config, network, extras),
    release: fc.constantFrom('mcp', 'rookery', 'a'.repeat(53)),
    kubeVersion: fc.constantFrom('v1.28.3', 'v1.33.0'),
    upgrade: fc.boolean(),
  })
  .map(({ layers, ...job }) => ({ ...job, namespace: 'tools', values: layers.reduce(merged, {}) }));

function merged(under: Values, over: Values): Values {
  const result: Values = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const lower = result[key];
    result[key] = isTable(lower) && isTable(value) ? merged(lower, value) : value;
  }
  return result;
}

function isTable(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
