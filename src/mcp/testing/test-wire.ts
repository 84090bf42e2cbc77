import type {
  ClientCapabilities,
  Implementation,
  LoggingLevel,
  SubscriptionFilter,
} from '@modelcontextprotocol/server';
import type { JsonObject } from '../transport/json-rpc.js';

/** A request as the client hands it to a wire. */
export interface WireRequest {
  readonly method: string;
  readonly params: JsonObject;
  /** Besides those that every request has; they win over what the wire sends. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly logLevel?: LoggingLevel;
  /** Cancels the request in the way of the era. */
  readonly signal?: AbortSignal;
}

/** Where a wire leads, and who uses it. */
export interface WireTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clientInfo: Implementation;
  capabilities(): ClientCapabilities;
  /** Hears of a notification. What it throws fails the request on whose stream the notification came. */
  heard(method: string, params: JsonObject): void;
  /** Answers a request of the server. */
  answer(method: string, params: JsonObject): Promise<JsonObject>;
}

/**
 * Changes that the client listens for.
 *
 * @example
 * ```ts
 * const listening = await client.listen({ toolsListChanged: true });
 * await listening.close();
 * ```
 */
export interface Listening {
  /** Ends when the server ends the stream or {@link close} is called. */
  readonly ended: Promise<void>;
  /** Stops listening. Does nothing the second time. */
  close(): Promise<void>;
}

/** How an era carries requests, changes and cancellations. */
export interface TestWire {
  /**
   * Resolves with the raw result.
   * @throws McpTestError when the answer is an error; the signal's reason when it aborts
   */
  request(request: WireRequest): Promise<JsonObject>;
  /** Resolves when the server has taken the filter. */
  listen(filter: SubscriptionFilter): Promise<Listening>;
  /** Asks for log messages of this level and above, from now on. */
  setLogLevel(level: LoggingLevel): Promise<void>;
  /** Ends whatever is open. Never rejects. */
  close(): Promise<void>;
}
