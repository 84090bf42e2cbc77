import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/**
 * What the MCP endpoint needs of a request: Fastify's has it, and so has the one of the direct route.
 */
export interface HttpRequest {
  readonly raw: IncomingMessage;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Once it has been read. */
  body: unknown;
}

type HeaderValue = number | string | string[] | undefined;

/** What the MCP endpoint needs of a reply: Fastify's has it, and so has the one of the direct route. */
export interface HttpReply {
  readonly raw: ServerResponse;
  /** True once an answer was sent, or the reply is written past it. */
  readonly sent: boolean;
  code(status: number): this;
  header(name: string, value: string): this;
  headers(values: Readonly<Record<string, string>>): this;
  /** Those set so far, as they are to be sent. */
  getHeaders(): Record<string, HeaderValue>;
  /** From now on the answer is written to `raw`, headers included. */
  hijack(): this;
  /** @param payload a text, its bytes, nothing, or an error that is to be answered as the endpoint answers errors */
  send(payload?: unknown): this;
}
