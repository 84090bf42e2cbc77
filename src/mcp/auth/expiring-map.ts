interface Entry<V> {
  readonly value: V;
  readonly until: number;
  /** Since it became the newest. */
  wasUsed: boolean;
}

/**
 * Remembers so many values, each for its time; what was not used for long gives way. Use is only noted: what was used is
 * passed over once when something has to go, instead of being moved to the end at every use.
 */
export class ExpiringMap<V> {
  /** The newest last: a Map keeps the order of insertion. */
  private readonly entries = new Map<string, Entry<V>>();

  /**
   * @param max values it holds; 0 remembers nothing
   * @param now milliseconds by a clock that nobody sets
   */
  constructor(
    private readonly max: number,
    private readonly now: () => number,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    if (entry.until <= this.now()) {
      this.entries.delete(key);
      return undefined;
    }
    entry.wasUsed = true;
    return entry.value;
  }

  /** @param ttlMs milliseconds for which it is remembered; 0 or less is not at all */
  set(key: string, value: V, ttlMs: number): void {
    if (this.max === 0 || ttlMs <= 0) return;
    this.entries.delete(key);
    while (this.entries.size >= this.max) this.letOneGo();
    this.entries.set(key, { value, until: this.now() + ttlMs, wasUsed: false });
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }

  private letOneGo(): void {
    // A Map visits what is added to it on the way, so that the second time round one is found.
    for (const [key, entry] of this.entries) {
      this.entries.delete(key);
      if (!entry.wasUsed) return;
      entry.wasUsed = false;
      this.entries.set(key, entry);
    }
  }
}
