interface Entry<V> {
  readonly value: V;
  readonly until: number;
}

/** Remembers so many values, each for its time; what was used longest ago gives way. */
export class ExpiringMap<V> {
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
    this.entries.delete(key);
    if (entry.until <= this.now()) return undefined;
    // A Map keeps the order of insertion: now it is the newest.
    this.entries.set(key, entry);
    return entry.value;
  }

  /** @param ttlMs milliseconds for which it is remembered; 0 or less is not at all */
  set(key: string, value: V, ttlMs: number): void {
    if (this.max === 0 || ttlMs <= 0) return;
    this.entries.delete(key);
    this.entries.set(key, { value, until: this.now() + ttlMs });
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.max) break;
      this.entries.delete(oldest);
    }
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }
}
