import { setTimeout as delay } from 'node:timers/promises';
import { McpError } from '../protocol/errors.js';

/** How long what a running call depends on is tried again while the sessions are away, in milliseconds. */
export const PATIENCE_MS = 10_000;
/** Between two tries, on average. */
const RETRY_MS = 200;

/**
 * Tries again as long as the sessions are `UNAVAILABLE`. Only for what may be done twice. The first try is made before
 * this returns.
 * @param patienceMs milliseconds after which the failure counts
 */
export async function patiently<T>(patienceMs: number, attempt: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const isAway = error instanceof McpError && error.reason === 'UNAVAILABLE';
      if (!isAway || performance.now() >= deadline) throw error;
      await delay(RETRY_MS * (0.5 + Math.random()), undefined, { ref: false });
    }
  }
}
