import type { SessionBackendHealth } from '../session/session-backend.js';
import type { ReadinessCheck } from './readiness-check.port.js';

/**
 * Whether sessions can be served. A process that has never reached them is not ready: with a wrong address it must not
 * take over in a rollout. One that has reached them stays ready without them, since all replicas lose them at the same
 * time, and requests without a session need none of it.
 */
export function sessionReadiness(health: () => SessionBackendHealth): ReadinessCheck {
  return {
    name: 'sessions',
    check: () => {
      const { reached, available, detail } = health();
      return { ready: reached, degraded: !available, detail };
    },
  };
}
