/** What a server knows of itself. None of it is secret. */
export interface ServerFacts {
  readonly name: string;
  readonly version: string;
  readonly host: string;
  /** Sessions of all replicas; absent where they cannot be counted at the moment. */
  readonly sessions?: { readonly open: number; readonly limit: number | undefined };
  /** Streams of this process. */
  readonly streams: { readonly open: number; readonly limit: number };
  readonly runningCalls: number;
  /** Absent without Redis. */
  readonly redis?: {
    readonly reachable: boolean;
    /** Milliseconds that Redis took to answer the last time, at most a few seconds ago. */
    readonly latencyMs?: number;
    /** Milliseconds that a message took through Redis, from this replica to itself. */
    readonly wakeUpMs?: number;
  };
}

/** Where `/health` learns what it tells. */
export interface HealthFacts {
  /** Must answer within a second, whatever is away. */
  read(): ServerFacts | Promise<ServerFacts>;
}

export const HealthFacts = Symbol('HealthFacts');
