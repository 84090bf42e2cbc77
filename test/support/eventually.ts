import { vi } from 'vitest';

const LOOK_EVERY_MS = 10;
/** Only what never comes takes so long: a busy machine must not fail a test. Half of a test's own limit. */
const GIVE_UP_MS = 30_000;

/**
 * Waits until something no longer throws, as an expectation does.
 * @returns what it gives then
 * @throws what it threw last, if it goes on throwing
 */
export function eventually<T>(condition: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(condition, { interval: LOOK_EVERY_MS, timeout: GIVE_UP_MS });
}
