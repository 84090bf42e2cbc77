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
  const known = new Map<string, { readonly value: T }>();
  return (text) => {
    const found = known.get(text);
    if (found) return found.value;
    const value = compute(text);
    if (text.length > MAX_LENGTH) return value;
    if (known.size >= max) known.clear();
    known.set(text, { value });
    return value;
  };
}
