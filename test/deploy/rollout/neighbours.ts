import { cannotRender } from '../../helm/support/renderer.js';
import { findNginx } from '../../support/cluster/balancer.js';
import { findRedisServer } from '../../support/redis/find-redis-server.js';

/**
 * Whether the rollout has to be skipped; says why.
 * @throws Error if REQUIRE_REDIS is set, which is to say that everything must be there
 */
export function cannotRollOut(): boolean {
  const missing = [...(findRedisServer() ? [] : ['redis-server']), ...(findNginx() ? [] : ['nginx'])];
  if (missing.length === 0) return cannotRender();
  const problem = `Nothing can be rolled out: install Debian's ${missing.join(', ')}.`;
  if (process.env['REQUIRE_REDIS']) throw new Error(`REQUIRE_REDIS is set. ${problem}`);
  process.stderr.write(`${problem} The suite is skipped.\n`);
  return true;
}
