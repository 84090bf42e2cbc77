import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../support/free-port.js';
import { findRedisServer } from '../../support/redis/find-redis-server.js';
import { CommittedFile } from './committed-file.js';
import { GROUP, ProxyProcess, USER, findProgram } from './proxy-process.js';
import { proxyContract } from './proxy.contract.js';

const haproxy = findProgram('haproxy');
const FILE = 'deploy/haproxy/haproxy.cfg';

describe.skipIf(!haproxy || !findRedisServer())('HAProxy', () => {
  proxyContract({
    name: 'HAProxy',
    env: { MCP_DRAIN_DELAY_MS: '3000' },
    badGateways: 0,
    async start(ports) {
      const port = await freePort();
      return ProxyProcess.start(port, async (dir) => {
        const file = ports
          .reduce(
            // The replicas of the test have their health where the rest is.
            (text, own, index) =>
              text.replace(`127.0.0.1:${3001 + index} port ${9461 + index}`, `127.0.0.1:${own} port ${own}`),
            CommittedFile.read(FILE),
          )
          .replace('bind :8080', `bind 127.0.0.1:${port}`)
          .replace('user haproxy', `user ${USER}`)
          .replace('group haproxy', `group ${GROUP}`)
          .replace('maxconn 50000', 'maxconn 500');
        await writeFile(join(dir, 'haproxy.cfg'), file.text);
        return [haproxy ?? '', '-db', '-f', join(dir, 'haproxy.cfg')];
      });
    },
  });

  it('finds nothing to complain about', () => {
    const file = resolve(import.meta.dirname, '../../..', FILE);

    const { stdout, stderr } = spawnSync(haproxy ?? '', ['-c', '-V', '-f', file], { encoding: 'utf8' });

    expect(`${stdout}${stderr}`.trim()).toBe('Configuration file is valid');
  });
});
