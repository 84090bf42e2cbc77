import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../support/free-port.js';
import { findRedisServer } from '../../support/redis/find-redis-server.js';
import { Backends } from './backends.js';
import { CommittedFile } from './committed-file.js';
import { ProxyProcess, USER, findProgram } from './proxy-process.js';
import { proxyContract } from './proxy.contract.js';

const nginx = findProgram('nginx');
const UPSTREAM = 'deploy/nginx/upstream.conf';

/**
 * Twice the most of ten measurements, on a machine of two cores under a load of 8 to 16, with five clients that call all
 * the time: 0 to 3 pages in each, 9 over 30 stops. What connects while the listener closes is reset by the kernel.
 */
const PAGES_LET_THROUGH = 6;

describe.skipIf(!nginx || !findRedisServer())('nginx', () => {
  proxyContract({ name: 'nginx', env: { MCP_DRAIN_DELAY_MS: '0' }, badGateways: PAGES_LET_THROUGH, start });

  it('puts what two replicas have answered with 503 to the third, and passes on what that says', async () => {
    for (const statuses of [[503, 503, 200] as const, [503, 503, 503] as const]) {
      await using backends = await Backends.start([...statuses]);
      await using front = await start(backends.ports);

      const answers = await Promise.all(Array.from({ length: 30 }, () => fetch(front.url, { method: 'POST' })));

      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([statuses[2]]));
      expect(new Set(answers.map(({ headers }) => headers.get('retry-after')))).toEqual(new Set(['7']));
    }
  });

  it('asks all three replicas about what is answered with 503', () => {
    const groups = [...CommittedFile.read(UPSTREAM).text.matchAll(/^upstream \w+ \{([^}]*)\}/gm)].map(([, body = '']) =>
      [...body.matchAll(/server \S+:(\d+) /g)].map(([, port]) => Number(port)),
    );

    expect(groups).toEqual([
      [3001, 3002, 3003],
      [3002, 3003, 3001],
      [3003, 3001, 3002],
    ]);
  });

  it('accepts the configuration of the containers, but for what is newer than this nginx', async () => {
    const port = await freePort();
    await using proxy = await ProxyProcess.start(port, async (dir) => {
      await writeContainerConfiguration(dir, port);
      return [nginx ?? '', '-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'error.log', '-g', 'daemon off;'];
    });

    const { stderr, status } = spawnSync(nginx ?? '', ['-t', '-p', proxy.dir, '-c', join(proxy.dir, 'nginx.conf')], {
      encoding: 'utf8',
    });

    expect({ stderr, status }).toMatchObject({ stderr: expect.stringContaining('test is successful'), status: 0 });
  });
});

async function start(ports: readonly number[]): Promise<ProxyProcess> {
  const port = await freePort();
  return ProxyProcess.start(port, async (dir) => {
    await writeConfiguration(dir, port, ports);
    return [nginx ?? '', '-p', dir, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;'];
  });
}

/** The committed files in an http block of our own, as Debian's nginx.conf has one. */
async function writeConfiguration(dir: string, port: number, ports: readonly number[]): Promise<void> {
  const upstream = ports.reduce(
    (file, own, index) => file.replace(`127.0.0.1:${3001 + index}`, `127.0.0.1:${own}`),
    CommittedFile.read(UPSTREAM),
  );
  const server = CommittedFile.read('deploy/nginx/rookery.conf').replace('listen 80;', `listen 127.0.0.1:${port};`);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  await writeFile(join(dir, 'upstream.conf'), upstream.text);
  await writeFile(join(dir, 'rookery.conf'), server.text);
  await writeFile(
    join(dir, 'nginx.conf'),
    `${USER === 'root' ? 'user root;' : ''}
    pid nginx.pid; error_log error.log notice; worker_processes 2; events { worker_connections 1024; }
    http { access_log off; ${paths.join(' ')} include upstream.conf; include rookery.conf; }`,
  );
}

/** What compose.yaml mounts, at the paths of the test. */
async function writeContainerConfiguration(dir: string, port: number): Promise<void> {
  await mkdir(join(dir, 'tmp'));
  const main = CommittedFile.read('docker/nginx/nginx.conf')
    .replace('/tmp/', `${dir}/tmp/`)
    .replace('/etc/nginx/rookery/', `${dir}/`)
    .replace('127.0.0.1:8081', `127.0.0.1:${await freePort()}`)
    .replace('/dev/stdout', `${dir}/access.log`);
  // `resolve` and `keepalive 0` are newer than Debian's nginx.
  const upstream = CommittedFile.read('docker/nginx/upstream.conf')
    .replace('server rookery:3000 resolve max_fails=0;', 'server 127.0.0.1:1 max_fails=0;')
    .replace('keepalive 0;', '');
  const server = CommittedFile.read('deploy/nginx/rookery.conf').replace('listen 80;', `listen 127.0.0.1:${port};`);
  await writeFile(join(dir, 'nginx.conf'), main.text);
  await writeFile(join(dir, 'upstream.conf'), upstream.text);
  await writeFile(join(dir, 'rookery.conf'), server.text);
}
