import { beforeAll, describe, expect, it } from 'vitest';
import { type Rendered, renderAll } from './support/chart.js';
import { documentedRefusals, problemsIn } from './support/documented-refusals.js';
import { type RenderJob, cannotRender } from './support/renderer.js';

const OPEN = { config: { AUTH_MODE: 'none' } };
const REDIS = { url: 'redis://redis:6379' };
const OAUTH = { AUTH_ISSUERS: 'https://login.example.com/' };

/** What must not render, and a piece of what is said about it. */
const REFUSALS: readonly (readonly [what: string, job: RenderJob, message: RegExp])[] = [
  // values.schema.json
  ['an unknown key', { values: { ...OPEN, replicas: 3 } }, /additional properties.*"replicas"/],
  ['a typo in image', { values: { ...OPEN, image: { tga: '1' } } }, /at '\/image'.*"tga"/],
  ['a typo in a probe', { values: { ...OPEN, probes: { readiness: { periodSecond: 1 } } } }, /"periodSecond"/],
  ['a typo deep down', { values: { ...OPEN, redis: { bundled: { persistence: { on: true } } } } }, /"on"/],
  ['a typo in a variable', { values: { config: { AUTH_MOD: 'none' } } }, /at '\/config'.*"AUTH_MOD"/],
  ['a variable out of bounds', { values: { config: { ...OPEN.config, PORT: 70_000 } } }, /at '\/config\/PORT'/],
  ['a variable that is no number', { values: { config: { ...OPEN.config, MCP_PAGE_SIZE: 'x' } } }, /MCP_PAGE_SIZE/],
  ['an unknown choice', { values: { config: { AUTH_MODE: 'basic' } } }, /at '\/config\/AUTH_MODE'.*allowedValues/],
  ['text for a number', { values: { ...OPEN, replicaCount: 'three' } }, /at '\/replicaCount': must be integer/],
  ['a policy that is none', { values: { ...OPEN, image: { pullPolicy: 'Sometimes' } } }, /\/image\/pullPolicy/],
  ['a bad digest', { values: { ...OPEN, image: { digest: 'sha256:abc' } } }, /\/image\/digest/],
  ['a bad quantity', { values: { ...OPEN, resources: { limits: { memory: '1 GB' } } } }, /\/resources\/limits\/memory/],
  ['a bad host', { values: { ...OPEN, ingress: { hosts: ['https://mcp.example.com'] } } }, /\/ingress\/hosts\/0/],
  ['a Redis that is none', { values: { ...OPEN, redis: { url: 'http://redis' } } }, /\/redis\/url/],
  ['a file as a plain secret', { values: { secrets: { env: { AUDIT_SIGNING_KEY_FILE: 'k' } } } }, /\/secrets\/env/],
  ['a variable in secrets with a typo', { values: { secrets: { env: { REDIS_PASWORD: 'k' } } } }, /\/secrets\/env/],

  // who may call
  ['no decision on who may call', {}, /Nobody has decided who may call/],
  ['no authentication beside issuers', { values: { config: { ...OPEN.config, ...OAUTH } } }, /AUTH_MODE is none, but/],
  ['tokens of nobody', { values: { config: { AUTH_MODE: 'oauth' } } }, /no issuer is configured/],
  ['tokens for no resource', { values: { config: OAUTH } }, /AUTH_RESOURCE is missing/],
  [
    'tokens for another host',
    {
      values: {
        config: { ...OAUTH, AUTH_RESOURCE: 'https://other.example.com/mcp' },
        ingress: { enabled: true, hosts: ['mcp.example.com'] },
      },
    },
    /clients would get tokens for another server/,
  ],
  [
    'tokens for another path',
    {
      values: {
        config: { ...OAUTH, AUTH_RESOURCE: 'https://mcp.example.com/' },
        ingress: { enabled: true, hosts: ['mcp.example.com'] },
      },
    },
    /has the path \/, MCP_PATH is \/mcp/,
  ],

  ['a name with dots', { values: { ...OPEN, fullnameOverride: 'my.rookery' } }, /would be called my\.rookery/],
  ['a name with capitals', { values: { ...OPEN, nameOverride: 'My Name' } }, /which no Service may be/],
  ['a release that begins with a digit', { values: OPEN, release: '1mcp' }, /would be called 1mcp-rookery/],
  [
    'an autoscaler that goes by nothing',
    {
      values: {
        ...OPEN,
        redis: REDIS,
        autoscaling: {
          enabled: true,
          targetCPUUtilizationPercentage: null,
          targetMemoryUtilizationPercentage: null,
          streams: { enabled: false },
          eventLoop: { enabled: false },
        },
      },
    },
    /autoscaling is enabled, but goes by nothing/,
  ],
  [
    'KEDA without a trigger',
    {
      values: {
        ...OPEN,
        redis: REDIS,
        keda: { enabled: true, cpuUtilization: null, memoryUtilization: null, streams: null, eventLoop: null },
      },
    },
    /keda is enabled, but has no trigger/,
  ],
  [
    'no authentication for a resource',
    { values: { config: { ...OPEN.config, AUTH_RESOURCE: 'https://mcp.example.com/mcp' } } },
    /AUTH_RESOURCE can only mean that tokens are asked for/,
  ],
  [
    'issuers that would be ignored',
    { values: { config: OAUTH, existingSecret: 's', secrets: { files: { AUTH_ISSUERS_FILE: 'issuers.json' } } } },
    /AUTH_ISSUERS would be ignored/,
  ],

  // sessions and replicas
  [
    'replicas without Redis',
    { values: { ...OPEN, replicaCount: 2 } },
    /replicaCount is more than 1, which needs Redis/,
  ],
  ['an autoscaler without Redis', { values: { ...OPEN, autoscaling: { enabled: true } } }, /need Redis/],
  ['KEDA without Redis', { values: { ...OPEN, keda: { enabled: true, prometheusAddress: 'http://p' } } }, /need Redis/],
  [
    'two autoscalers',
    { values: { ...OPEN, redis: REDIS, autoscaling: { enabled: true }, keda: { enabled: true } } },
    /autoscaling and keda are both on/,
  ],
  [
    'KEDA that has nobody to ask',
    { values: { ...OPEN, redis: REDIS, keda: { enabled: true } } },
    /keda.prometheusAddress is missing/,
  ],
  [
    'fewest above most',
    { values: { ...OPEN, redis: REDIS, autoscaling: { enabled: true, minReplicas: 20 } } },
    /autoscaling.minReplicas is more than maxReplicas/,
  ],
  [
    'two Redis',
    { values: { ...OPEN, redis: { ...REDIS, bundled: { enabled: true } } } },
    /redis.url and redis.bundled each name a Redis/,
  ],
  [
    'a budget that stops every drain',
    {
      values: { ...OPEN, redis: REDIS, replicaCount: 2, podDisruptionBudget: { enabled: true, minAvailable: 2 } },
    },
    /no node could ever be drained/,
  ],
  ['an audit in no Redis', { values: { config: { ...OPEN.config, AUDIT_TO: 'stdout, redis' } } }, /AUDIT_TO has redis/],

  // stopping
  [
    'draining for less than a call takes',
    { values: { config: { ...OPEN.config, MCP_DRAIN_GRACE_MS: 25_000 } } },
    /MCP_DRAIN_GRACE_MS is 25000, but calls may take 60000 ms.*Set it to 60000 or more/,
  ],
  [
    'draining for less than the longest tool takes',
    { values: { ...OPEN, longestToolTimeoutMs: 300_000 } },
    /calls may take 300000 ms/,
  ],
  [
    'a grace period that is too short',
    { values: { ...OPEN, terminationGracePeriodSeconds: 60 } },
    /terminationGracePeriodSeconds is 60.*take 80.*Set it to 80 or more/,
  ],
  [
    'a delay longer than draining',
    { values: { config: { ...OPEN.config, MCP_DRAIN_DELAY_MS: 70_000 } } },
    /MCP_DRAIN_DELAY_MS is more than MCP_DRAIN_GRACE_MS/,
  ],

  // addresses
  ['MCP where health is', { values: { config: { ...OPEN.config, MCP_PATH: '/health' } } }, /MCP_PATH is \/health, but/],
  ['one port for all', { values: { config: { ...OPEN.config, PORT: 9464 } } }, /MANAGEMENT_PORT are the same/],
  ['loopback', { values: { config: { ...OPEN.config, HOST: '127.0.0.1' } } }, /config.HOST is loopback/],
  ['an Ingress without host', { values: { ...OPEN, ingress: { enabled: true } } }, /ingress.hosts is empty/],
  [
    'an Ingress of who knows what controller',
    { values: { ...OPEN, ingress: { enabled: true, hosts: ['mcp.example.com'] } } },
    /ingress.controller is missing/,
  ],
  [
    'a controller it does not know',
    { values: { ...OPEN, ingress: { controller: 'haproxy' } } },
    /\/ingress\/controller/,
  ],
  [
    'an HTTPRoute of no Gateway',
    { values: { ...OPEN, httpRoute: { enabled: true } } },
    /httpRoute.parentRefs is empty/,
  ],
  ['a name nobody knows', { values: { ...OPEN, service: { type: 'LoadBalancer' } } }, /Set config.MCP_ALLOWED_HOSTS/],

  [
    'a host that is let in nowhere',
    {
      values: {
        config: { ...OPEN.config, MCP_ALLOWED_HOSTS: 'other.example.com' },
        ingress: { enabled: true, hosts: ['mcp.example.com'] },
      },
    },
    /MCP_ALLOWED_HOSTS does not hold mcp.example.com/,
  ],

  // secrets
  [
    'Redis in the wrong place',
    { values: { config: { ...OPEN.config, REDIS_URL: 'redis://r' } } },
    /say it as redis.url/,
  ],
  [
    'another password for the bundled Redis',
    {
      values: {
        ...OPEN,
        existingSecret: 's',
        secrets: { env: { REDIS_PASSWORD: 'k' } },
        redis: { bundled: { enabled: true } },
      },
    },
    /the password of the bundled Redis is redis.bundled.existingSecret/,
  ],
  ['a secret in the ConfigMap', { values: { config: { ...OPEN.config, REDIS_PASSWORD: 'x' } } }, /it is a secret/],
  [
    'a URL with a password',
    { values: { ...OPEN, redis: { url: 'redis://:pass@redis:6379' } } },
    /redis.url has a password/,
  ],
  [
    'a key of no Secret',
    { values: { ...OPEN, secrets: { env: { REDIS_PASSWORD: 'k' } } } },
    /secrets.env.REDIS_PASSWORD names no Secret/,
  ],
  [
    'a variable that is set twice',
    {
      values: {
        config: { ...OPEN.config, LOG_LEVEL: 'info' },
        existingSecret: 's',
        secrets: { env: { LOG_LEVEL: 'k' } },
      },
    },
    /LOG_LEVEL is set by config and by secrets.env/,
  ],
  [
    'secrets of no store',
    { values: { ...OPEN, externalSecrets: { enabled: true } } },
    /secretStoreRef.name is missing/,
  ],
  ['the latest image', { values: { ...OPEN, image: { tag: 'latest' } } }, /image.tag is latest/],

  // watching
  [
    'two monitors',
    { values: { ...OPEN, metrics: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } } },
    /are both on, and would count everything twice/,
  ],
  [
    'a monitor of nothing',
    { values: { config: { ...OPEN.config, METRICS_ENABLED: false }, metrics: { podMonitor: { enabled: true } } } },
    /METRICS_ENABLED is false, so there is nothing to scrape/,
  ],
  [
    'alerts without a runbook',
    { values: { ...OPEN, metrics: { prometheusRule: { enabled: true } } } },
    /runbookUrl is missing/,
  ],
  [
    'the one alert of a release without a runbook',
    { values: { ...OPEN, metrics: { prometheusRule: { noReplicas: true } } } },
    /runbookUrl is missing/,
  ],
  [
    'an alert to leave out that is none',
    { values: { ...OPEN, metrics: { prometheusRule: { disabledAlerts: ['RookeryDwon'] } } } },
    /has RookeryDwon, which is no alert/,
  ],
  [
    'a severity of an alert that is none',
    { values: { ...OPEN, metrics: { prometheusRule: { alertSeverities: { RookeryUp: 'ticket' } } } } },
    /has RookeryUp, which is no alert/,
  ],
  [
    'a severity that no rule has',
    { values: { ...OPEN, metrics: { prometheusRule: { severities: { pager: 'critical' } } } } },
    /"pager"/,
  ],
  [
    'a severity among the labels',
    { values: { ...OPEN, metrics: { prometheusRule: { alertLabels: { severity: 'critical' } } } } },
    /\/alertLabels/,
  ],
  [
    'a ServiceMonitor without its Service',
    {
      values: { ...OPEN, service: { management: { enabled: false } }, metrics: { serviceMonitor: { enabled: true } } },
    },
    /needs service.management.enabled/,
  ],
];

