import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';

export interface RedisServerBinary {
  /** Path, or name on PATH. */
  readonly binary: string;
  /** `redis-server` or `valkey-server`, as a rule. */
  readonly name: string;
  /** Such as `7.0.15`. */
  readonly version: string;
}

/**
 * The server that tests run against: that of TEST_REDIS_SERVER, or else the first of the usual ones on PATH.
 * @returns undefined if there is none
 * @throws Error if TEST_REDIS_SERVER names something that is none: whoever sets it wants its tests to run
 */
export function findRedisServer(): RedisServerBinary | undefined {
  const wanted = process.env['TEST_REDIS_SERVER'];
  if (!wanted) return tryBinary('redis-server') ?? tryBinary('valkey-server');
  const found = tryBinary(wanted);
  if (!found) throw new Error(`TEST_REDIS_SERVER is ${wanted}, which does not run as a Redis server.`);
  return found;
}

function tryBinary(binary: string): RedisServerBinary | undefined {
  const version = versionOf(binary, '--version', /\bv=(\d\S*)/);
  return version === undefined ? undefined : { binary, name: basename(binary), version };
}

/** What a program says its version is; undefined if it is not installed. */
export function versionOf(binary: string, flag: string, pattern: RegExp): string | undefined {
  // nginx says it on stderr, and Debian keeps it where only root's PATH leads.
  const { stdout, stderr } = spawnSync(binary, [flag], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
  });
  return pattern.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1];
}
