import { describe, expect, it } from 'vitest';
import { type Manifest, only, render } from './support/chart.js';
import { cannotRender } from './support/renderer.js';
import { installation } from './support/values-files.js';
import type { Json } from './support/json.js';

const OPEN = { config: { AUTH_MODE: 'none' } };
const HOSTS = ['mcp.example.com'];

async function rendered(values: Record<string, unknown>): Promise<{ objects: readonly Manifest[]; notes: string }> {
  return render(installation({ values: { ...OPEN, ...values } }));
}

describe.skipIf(cannotRender())('the Ingress', () => {
  const annotationsOf = async (controller: string, more: Record<string, unknown> = {}) => {
    const { objects } = await rendered({ ...more, ingress: { enabled: true, controller, hosts: HOSTS } });
    return only(objects, 'Ingress').metadata.annotations;
  };

  it('of ingress-nginx has its annotations', async () => {
    expect(await annotationsOf('nginx')).toEqual({
      'nginx.ingress.kubernetes.io/proxy-buffering': 'off',
      'nginx.ingress.kubernetes.io/proxy-http-version': '1.1',
      'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
      'nginx.ingress.kubernetes.io/proxy-send-timeout': '3600',
      'nginx.ingress.kubernetes.io/proxy-body-size': '1048576',
    });
  });

  it("of F5's controller has others", async () => {
    expect(await annotationsOf('f5-nginx', { config: { ...OPEN.config, MCP_MAX_BODY_BYTES: 2_097_152 } })).toEqual({
      'nginx.org/proxy-buffering': 'False',
      'nginx.org/proxy-read-timeout': '3600s',
      'nginx.org/proxy-send-timeout': '3600s',
      'nginx.org/client-max-body-size': '2097152',
    });
  });

  it('of an ALB has pods asked for their health, and lets go of them after they have drained', async () => {
    expect(await annotationsOf('alb')).toEqual({
      'alb.ingress.kubernetes.io/target-type': 'ip',
      'alb.ingress.kubernetes.io/healthcheck-port': '9464',
      'alb.ingress.kubernetes.io/healthcheck-path': '/health/ready',
      'alb.ingress.kubernetes.io/healthcheck-interval-seconds': '5',
      'alb.ingress.kubernetes.io/healthcheck-timeout-seconds': '4',
      'alb.ingress.kubernetes.io/unhealthy-threshold-count': '2',
      // Replicas keep an idle connection for 75 s.
      'alb.ingress.kubernetes.io/load-balancer-attributes': 'idle_timeout.timeout_seconds=70',
      'alb.ingress.kubernetes.io/target-group-attributes':
        'deregistration_delay.timeout_seconds=75,load_balancing.algorithm.type=least_outstanding_requests',
    });
  });

  it.each(['traefik', 'none'])('of %s has none', async (controller) => {
    expect(await annotationsOf(controller)).toBeUndefined();
  });
});

describe.skipIf(cannotRender())('the HTTPRoute', () => {
  it('leaves out timeouts that a Gateway does not know', async () => {
    const route = { enabled: true, parentRefs: [{ name: 'gateway' }], hostnames: HOSTS };
    const rulesOf = async (values: Record<string, unknown>) =>
      only((await rendered({ httpRoute: { ...route, ...values } })).objects, 'HTTPRoute')['spec'].rules;
    expect(await rulesOf({})).toMatchObject([{ timeouts: { request: '0s', backendRequest: '0s' } }]);
    expect((await rulesOf({ timeouts: null }))[0]).not.toHaveProperty('timeouts');
    expect((await rulesOf({ timeouts: { backendRequest: null } }))[0].timeouts).toEqual({ request: '0s' });
  });
});

describe.skipIf(cannotRender())('the Service', () => {
  const specOf = async (service: Record<string, unknown>) =>
    only(
      (await rendered({ config: { ...OPEN.config, MCP_ALLOWED_HOSTS: '*' }, service })).objects,
      'Service',
      'rookery',
    )['spec'];

  it('of a LoadBalancer takes its class and policy', async () => {
    const values = { loadBalancerClass: 'service.k8s.aws/nlb', externalTrafficPolicy: 'Local' };
    expect(await specOf({ type: 'LoadBalancer', ...values })).toMatchObject(values);
  });

  it('has neither where Kubernetes would refuse them', async () => {
    const spec = await specOf({ loadBalancerClass: 'service.k8s.aws/nlb', externalTrafficPolicy: 'Local' });
    expect(spec).not.toHaveProperty('loadBalancerClass');
    expect(spec).not.toHaveProperty('externalTrafficPolicy');
  });
});

describe.skipIf(cannotRender())('the NetworkPolicy', () => {
  const networkPolicy = { enabled: true };
  const egressOf = async (values: Record<string, unknown>): Promise<(number | string)[][]> =>
    only((await rendered({ networkPolicy, ...values })).objects, 'NetworkPolicy')['spec'].egress.map(
      ({ ports }: Json) => ports.map(({ port }: Json) => port),
    );

  it.each([
    ['redis://redis', [6379]],
    ['redis://redis:6380/1', [6380, 6379]],
    ['rediss://user@[fd00::1]:6380/0?a=b:1', [6380, 6379]],
    ['redis+sentinel://s1,s2:26380/main?db=0', [26_379, 26_380, 6379]],
    ['rediss+cluster://a:7000,b:7001', [7000, 7001, 6379]],
  ])('lets replicas reach %s', async (url, ports) => {
    expect(await egressOf({ redis: { url } })).toContainEqual(ports);
  });

  it('goes by redisPorts where the URL is in a Secret, and says so', async () => {
    const values = {
      redis: { existingSecret: { name: 'redis' } },
      networkPolicy: { enabled: true, egress: { redisPorts: [26_379, 6380] } },
    };
    expect(await egressOf(values)).toContainEqual([26_379, 6380]);
    const { notes } = await rendered(values);
    expect(notes).toContain('networkPolicy lets through only port 26379, 6380. Set\nnetworkPolicy.egress.redisPorts');
  });

  it('lets them ask for names, on the port of OpenShift, too', async () => {
    expect(await egressOf({})).toContainEqual([53, 53, 5353, 5353]);
  });
});
