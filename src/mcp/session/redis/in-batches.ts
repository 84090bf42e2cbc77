/** How many commands of a sweep are under way at a time. */
const BATCH = 50;

/** Does something for each item, a few at a time, so that a sweep does not hold up the commands of requests. */
export async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    await Promise.all(items.slice(start, start + BATCH).map(work));
  }
}
