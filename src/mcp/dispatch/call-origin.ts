import type { LoggingLevel } from '@modelcontextprotocol/server';
import type { ClientDescription } from '../protocol/mcp-call.js';
import type { Principal } from '../protocol/principal.js';
import type { Era, Revision } from '../protocol/revisions.js';
import type { ToolCapability } from '../registry/capability.js';

/** A request that a server may ask a client to fulfil. */
export interface ClientRequest {
  readonly method: 'elicitation/create' | 'sampling/createMessage' | 'roots/list';
  readonly params: Readonly<Record<string, unknown>>;
}

/** What a wire knows of a request, and how its caller can be talked to while it runs. */
export interface CallOrigin {
  readonly requestId: string | number;
  readonly era: Era;
  readonly revision: Revision;
  readonly principal: Principal;
  readonly client: ClientDescription;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly sessionId?: string;
  /** Lowest level of log messages that the caller wants on this call; `undefined` for none. */
  readonly logLevel: LoggingLevel | undefined;
  /** Why the call is not to begin, if it is not: its client has gone, or the server has stopped its calls. */
  readonly abortedBy?: Error | undefined;

  /**
   * The request may be served: from now on its answer may become a stream. Called once, before anything is sent.
   * @param tool the tool that is called, if one is: the caller may know of it
   * @throws McpError when the request does not fit the tool
   */
  admitted?(tool: ToolCapability | undefined): void;

  /**
   * Sends a notification on the stream of this call.
   * @param params serialised
   */
  notify(method: string, params: string): void;

  /**
   * Sends a request to the client and resolves with its result. Absent where the revision has no such requests: the
   * call then ends with `input_required` instead.
   */
  ask?(request: ClientRequest, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>>;

  /** Ends the HTTP response but not the call, where the revision allows the client to poll for the rest. */
  releaseConnection?(): void;
}
