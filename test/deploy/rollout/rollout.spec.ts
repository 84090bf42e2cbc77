import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { problemsOf } from '../../soak/criteria.js';
import type { Counts } from '../../soak/ledger.js';
import { ofKind, only, render } from '../../helm/support/chart.js';
import { until } from '../../support/cluster/until.js';
import { CompiledServer } from '../../support/compiled-server.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { type RedisServer, startRedisServer } from '../../support/redis/redis-server.js';
import { RolloutLoad } from './load.js';
import { cannotRollOut } from './neighbours.js';
import { type RolloutPlan, faster, readPlan } from './rollout-plan.js';
import { Supervisor } from './supervisor.js';

vi.setConfig({ testTimeout: 90_000 });

/**
 * By what every time that the chart says is divided: probes, preStop, drain, grace, the time a pod must be ready. A call
 * may take 6 s here for the 60 s of production. What is not divided, and so is harder here than there: the seconds that
 * a process takes to start, those that Redis and the replicas allow each other, and those in which streams end (5 s).
 */
const SCALE = 10;
/** Ten seconds of production would be 1 s, which is what preStop waits; five seconds are a slow balancer. */
const PROPAGATION_MS = 500;

/** What production has and a test has not: callers with tokens, and what lies in its Secrets. */
const LEFT_OUT = [
  ...['AUTH_ISSUERS', 'AUTH_ANONYMOUS', 'AUTH_RESOURCE', 'ACCESS_UNDECLARED'],
  ...['AUDIT_SIGNING_KEY_FILE', 'REDIS_TLS_CA_FILE'],
];

/** What the values of a version say besides those for production. */
interface Values {
  readonly redis?: { readonly url: string };
  readonly config?: Readonly<Record<string, string>>;
}

const SERVER = 'test/deploy/rollout/server.fixture.ts';
const STATE_KEYS = `test:${Buffer.alloc(32, 7).toString('base64')}`;

/** Versions that cannot serve, by their values; how their pods fail, and what they say of it. */
const BROKEN: readonly [how: string, values: () => Promise<Values>, says: RegExp][] = [
  ['never reaches Redis', async () => ({ redis: { url: `redis://127.0.0.1:${await freePort()}` } }), /Redis/],
  ['ends when it starts', async () => ({ config: { AUDIT_TO: 'nowhere' } }), /AUDIT_TO/],
];
/** How long such a version is looked at; others need half of it. */
const STALLS_MS = 5_000;

