import { beforeAll, describe, expect, it } from 'vitest';
import { type Manifest, type Rendered, only, render, serverConfig } from './support/chart.js';
import { POLICIES } from './support/policies.js';
import { cannotRender } from './support/renderer.js';
import { INSTALLATIONS, installation } from './support/values-files.js';
import type { Json } from './support/json.js';

type Change = (objects: Manifest[]) => void;

const pod = (objects: Manifest[]) => only(objects, 'Deployment')['spec'].template.spec;
const container = (objects: Manifest[]) => pod(objects).containers[0];
const without = (objects: Manifest[], kind: string, suffix = '') =>
  objects.splice(objects.indexOf(only(objects, kind, suffix)), 1);

/** What somebody might do to a template, under the policy that has to notice. */
const MISTAKES: Readonly<Record<string, readonly [what: string, change: Change][]>> = {
  'images have a tag that stays': [
    ['latest', (all) => (container(all).image = 'registry:5000/rookery:latest')],
    ['no tag', (all) => (container(all).image = 'registry:5000/rookery')],
  ],
  'no pod runs as root': [
    ['not said', (all) => delete pod(all).securityContext.runAsNonRoot],
    ['user 0 in a container', (all) => (container(all).securityContext.runAsUser = 0)],
  ],
  'system calls are filtered': [['unconfined', (all) => (pod(all).securityContext.seccompProfile.type = 'Unconfined')]],
  'containers can do no more than their user': [
    ['escalation', (all) => (container(all).securityContext.allowPrivilegeEscalation = true)],
    ['writable', (all) => delete container(all).securityContext.readOnlyRootFilesystem],
    ['capabilities', (all) => (container(all).securityContext.capabilities = { drop: ['NET_RAW'] })],
    ['privileged', (all) => (container(all).securityContext.privileged = true)],
  ],
  'nothing of the host is used': [
    ['network', (all) => (pod(all).hostNetwork = true)],
    ['path', (all) => pod(all).volumes.push({ name: 'h', hostPath: { path: '/' } })],
    ['port', (all) => (container(all).ports[0].hostPort = 3000)],
  ],
  'containers say what they need': [
    ['no limit', (all) => delete container(all).resources.limits.memory],
    ['nothing at all', (all) => delete container(all).resources],
  ],
  'containers that stay are probed': [
    ['no readiness', (all) => delete container(all).readinessProbe],
    ['a sidecar', (all) => pod(all).containers.push({ name: 'sidecar' })],
  ],
  'no pod has a token for Kubernetes': [
    ['pod', (all) => delete pod(all).automountServiceAccountToken],
    ['account', (all) => delete (only(all, 'ServiceAccount') as Json).automountServiceAccountToken],
  ],
  'variables and ports of a container are named once': [
    ['variable', (all) => container(all).env.push(container(all).env[0])],
    ['long port name', (all) => (container(all).ports[0].name = 'a-name-too-long-by-far')],
  ],
  'volumes are mounted, and mounts have volumes': [
    ['no volume', (all) => container(all).volumeMounts.push({ name: 'none', mountPath: '/none' })],
    ['no mount', (all) => pod(all).volumes.push({ name: 'idle', emptyDir: {} })],
  ],
  'objects have names and labels that Kubernetes takes, once each': [
    ['twice', (all) => all.push(only(all, 'Deployment'))],
    ['a long name', (all) => ((only(all, 'Service', 'rookery').metadata as Json).name = 'a'.repeat(64))],
    ['a dot', (all) => ((only(all, 'Service', 'rookery').metadata as Json).name = 'a.b')],
    ['capitals', (all) => ((only(all, 'Deployment').metadata as Json).name = 'A')],
    ['a label', (all) => ((only(all, 'Deployment').metadata.labels as Json).a = 'with space')],
  ],
  'selectors select the pods of their workload, whatever its version, and no others': [
    ['another label', (all) => (only(all, 'Deployment')['spec'].selector.matchLabels.other = 'x')],
    ['version', (all) => (only(all, 'Deployment')['spec'].selector.matchLabels['helm.sh/chart'] = 'x')],
    [
      'pods of the test',
      (all) => delete only(all, 'Deployment')['spec'].selector.matchLabels['app.kubernetes.io/component'],
    ],
  ],
  'services lead to a named port of some pods': [
    ['no pods', (all) => (only(all, 'Service', 'rookery')['spec'].selector.app = 'none')],
    ['no port', (all) => (only(all, 'Service', 'rookery')['spec'].ports[0].targetPort = 'htpp')],
    ['a number', (all) => (only(all, 'Service', 'rookery')['spec'].ports[0].targetPort = 3000)],
  ],
  'routes lead to the MCP port of a Service that is there': [
    ['no Service', (all) => without(all, 'Service', 'rookery')],
    ['management', (all) => (only(all, 'Service', 'rookery')['spec'].ports[0].targetPort = 'management')],
  ],
  'autoscalers scale something that leaves its replicas to them': [
    ['nothing', (all) => (only(all, 'HorizontalPodAutoscaler')['spec'].scaleTargetRef.name = 'other')],
    ['replicas', (all) => (only(all, 'Deployment')['spec'].replicas = 3)],
  ],
  'budgets and network policies are about pods that are there': [
    ['budget', (all) => (only(all, 'PodDisruptionBudget')['spec'].selector.matchLabels.x = 'y')],
    ['policy for all', (all) => (only(all, 'NetworkPolicy')['spec'].podSelector = {})],
  ],
  'monitors find what they scrape, on the management port': [
    ['no Service', (all) => without(all, 'Service', 'management')],
    ['the MCP port', (all) => (only(all, 'ServiceMonitor')['spec'].endpoints[0].port = 'http')],
  ],
  'what pods refer to is rendered, or the values name it': [
    ['ConfigMap', (all) => all.splice(all.indexOf(serverConfig(all)), 1)],
    ['Secret', (all) => (container(all).env[0].valueFrom.secretKeyRef.name = 'other')],
    ['account', (all) => without(all, 'ServiceAccount')],
  ],
  'keys that pods read are in the rendered ConfigMaps and Secrets': [
    [
      'a key',
      (all) =>
        container(all).env.push({
          name: 'X',
          valueFrom: { configMapKeyRef: { name: serverConfig(all).metadata.name, key: 'NONE' } },
        }),
    ],
  ],
  'pods have the time to drain': [
    ['too short', (all) => (pod(all).terminationGracePeriodSeconds = 79)],
    ['a longer wait', (all) => (container(all).lifecycle.preStop = { sleep: { seconds: 30 } })],
    ['long calls', (all) => (serverConfig(all)['data'].MCP_CALL_TIMEOUT_MS = '90000')],
  ],
  'the server can read its configuration, which holds no secrets': [
    ['a float', (all) => (serverConfig(all)['data'].MCP_SESSION_MAX_MS = '8.64e+07')],
    ['no text', (all) => (serverConfig(all)['data'].PORT = 3000)],
    ['a password', (all) => (serverConfig(all)['data'].REDIS_PASSWORD = 'x')],
  ],
  'nothing is sticky': [
    ['Service', (all) => (only(all, 'Service', 'rookery')['spec'].sessionAffinity = 'ClientIP')],
    [
      'Ingress',
      (all) => ((only(all, 'Ingress').metadata.annotations as Json)['nginx.ingress.kubernetes.io/affinity'] = 'cookie'),
    ],
  ],
  'streams pass routes unbuffered and stay open': [
    [
      'buffers',
      (all) =>
        delete (only(all, 'Ingress').metadata.annotations as Json)['nginx.ingress.kubernetes.io/proxy-buffering'],
    ],
    [
      'short',
      (all) =>
        ((only(all, 'Ingress').metadata.annotations as Json)['nginx.ingress.kubernetes.io/proxy-read-timeout'] = '60'),
    ],
  ],
};

describe.skipIf(cannotRender())('the policies', () => {
  let production: Rendered;
  beforeAll(async () => {
    // Both ways in at once.
    const ingress = { enabled: true, controller: 'nginx', hosts: ['mcp.example.com'] };
    production = await render(installation({ ...INSTALLATIONS['production'], values: { ingress } }));
  });

  it('are each seen to fail here', () => {
    expect(Object.keys(MISTAKES).sort()).toEqual(Object.keys(POLICIES).sort());
  });

  describe.each(Object.entries(MISTAKES))('%s', (policy, mistakes) => {
    it.each(mistakes)('notices: %s', (_what, change) => {
      const objects = structuredClone(production.objects) as Manifest[];
      const check = POLICIES[policy];
      expect(check?.({ ...production, objects })).toEqual([]);
      change(objects);
      expect(check?.({ ...production, objects })).not.toEqual([]);
    });
  });
});
