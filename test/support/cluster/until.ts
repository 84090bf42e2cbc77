import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 20;

export interface Patience {
  /** Milliseconds after which the condition is not waited for any longer; default 20,000. */
  readonly withinMs?: number;
  /** Milliseconds between two looks; default 20. */
  readonly everyMs?: number;
}

/**
 * Waits until a condition gives something other than `undefined` or false.
 * @param what the condition as people say it
 * @throws Error that names the condition, when it takes too long
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { withinMs = 20_000, everyMs = LOOK_EVERY_MS }: Patience = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== null && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`After ${withinMs} ms still not so: ${what}.`);
    await delay(everyMs);
  }
}
