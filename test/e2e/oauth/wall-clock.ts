import { afterEach, beforeEach, vi } from 'vitest';

/**
 * Stops the wall clock, and nothing else, in every test of a file, from before its servers start: some keep hold of
 * `Date.now`.
 *
 * @returns moves it past the end of access tokens, which live for 300 seconds, but of nothing that lives longer, such as
 *   sessions, refresh tokens and ID tokens
 */
export function stopWallClock(): () => void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  return () => {
    vi.setSystemTime(Date.now() + 600_000);
  };
}
