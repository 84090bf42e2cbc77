import type { Principal } from '../protocol/principal.js';

export type AuditPrimitiveKind = 'tool' | 'resource' | 'template' | 'prompt' | 'completion';

/** What a call was for. */
export interface AuditPrimitive {
  readonly kind: AuditPrimitiveKind;
  /** As registered: of a resource the URI or template of the server, never the URI of the caller, which may hold data. */
  readonly name: string;
}

/** `limit`: it was allowed, but too often, too much at once, or while it could not be recorded (rule `audit`). */
export type AuditDecision = 'allow' | 'deny' | 'limit';

/**
 * How it ended: `ok`, `tool_error` (a result with `isError`), `error` (a JSON-RPC error), `cancelled`, or `refused`
 * before anything ran.
 */
export type AuditOutcome = 'ok' | 'tool_error' | 'error' | 'cancelled' | 'refused';

/** One operation, as it is handed to the audit trail once it has ended. Texts are cut, see `describeOperation`. */
export interface AuditEvent {
  /** Default: not known, as when a token was refused. */
  readonly principal?: Principal;
  /** Default: not known. */
  readonly era?: 'stateless' | 'session';
  /** JSON-RPC method, or a name for what has none, such as an HTTP DELETE. */
  readonly method: string;
  readonly primitive?: AuditPrimitive;
  /** As they came, plain JSON. Only their digest is written. */
  readonly arguments?: unknown;
  /** What `@AuditFields()` opted in, see `pickFields`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly decision: AuditDecision;
  /** What decided: `public`, `authenticated`, `scopes`, `policy:SameTenant`, `hidden`, `rate:principal` and so on. */
  readonly rule: string;
  readonly outcome: AuditOutcome;
  /** Code of the JSON-RPC or HTTP error. */
  readonly code?: number;
  /** Milliseconds. */
  readonly latencyMs: number;
  /** W3C trace id. */
  readonly traceId?: string;
  /** How many operations it stands for, all refused to callers without a name. Default 1. */
  readonly count?: number;
}
