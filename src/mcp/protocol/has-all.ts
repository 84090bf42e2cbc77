/** Whether all of these are in a set. */
export function hasAll<T>(set: ReadonlySet<T>, all: readonly T[]): boolean {
  // By index: it is asked for every call, and an iterator costs more than the look-up.
  for (let i = 0; i < all.length; i += 1) if (!set.has(all[i]!)) return false;
  return true;
}
