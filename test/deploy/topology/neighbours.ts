import { versionOf } from '../../support/redis/find-redis-server.js';

const NEEDED = [
  ['redis-server', 'redis-server', '--version', /\bv=(\d\S*)/],
  ['nginx', 'nginx', '-v', /nginx\/(\d\S*)/],
  ['prometheus', 'prometheus', '--version', /version (\d[^\s,]*)/],
] as const;

/** Debian packages that the topology lacks on this machine. */
export function missingNeighbours(): string[] {
  return NEEDED.filter(([, binary, flag, pattern]) => versionOf(binary, flag, pattern) === undefined).map(
    ([name]) => name,
  );
}

/**
 * Whether suites that need the topology have to be skipped; says why.
 * @throws Error if REQUIRE_REDIS is set, which is to say that everything must be there
 */
export function cannotRunTopology(): boolean {
  const missing = missingNeighbours();
  if (missing.length === 0) return false;
  const problem = `The topology cannot run: install Debian's ${missing.join(', ')}.`;
  if (process.env['REQUIRE_REDIS']) throw new Error(`REQUIRE_REDIS is set. ${problem}`);
  process.stderr.write(`${problem} The suite is skipped.\n`);
  return true;
}
