import { describe, expect, it } from 'vitest';
import { only, render, serverConfig } from './support/chart.js';
import { type RenderJob, cannotRender } from './support/renderer.js';
import { installation } from './support/values-files.js';
import type { Json } from './support/json.js';

const OPEN = { config: { AUTH_MODE: 'none' } };

describe.skipIf(cannotRender())('the configuration of replicas', () => {
  const rendered = async (job: RenderJob) => (await render(installation(job))).objects;
  const configOf = async (values: Record<string, unknown>) => serverConfig(await rendered({ values }));
  const variableOf = async (name: string, values: Record<string, unknown>) =>
    only(await rendered({ values: { ...OPEN, ...values } }), 'Deployment')[
      'spec'
    ].template.spec.containers[0].env?.find((variable: Json) => variable.name === name)?.value;

  it('is in a ConfigMap that is named by what it holds, and cannot be changed', async () => {
    const before = await configOf(OPEN);
    const after = await configOf({ config: { ...OPEN.config, LOG_LEVEL: 'debug' } });
    const again = await configOf({ ...OPEN, service: { port: 8080 }, image: { tag: '9.9.9' } });
    expect(before.metadata.name).toMatch(/^mcp-rookery-[0-9a-f]{8}$/);
    expect(before['immutable']).toBe(true);
    expect(after.metadata.name).toMatch(/^mcp-rookery-[0-9a-f]{8}$/);
    expect(after.metadata.name).not.toBe(before.metadata.name);
    expect(again.metadata.name).toBe(before.metadata.name);
  });

  it('outlives the revisions that it is of, and comes back with them', async () => {
    // With helm.sh/resource-policy: keep, `helm rollback` of Helm 3 finds what it does not expect, and fails.
    expect((await configOf(OPEN)).metadata.annotations).toEqual({
      'helm.sh/hook': 'pre-install,pre-upgrade,pre-rollback',
      'helm.sh/hook-weight': '-5',
      'helm.sh/hook-delete-policy': 'before-hook-creation',
    });
  });

  it('can be told from other ConfigMaps, to be cleared away', async () => {
    expect((await configOf(OPEN)).metadata.labels).toMatchObject({
      'app.kubernetes.io/instance': 'mcp',
      'app.kubernetes.io/component': 'configuration',
    });
  });

  it('has a name that fits, and so do the pods', async () => {
    const objects = await rendered({ release: 'a'.repeat(53), values: OPEN });
    expect(serverConfig(objects).metadata.name).toHaveLength(55);
    // Kubernetes appends a hash of 10 characters, cuts at 58, and appends 5 more.
    expect(`${only(objects, 'Deployment').metadata.name}-0123456789-`).toHaveLength(58);
  });

  it.each([
    ['384Mi', '--max-old-space-size=192'],
    ['768Mi', '--max-old-space-size=384'],
    ['2Gi', '--max-old-space-size=1024'],
    ['1.5Gi', '--max-old-space-size=768'],
    ['1G', '--max-old-space-size=476'],
    [536_870_912, '--max-old-space-size=256'],
    ['100Mi', '--max-old-space-size=64'],
  ])('bounds the heap by the requested memory: %s', async (memory, expected) => {
    expect(await variableOf('NODE_OPTIONS', { resources: { requests: { memory } } })).toBe(expected);
  });

  it('takes other options of Node, or none', async () => {
    expect(await variableOf('NODE_OPTIONS', { nodeOptions: '--enable-source-maps' })).toBe('--enable-source-maps');
    expect(await variableOf('NODE_OPTIONS', { nodeOptions: null })).toBeUndefined();
    expect(await variableOf('NODE_OPTIONS', { resources: { requests: { memory: null } } })).toBeUndefined();
    expect(await variableOf('NODE_OPTIONS', { extraEnv: [{ name: 'NODE_OPTIONS', value: '--own' }] })).toBe('--own');
  });

  it('listens on IPv6 where the Service has it', async () => {
    const service = { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4', 'IPv6'] };
    expect((await configOf(OPEN))['data'].HOST).toBe('0.0.0.0');
    expect((await configOf({ ...OPEN, service }))['data'].HOST).toBe('::');
    const objects = await rendered({ values: { ...OPEN, service } });
    expect(only(objects, 'Service', 'rookery')['spec']).toMatchObject(service);
    expect(only(objects, 'Service', 'management')['spec']).toMatchObject(service);
  });
});
