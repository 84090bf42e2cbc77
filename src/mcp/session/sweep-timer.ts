/** How often expired entries are looked for when nobody asks for them, in milliseconds. */
export const DEFAULT_SWEEP_MS = 30_000;

/**
 * Runs `sweep` every `everyMs` milliseconds without keeping the process alive.
 * @returns the function that stops it
 */
export function startSweepTimer(sweep: () => void, everyMs: number): () => void {
  const timer = setInterval(sweep, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
