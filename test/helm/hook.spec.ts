import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CompiledServer } from '../support/compiled-server.js';
import { Replica } from '../support/cluster/replica.js';
import { freePort } from '../support/free-port.js';
import { type Manifest, only, render, serverConfig } from './support/chart.js';
import { type RenderJob, cannotRender } from './support/renderer.js';
import { installation } from './support/values-files.js';
import type { Json } from './support/json.js';

const AUTH = {
  config: { AUTH_ISSUERS: 'https://login.example.com/', AUTH_RESOURCE: 'https://mcp.example.com/mcp' },
};
const OPEN = { config: { AUTH_MODE: 'none' } };

let compiled: CompiledServer;

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the script of the test hook as its pod would, against another URL. @param secrets what keys of its Secret hold */
async function runHook(
  objects: readonly Manifest[],
  url: string,
  secrets: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const pod = only(objects, 'Pod');
  const [{ command, env, volumeMounts }] = pod['spec'].containers;
  const [mount] = volumeMounts.filter(({ mountPath }: Json) => command.at(-1).startsWith(`${mountPath}/`));
  const { configMap } = pod['spec'].volumes.find(({ name }: Json) => name === mount.name);
  const file: string = command.at(-1).slice(mount.mountPath.length + 1);
  const dir = mkdtempSync(join(tmpdir(), 'rookery-hook-'));
  try {
    writeFileSync(join(dir, file), only(objects.filter(named(configMap.name)), 'ConfigMap')['data'][file]);
    const variables = Object.fromEntries(
      env.map(({ name, value, valueFrom }: Json) => [name, value ?? secrets[valueFrom.secretKeyRef.key]]),
    );
    const args = [...command.slice(1, -1), join(dir, file)];
    return await run(args, { ...variables, MCP_URL: url });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const named = (name: string) => (object: Manifest) => object.metadata.name === name;

async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, output };
}

/** Runs the hook of one installation against a server with the ConfigMap of another, or of the same. */
async function hookAgainst(
  served: readonly Manifest[],
  objects: readonly Manifest[],
  secrets: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const { data } = serverConfig(served);
  const [port, management] = [await freePort(), await freePort()];
  const env = { ...data, PORT: String(port), HOST: '127.0.0.1', MANAGEMENT_PORT: String(management) };
  const server = await Replica.start(compiled.script('src/main.ts'), env);
  try {
    return await runHook(objects, `http://127.0.0.1:${port}/mcp`, secrets);
  } finally {
    await server.kill();
  }
}

describe.skipIf(cannotRender())('the hook of helm test', () => {
  let secrets: string;
  const servers: Server[] = [];
  beforeAll(() => {
    compiled = new CompiledServer([]);
    secrets = mkdtempSync(join(tmpdir(), 'rookery-hook-secrets-'));
  });
  afterAll(() => {
    compiled[Symbol.dispose]();
    rmSync(secrets, { recursive: true, force: true });
  });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** URL of a server that gives these statuses and headers. */
  async function served(answer: () => [status: number, headers: Record<string, string>]): Promise<string> {
    const server = createServer((_request, response) => response.writeHead(...answer()).end());
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  }

  const rendered = async (job: RenderJob) => (await render(installation(job))).objects;

  it('is a hook, of the image of the platform, and ends', async () => {
    const objects = await rendered({ values: OPEN });
    const pod = only(objects, 'Pod');
    const deployment = only(objects, 'Deployment');
    expect(pod.metadata.annotations?.['helm.sh/hook']).toBe('test');
    expect(pod['spec'].restartPolicy).toBe('Never');
    expect(pod['spec'].activeDeadlineSeconds).toBeGreaterThan(0);
    expect(pod['spec'].containers[0].image).toBe(deployment['spec'].template.spec.containers[0].image);
  });

  it('calls the Service by a name that the server lets in', async () => {
    const objects = await rendered({ values: OPEN });
    const { env } = only(objects, 'Pod')['spec'].containers[0];
    const { hostname, pathname } = new URL(env.find(({ name }: Json) => name === 'MCP_URL').value);
    const { data } = serverConfig(objects);
    expect(data.MCP_ALLOWED_HOSTS.split(',')).toContain(hostname);
    expect(pathname).toBe('/mcp');
  });

  it('makes calls of both eras to a server that is open', async () => {
    const objects = await rendered({ values: OPEN });
    const { code, output } = await hookAgainst(objects, objects);
    expect(output).toMatch(/server\/discover: .*\ntools\/list: [1-9]\d* tools\ninitialize: rookery/);
    expect(code).toBe(0);
  });

  it('wants to be refused by a server that asks for tokens', async () => {
    const objects = await rendered({ values: AUTH });
    const { code, output } = await hookAgainst(objects, objects);
    expect(output).toContain('resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"');
    expect(code).toBe(0);
  });

  it('makes calls with a token, where it has one', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = join(secrets, 'key.pem');
    writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }));
    const config = { ...AUTH.config, AUTH_PUBLIC_KEY_FILE: key, AUTH_ALGORITHMS: 'ES256' };
    const token = await new SignJWT({ client_id: 'helm-test' })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .setIssuer('https://login.example.com/')
      .setAudience('https://mcp.example.com/mcp')
      .setSubject('helm-test')
      .setJti('1')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
    const objects = await rendered({ values: { config, tests: { token: { existingSecret: 'test-token' } } } });
    const { code, output } = await hookAgainst(objects, objects, { token });
    expect(output).toMatch(
      /A call with a wrong token: 401.*\nserver\/discover: .*\ntools\/list: \d+ tools\ninitialize: /,
    );
    expect(output).not.toContain(token);
    expect(code).toBe(0);
  });

  it('says that it only tested the refusal, where it has no token', async () => {
    const objects = await rendered({ values: AUTH });
    const url = await served(() => [401, { 'www-authenticate': 'Bearer resource_metadata="https://m"' }]);
    const { code, output } = await runHook(objects, url);
    expect(output).toContain('Only the refusal was tested. With tests.token.existingSecret');
    expect(code).toBe(0);
    expect((await render(installation({ values: AUTH }))).notes).toContain('It only tests that a call without a token');
  });

  it('tries again while replicas start', async () => {
    const objects = await rendered({ values: AUTH });
    let asked = 0;
    const url = await served(() => {
      asked += 1;
      if (asked < 3) return [503, { 'retry-after': '0' }];
      return [401, { 'www-authenticate': 'Bearer resource_metadata="https://m"' }];
    });
    expect((await runHook(objects, url)).code).toBe(0);
    expect(asked).toBe(3);
  });

  it('fails when a server is open that should ask for tokens', async () => {
    const { code, output } = await hookAgainst(await rendered({ values: OPEN }), await rendered({ values: AUTH }));
    expect(output).toMatch(/A call with a wrong token got HTTP/);
    expect(code).toBe(1);
  });

  it('fails when a server asks for tokens that should be open', async () => {
    const { code, output } = await hookAgainst(await rendered({ values: AUTH }), await rendered({ values: OPEN }));
    expect(output).toContain('401');
    expect(code).toBe(1);
  });
});
