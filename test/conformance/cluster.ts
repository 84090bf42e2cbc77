import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { findNginx } from '../support/cluster/balancer.js';
import { Cluster } from '../support/cluster/cluster.js';
import { findRedisServer } from '../support/redis/find-redis-server.js';
import { startRedisServer } from '../support/redis/redis-server.js';

/**
 * Runs the official conformance suite against three replicas over one Redis, behind an nginx that picks one of them at
 * random for each request. It prints, and exits with, what `npm run conformance` does.
 *
 *   npm run conformance:cluster
 */
const RUN = fileURLToPath(new URL('run.js', import.meta.url));
const SERVER = fileURLToPath(new URL('server.js', import.meta.url));
/** Any replica must be able to open the state that another one sealed. */
const STATE_KEYS = `conformance:${Buffer.alloc(32, 7).toString('base64')}`;

const found = findRedisServer();
const missing = [found ? [] : 'redis-server', findNginx() ? [] : 'nginx'].flat();
if (missing.length > 0) {
  console.error(`Not found: ${missing.join(' and ')}. On Debian: apt-get install redis-server nginx.`);
  process.exit(1);
}

const redis = await startRedisServer();
try {
  const cluster = await Cluster.start({
    script: SERVER,
    redisUrl: redis.url,
    env: { MCP_REQUEST_STATE_KEYS: STATE_KEYS },
  });
  try {
    console.log(`Three replicas on ${found?.name} ${found?.version} are served on ${cluster.url}`);
    process.exitCode = await runAgainst(cluster.url);
    for (const replica of [...cluster.replicas]) {
      const { code, signal } = await cluster.stop(replica);
      if (code === 0) continue;
      console.error(`A replica did not stop with 0 (${signal ?? `exit code ${code}`}). It said:\n${replica.log}`);
      process.exitCode = 1;
    }
  } finally {
    await cluster.close();
  }
} finally {
  await redis.close();
}

/** @returns the exit code of the runner */
async function runAgainst(url: string): Promise<number> {
  const runner = spawn(process.execPath, [RUN, '--url', url], { stdio: 'inherit' });
  // The terminal sends its signals to the whole group; others are passed on. Either way the runner ends, and then this.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => runner.kill(signal));
  const [code] = (await once(runner, 'exit')) as [number | null];
  return code ?? 1;
}
