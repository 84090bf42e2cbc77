import { mkdtempSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNginx } from '../support/cluster/balancer.js';
import { findRedisServer } from '../support/redis/find-redis-server.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import { type SoakOptions, USAGE, readOptions } from './options.js';
import { type SoakResult, summary } from './report.js';
import { Soak } from './soak.js';
import { SoakCluster } from './soak-cluster.js';
import { STALL_ARGS } from './stalls.js';

/**
 * Disturbs a cluster while clients of both eras use it, counts everything that they send and hear, and exits with 1
 * if anything of it was lost, doubled, reordered or failed that must not be. `docs/reliability.md` says how it counts.
 */
const options = optionsOrExit();
const began = Date.now();
const say = (text: string): void => console.log(`${((Date.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${text}`);

const found = findRedisServer();
if (!found || !findNginx()) {
  console.error('The soak needs redis-server and nginx. On Debian: apt-get install redis-server nginx-light.');
  process.exit(1);
}

// Nothing that was acknowledged may be gone after a restart.
const redis = await startRedisServer({ appendOnly: true, args: ['--appendfsync', 'always', ...STALL_ARGS] });
try {
  await using cluster = await SoakCluster.start(redis.url, options.replicas);
  const { clients, replicas, minutes } = options;
  const load = loadavg()[0]?.toFixed(1);
  say(`${clients} clients, ${replicas} replicas on ${found.name} ${found.version}, ${minutes} minutes`);
  say(`Node ${process.version}, ${availableParallelism()} cores, load ${load}`);
  const result = await new Soak(options, redis, cluster, say).run();
  console.log(summary(result));
  if (options.json !== undefined) writeJson(options.json, result);
  if (result.problems.length > 0) console.log(`\nWhat everyone logged: ${keepEvidence(result)}`);
  process.exitCode = result.problems.length > 0 ? 1 : 0;
} finally {
  await redis.close();
}

function optionsOrExit(): SoakOptions {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(1);
  }
}

function writeJson(file: string, { phases, seconds, notes, problems, incidents }: SoakResult): void {
  const machine = { node: process.version, cores: availableParallelism(), load: loadavg(), redis: found?.version };
  const counts = Object.fromEntries(
    [...phases].map(([phase, each]) => [phase, { seconds: seconds.get(phase), ...each }]),
  );
  writeFileSync(file, `${JSON.stringify({ options, machine, counts, notes, problems, incidents }, null, 2)}\n`);
}

/** @returns the folder */
function keepEvidence({ logs, balancerLog, incidents }: SoakResult): string {
  const dir = mkdtempSync(join(tmpdir(), 'rookery-soak-'));
  for (const [pid, log] of logs) writeFileSync(join(dir, `replica-${pid}.log`), log);
  writeFileSync(join(dir, 'nginx.log'), balancerLog);
  writeFileSync(join(dir, 'incidents.json'), JSON.stringify(incidents, null, 2));
  return dir;
}
