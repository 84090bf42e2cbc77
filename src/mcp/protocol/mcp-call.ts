import type {
  ClientCapabilities,
  CreateMessageRequestParams,
  CreateMessageResult,
  Implementation,
  LoggingLevel,
  Root,
} from '@modelcontextprotocol/server';
import type { Principal } from './principal.js';
import type { Era, Revision } from './revisions.js';
import type { SchemaOutput, SchemaSource } from './schema-source.js';

/** W3C trace context of a call, from `_meta` or, failing that, from the HTTP headers. */
export interface TraceContext {
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly baggage?: string;
}

/** The client as it describes itself; never a base for security decisions. */
export interface ClientDescription {
  readonly info?: Implementation;
  readonly capabilities: ClientCapabilities;
}

export type ElicitAnswer<T> =
  { readonly action: 'accept'; readonly content: T } | { readonly action: 'decline' | 'cancel' };

/** What can be asked of a client. */
export type ClientAsk = 'elicit' | 'elicitUrl' | 'sample' | 'roots';

export interface AskOptions {
  /**
   * Name of the question in `inputRequests` (2026-07-28). Default: made from the order in which questions are asked,
   * which suits a handler that asks the same questions in the same order each time it runs.
   */
  readonly key?: string;
}

/**
 * What belongs to one call: who calls, how to stop, and how to talk back to the client while it runs.
 *
 * A handler is written once. Where a 2025 client gets a real request on its stream, a 2026-07-28 client gets an
 * `input_required` result and calls again; the handler then runs from its beginning with the answers in place, so
 * whatever must not happen twice belongs into {@link once}.
 */
export abstract class McpCall {
  /** JSON-RPC id of the request. */
  abstract readonly requestId: string | number;
  abstract readonly era: Era;
  abstract readonly revision: Revision;
  /** JSON-RPC method, such as `tools/call`. */
  abstract readonly method: string;
  /** Name of the tool or prompt, or URI of the resource, that is called. */
  abstract readonly target: string;
  abstract readonly principal: Principal;
  abstract readonly client: ClientDescription;
  /** Headers of the HTTP request, lower-case names; empty on stdio. */
  abstract readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  abstract readonly trace: TraceContext;
  /** Present in the sessions era only. */
  abstract readonly sessionId: string | undefined;
  /** `_meta` of the request's params, as sent. */
  abstract readonly meta: Readonly<Record<string, unknown>>;
  /** Aborts when the client cancels, the timeout passes, or the call ends to wait for input. Hand it to all I/O. */
  abstract readonly signal: AbortSignal;

  /**
   * Reports progress, if the client asked for it; otherwise does nothing. A value that does not increase is dropped
   * (the specification forbids it).
   */
  abstract progress(progress: number, total?: number, message?: string): void;

  /** Sends a log message to the client, if it asked for this level or a lower one; otherwise does nothing. */
  abstract log(level: LoggingLevel, data: unknown, logger?: string): void;

  /** Whether this client can be asked; without it, asking fails. */
  abstract can(ask: ClientAsk): boolean;

  /**
   * Asks the user to fill in a form (flat object of primitive fields) and resolves with the validated answer.
   *
   * @throws ToolError when the user declines or dismisses the question (use {@link ask} to handle that yourself)
   * @throws McpError `MISSING_CLIENT_CAPABILITY` when the client cannot ask its user
   */
  abstract elicit<S extends SchemaSource>(schema: S, message: string, options?: AskOptions): Promise<SchemaOutput<S>>;

  /** Like {@link elicit}, but resolves with `decline` and `cancel` too instead of throwing. */
  abstract ask<S extends SchemaSource>(
    schema: S,
    message: string,
    options?: AskOptions,
  ): Promise<ElicitAnswer<SchemaOutput<S>>>;

  /** Sends the user to a URL (sign-in, payment) and resolves with what they did. Needs 2025-11-25 or later. */
  abstract elicitUrl(url: string, message: string, options?: AskOptions): Promise<'accept' | 'decline' | 'cancel'>;

  /** Asks the client's model for a completion. Deprecated by 2026-07-28, still served by it. */
  abstract sample(params: CreateMessageRequestParams, options?: AskOptions): Promise<CreateMessageResult>;

  /** Asks the client for its root directories. Deprecated by 2026-07-28, still served by it. */
  abstract roots(options?: AskOptions): Promise<Root[]>;

  /**
   * Runs a side effect a single time across the rounds of this call and resolves with its value (JSON) ever after.
   * The value travels in the sealed `requestState`; a client that drops it starts a new call.
   */
  abstract once<T>(name: string, effect: () => T | Promise<T>): Promise<T>;

  /**
   * Sessions era, 2025-11-25: ends the HTTP response but not the call; the client polls for the rest with
   * `Last-Event-ID`. Does nothing elsewhere.
   */
  abstract releaseConnection(): void;
}
