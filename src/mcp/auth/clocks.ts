/** What time it is, and how long something took. */
export interface Clocks {
  /** Epoch milliseconds, which somebody may set: for the times in tokens alone. */
  readonly now: () => number;
  /** Milliseconds by a clock that nobody sets: for how long things last. */
  readonly monotonic: () => number;
}
