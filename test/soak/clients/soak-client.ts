/** A client of the soak, of either era. It counts for itself; only what makes the run senseless is thrown. */
export interface SoakClient {
  readonly name: string;
  /** Connects, and subscribes to everything. Resolves when it is certain to hear of what comes. */
  open(): Promise<void>;
  /** One call, of the kind whose turn it is. */
  work(): Promise<void>;
  /** Ends its streams, and its session if it has one. */
  close(): Promise<void>;
  /** The session it had or has. */
  readonly sessionIds: readonly string[];
}

/** The kinds of work in turn, from a place of chance on. */
export function inTurn<T>(kinds: readonly [T, ...T[]]): () => T {
  let next = Math.floor(Math.random() * kinds.length);
  return () => kinds[next++ % kinds.length] ?? kinds[0];
}

export function chance(probability: number): boolean {
  return Math.random() < probability;
}