describe.skipIf(cannotRender())('the chart refuses', () => {
  let rendered: Rendered[];
  beforeAll(async () => {
    rendered = await renderAll(REFUSALS.map(([, job]) => job));
  });

  it.each(REFUSALS.map(([what, , message], index) => [what, index, message] as const))(
    '%s',
    (_what, index, message) => {
      expect(rendered[index]?.error).toMatch(message);
    },
  );

  // With generated values, what is said is only known to be one of these.
  it.each(documentedRefusals().map(({ text, pattern }) => [text, pattern] as const))(
    'with the words: %s',
    (_text, pattern) => {
      const said = rendered.flatMap(({ error = '' }) => problemsIn(error) ?? []);
      expect(said.some((problem) => pattern.test(problem))).toBe(true);
    },
  );

  it('with all problems at once', async () => {
    const [both] = await renderAll([{ values: { replicaCount: 2, ingress: { enabled: true } } }]);
    expect(both?.error).toMatch(/Nobody has decided/);
    expect(both?.error).toMatch(/ingress.hosts is empty/);
    expect(both?.error).toMatch(/needs Redis/);
  });

  it('without saying the secret that it found', async () => {
    const [refused] = await renderAll([
      { values: { config: { ...OPEN.config, REDIS_PASSWORD: 'hunter2' }, redis: { url: 'redis://:hunter2@redis' } } },
    ]);
    expect(refused?.error).not.toContain('hunter2');
  });
});
