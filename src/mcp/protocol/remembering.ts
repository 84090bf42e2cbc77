/** Characters of a text that is remembered: nobody is to fill the memory with long ones. */
const MAX_LENGTH = 512;

/**
 * A pure function of a text that remembers what it has come to, for what callers send again and again: a header, an
 * address.
 *
 * @param max texts that are remembered; when there are more, all are forgotten, so that who makes up many of them costs
 *   no more than without
 */
export function remembering<T>(max: number, compute: (text: string) => T): (text: string) => T {
  const known = new Map<string, Entry<T>>();
  // To compare a text with the one before costs less than to hash it, and most often it is the same.
  let last: Entry<T> | undefined;
  return (text) => {
    if (last !== undefined && last.text === text) return last.value;
    let entry = known.get(text);
    if (!entry) {
      entry = { text, value: compute(text) };
      if (text.length > MAX_LENGTH) return entry.value;
      if (known.size >= max) known.clear();
      known.set(text, entry);
    }
    last = entry;
    return entry.value;
  };
}

interface Entry<T> {
  readonly text: string;
  readonly value: T;
}
