import type { Principal } from '../protocol/principal.js';
import type { Era } from '../protocol/revisions.js';

/**
 * A tool, resource, template or prompt, under the name it is registered by. It is frozen, and the same object for as long
 * as the capability is registered.
 */
export interface ObservedCapability {
  readonly kind: 'tool' | 'resource' | 'template' | 'prompt' | 'completion';
  /** Of a resource the URI or template of the server, never the URI of the caller. */
  readonly key: string;
}

/** What is known of an operation when it begins. All of it comes from the caller: any of it may be made up, or secret. */
export interface ObservedOperation {
  /** JSON-RPC method, or what is done where there is none, such as `DELETE`. */
  readonly method: string;
  readonly era?: Era | undefined;
  /** Absent when it could not be found out. */
  readonly principal?: Principal | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  /**
   * Without those that let somebody else be taken for the caller: `authorization`, `cookie`, `proxy-authorization`,
   * `mcp-session-id`. Absent over stdio.
   */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
}

/** Why an operation did not come to what its caller wanted. */
export type OperationFailure =
  /** What a tool says to the model. */
  | 'tool_error'
  | 'invalid_arguments'
  | 'timeout'
  | 'result_too_large'
  | 'cancelled'
  /** The caller may not, or there is no such thing. */
  | 'denied'
  | 'limited'
  /** The server is stopping, or what it needs is away. */
  | 'unavailable'
  /** Any other error that is the request's own fault. */
  | 'protocol_error'
  /** A defect, here or in a handler. */
  | 'internal_error';

/** What came of an operation. */
export interface OperationEnd {
  /** Absent when there was none, or none that the caller may know of. */
  readonly capability?: ObservedCapability | undefined;
  readonly decision: 'allow' | 'deny' | 'limit';
  /** What decided: `public`, `scopes:a b`, `rate:principal` and so on; as in the audit. */
  readonly rule: string;
  /** Absent if it was done. */
  readonly failure?: OperationFailure | undefined;
  /** Code of the JSON-RPC error. */
  readonly code?: number | undefined;
  /** Milliseconds. */
  readonly durationMs: number;
}

/** Watches one operation; or several, for an observer that need not tell them apart. */
export interface OperationWatch {
  /** W3C trace id that the operation is known by. */
  readonly traceId?: string | undefined;
  /** Runs the work: what happens within belongs to the operation. Default: just runs it. */
  run?<T>(work: () => T): T;
  ended(end: OperationEnd): void;
}

/** Why a stream could not go on where its client had left it. */
export type StreamLoss = 'gap' | 'orphaned' | 'failed';

/**
 * Hears what the server does, to count it, trace it or write it down. Everything is called on the way of a request: it
 * must be quick, and must not throw. What it returns is not waited for, except by `run` and `handler`.
 */
export interface ServerObserver {
  /** `false` if `operation` reads no headers: where no observer does, none are copied and given. Default true. */
  readonly readsHeaders?: boolean;

  operation?(operation: ObservedOperation): OperationWatch | undefined;
  /** Runs a handler: what happens within belongs to it. */
  handler?<T>(capability: ObservedCapability, work: () => Promise<T>): Promise<T>;

  sessionStarted?(): void;
  sessionDeleted?(): void;
  /** A request named a session that is not, or no longer, there. */
  sessionUnknown?(): void;

  /** An event was written to the log of a stream. */
  eventAppended?(): void;
  /** A client came back to a stream. */
  streamResumed?(): void;
  streamLost?(reason: StreamLoss): void;

  /**
   * A command goes to Redis.
   * @param name of the script, or the command
   * @returns hears when it has been answered, and the error if that is what came
   */
  redisCommand?(name: string): (error?: unknown) => void;
  /** A message of this replica to itself came back through Redis, after so many milliseconds. */
  wakeUp?(latencyMs: number): void;
}
