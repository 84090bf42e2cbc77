import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findOpenssl } from './certificates.js';
import { findRedisServer, versionOf } from './find-redis-server.js';
import { startRedisCluster } from './redis-cluster.js';
import { startRedisServer } from './redis-server.js';

/** CLUSTER ADDSLOTSRANGE and a port of its own for the bus came with it. */
const OLDEST_FOR_CLUSTER = 7;

/**
 * Starts, once for a whole run, one Redis server and one cluster, and says what the run has. A run of files that use
 * neither starts and says nothing.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('redisUrl', null);
  project.provide('redisClusterUrl', null);
  if (!(await isNeeded(project))) return async () => undefined;

  const found = findRedisServer();
  const nginx = versionOf('nginx', '-v', /nginx\/(\S+)/);
  const required = process.env['REQUIRE_REDIS'];
  if (required && !(found && nginx)) throw new Error('REQUIRE_REDIS is set: redis-server and nginx must be installed.');
  if (!found) {
    say(
      'Redis: no redis-server on PATH: the Redis, Cluster and balancer suites are skipped. ' +
        "Install Debian's redis-server and nginx to run them.",
    );
    return async () => undefined;
  }
  const hasCluster = Number.parseInt(found.version) >= OLDEST_FOR_CLUSTER;
  const [server, cluster] = await Promise.all([startRedisServer(), hasCluster ? startRedisCluster() : undefined]);
  project.provide('redisUrl', server.url);
  project.provide('redisClusterUrl', cluster?.url ?? null);
  say(
    [
      `Redis: ${found.name} ${found.version}`,
      `Cluster: ${cluster ? `${cluster.nodes.length} nodes` : 'skipped, needs version 7'}`,
      `openssl: ${findOpenssl() ?? 'not installed, the TLS tests are skipped'}`,
      `nginx: ${nginx ?? 'not installed, the balancer suites are skipped'}`,
    ].join('; '),
  );
  return async () => void (await Promise.all([server.close(), cluster?.close()]));
}

/** Not on stdout, which is a reporter's. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Whether a file of the run asks for what is provided here, or is about Redis, itself or through what it imports. */
async function isNeeded(project: TestProject): Promise<boolean> {
  // Not part of vitest's public types. Without it all files count, which is slower but never wrong.
  const filters = Reflect.get(project.vitest, 'filenamePattern') as string[] | undefined;
  // A filter may end in a line, as in file.spec.ts:12.
  const { testFiles } = await project.globTestFiles(filters?.map((filter) => filter.replace(/:\d+$/, '')));
  const seen = new Set<string>();
  for (const file of testFiles) if (await mentionsRedis(file, seen)) return true;
  return false;
}

async function mentionsRedis(file: string, seen: Set<string>): Promise<boolean> {
  if (seen.has(file)) return false;
  seen.add(file);
  const text = await readFile(file, 'utf8').catch(() => '');
  if (/'redis(Cluster)?Url'|\/support\/redis\//.test(text)) return true;
  for (const [, path] of text.matchAll(/\b(?:from |import\()'(\.{1,2}\/[^']+)\.js'/g)) {
    if (await mentionsRedis(resolve(dirname(file), `${path}.ts`), seen)) return true;
  }
  return false;
}
