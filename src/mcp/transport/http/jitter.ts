/** Seconds of `Retry-After`, at least and at most. */
const RETRY_AFTER_SECONDS = { min: 1, max: 3 };

/** Milliseconds between one and three times as many, so that clients which are cut off together do not return together. */
export function spread(ms: number): number {
  return Math.round(ms * (1 + 2 * Math.random()));
}

/** Whole seconds after which a client should try again what was not available. */
export function retryAfterSeconds(): number {
  const { min, max } = RETRY_AFTER_SECONDS;
  return min + Math.floor(Math.random() * (max - min + 1));
}

/** The same elements in an order of chance. */
export function shuffled<T>(elements: Iterable<T>): T[] {
  const keyed = [...elements].map((element) => ({ element, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ element }) => element);
}