describe.skipIf(cannotRollOut())('a rollout of the chart under load', () => {
  let redis: RedisServer;
  let compiled: CompiledServer;
  let plan: RolloutPlan;
  let app: Supervisor;
  const version = ({ redis: { url } = redis, config = {} }: Values) => production({ redis: { url }, config });
  let load: RolloutLoad;
  let beforeKill = (): void => undefined;
  beforeAll(async () => {
    redis = await startRedisServer({ appendOnly: true });
    plan = await version({ config: { OTEL_SERVICE_NAME: 'version-1' } });
    compiled = new CompiledServer([SERVER, 'test/soak/server/soak.tools.ts']);
    app = await Supervisor.start({
      ...{ plan, scale: SCALE, propagationMs: PROPAGATION_MS, beforeKill: () => beforeKill() },
      script: compiled.script(SERVER),
    });
    load = new RolloutLoad(app.url, () => app.balancerLog);
    await load.open();
  }, 120_000);
  afterAll(async () => {
    await load?.close();
    await app?.[Symbol.asyncDispose]();
    compiled?.[Symbol.dispose]();
    await redis?.close();
  });

  it('is what the values for production say', () => {
    expect(plan).toMatchObject({ replicas: 3, maxSurge: 1, maxUnavailable: 0 });
    expect(Object.keys(plan.probes)).toEqual(['startup', 'readiness', 'liveness']);
  });

  it('replaces every replica, and no request fails and no event is lost', async ({ annotate }) => {
    const before = app.pods.map(({ pid }) => pid);
    app.takeFewestReady();

    const next = await version({ config: { OTEL_SERVICE_NAME: 'version-2' } });
    const counts = await load.during('rolling', async () => {
      app.apply(next);
      await app.rolledOut();
      await app.settled();
    });

    expect(problemsOf('rolling', counts), load.incidents.join('\n')).toEqual([]);
    expect(app.ended.map(({ pid }) => pid).sort()).toEqual(before.sort());
    expect(app.ended.filter(({ killed, code }) => killed || code !== 0)).toEqual([]);
    expect(app.takeFewestReady()).toBe(3);
    expect(sentAgain(app)).toEqual([]);
    await annotate(`${inWords(counts)}; replicas took ${app.ended.map(({ tookMs }) => tookMs).join(', ')} ms to end`);
  });

  it.each(BROKEN)('stalls with a version that %s, hurts nobody, and is rolled back', async (_how, broken, says) => {
    const before = app.pods;
    const bad = await version(await broken());
    app.takeFewestReady();

    const counts = await load.during('steady', async () => {
      const good = app.apply(bad);
      await expect(app.rolledOut(STALLS_MS)).rejects.toThrow('still not so');
      await eventually(() => expect(app.current[0]?.log).toMatch(says));
      expect(app.current.map(({ ready }) => ready)).toEqual([false]);
      app.rollBack(good);
      await app.rolledOut();
      await app.settled();
    });

    expect(problemsOf('steady', counts), load.incidents.join('\n')).toEqual([]);
    expect(app.pods).toEqual(before);
    expect(app.pods.map(({ restarts }) => restarts)).toEqual([0, 0, 0]);
    expect(app.takeFewestReady()).toBe(3);
  });

  it('keeps what it has for the former version: a pod of it that starts again while the next one stalls comes back', async () => {
    const bad = await version({ config: { AUDIT_TO: 'nowhere' } });
    const pod = app.pods.at(-1);
    if (!pod) throw new Error('There is no pod.');
    const { pid } = pod;

    const counts = await load.during('rolling', async () => {
      const good = app.apply(bad);
      await eventually(() => expect(app.current[0]?.log).toMatch(/AUDIT_TO/));
      // As after an out-of-memory kill, but in good order, so that nothing else is seen here.
      pod.signal('SIGTERM');
      await until('its container runs again, and is ready', () => pod.restarts === 1 && pod.ready);
      expect(app.current.map(({ ready }) => ready)).toEqual([false]);
      app.rollBack(good);
      await app.rolledOut();
      await app.settled();
    });

    expect(problemsOf('rolling', counts), load.incidents.join('\n')).toEqual([]);
    expect(pod.ended).toMatchObject([{ pid, code: 0, killed: false }]);
    expect(app.pods).toContain(pod);
  });

  it('starts a stalled replica again; only what was with it fails', async ({ annotate }) => {
    const [pod] = app.pods;
    if (!pod) throw new Error('There is no pod.');
    const { pid, address } = pod;
    let stalledMs = 0;

    const counts = await load.during('kill', async () => {
      await delay(1_000);
      const stalledAt = Date.now();
      beforeKill = load.stalled(pid, address);
      pod.signal('SIGSTOP');
      await until('the kubelet has killed it', () => pod.restarts === 1);
      stalledMs = Date.now() - stalledAt;
      await app.rolledOut();
      await delay(1_000);
    });

    expect(problemsOf('kill', counts), load.incidents.join('\n')).toEqual([]);
    expect(pod.ended).toMatchObject([{ pid, signal: 'SIGKILL', killed: true }]);
    await annotate(`${inWords(counts)}; it stood still for ${stalledMs} ms`);
  });
});

/** The plan of `values-production.yaml` and some values more, as it can be had here. */
async function production({ redis, config }: Required<Values>): Promise<RolloutPlan> {
  const { objects, values } = await render({
    files: ['values-production.yaml'],
    // In production the URL comes from a Secret. From the ConfigMap it can be changed for the worse.
    values: { config, redis: { ...redis, existingSecret: { name: '' } } },
    kubeVersion: 'v1.31.0',
  });
  const plan = faster(
    readPlan(only(objects, 'Deployment'), ofKind(objects, 'ConfigMap'), values['autoscaling'].minReplicas),
    SCALE,
  );
  const given = ([name]: [string, string]): boolean => !LEFT_OUT.includes(name);
  const { configMap, env } = plan;
  const data = Object.fromEntries(Object.entries<string>(configMap['data']).filter(given));
  const here = { HOST: '127.0.0.1', AUTH_MODE: 'none', MCP_REQUEST_STATE_KEYS: STATE_KEYS, NODE_ENV: 'production' };
  return {
    ...plan,
    configMap: { ...configMap, data },
    env: { ...Object.fromEntries(Object.entries(env).filter(given)), ...here },
  };
}

/**
 * What the balancer of the test has sent to another replica: after a 503, or because a connection was refused. With the
 * chart's preStop it never has to, and other balancers would not.
 */
function sentAgain({ logs, balancerLog }: Supervisor): string[] {
  return [
    ...(logs.match(/^.*"http_status":503.*$/gm) ?? []),
    ...(balancerLog.match(/^.*connect\(\) failed.*$/gm) ?? []),
  ];
}

function inWords(counts: Counts): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.map(([counter, count]) => `${counter} ${count}`).join(', ');
}
