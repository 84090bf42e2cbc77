/**
 * Every JSON-RPC error this server puts on the wire: its code, the HTTP status it carries when it is the answer to a
 * whole request, and the clause that defines it. Codes below -32768 or above -32000 are free for applications
 * (2026-07-28 basic/index, "Error Codes").
 */
export const ERRORS = {
  PARSE_ERROR: { code: -32700, status: 400 },
  INVALID_REQUEST: { code: -32600, status: 400 },
  METHOD_NOT_FOUND: { code: -32601, status: 404 },
  /** In-band: the status stays 200 unless the request's own envelope is what is wrong. */
  INVALID_PARAMS: { code: -32602, status: 200 },
  INTERNAL_ERROR: { code: -32603, status: 200 },
  /** Session revisions only; 2026-07-28 answers INVALID_PARAMS. */
  RESOURCE_NOT_FOUND: { code: -32002, status: 200 },
  HEADER_MISMATCH: { code: -32020, status: 400 },
  MISSING_CLIENT_CAPABILITY: { code: -32021, status: 400 },
  UNSUPPORTED_PROTOCOL_VERSION: { code: -32022, status: 400 },
  /** Application codes, equal to the HTTP status that says the same. */
  UNAUTHORIZED: { code: 401, status: 401 },
  FORBIDDEN: { code: 403, status: 403 },
  SESSION_NOT_FOUND: { code: 404, status: 404 },
  METHOD_NOT_ALLOWED: { code: 405, status: 405 },
  NOT_ACCEPTABLE: { code: 406, status: 406 },
  PAYLOAD_TOO_LARGE: { code: 413, status: 413 },
  UNSUPPORTED_MEDIA_TYPE: { code: 415, status: 415 },
  RATE_LIMITED: { code: 429, status: 429 },
  UNAVAILABLE: { code: 503, status: 503 },
} as const satisfies Record<string, { code: number; status: number }>;

export type ErrorName = keyof typeof ERRORS;

/** The JSON-RPC error object as it goes on the wire. */
export interface WireError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What an error carries besides its text. */
export interface McpErrorOptions extends ErrorOptions {
  /** HTTP status when the error answers a whole request. Default: the one of its name, see {@link ERRORS}. */
  readonly status?: number;
  /**
   * HTTP headers of an error that refuses the request itself, such as `www-authenticate` or `retry-after`. A request
   * that is refused so is answered with the error's status in every era, and before any stream begins.
   */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An error whose code and message are meant for the client. Anything else that is thrown is masked.
 */
export class McpError extends Error {
  readonly code: number;
  /** HTTP status when this error answers a whole request. */
  readonly status: number;
  /** HTTP headers that go with it then; lower-case names. */
  readonly headers: Readonly<Record<string, string>> | undefined;

  constructor(
    readonly reason: ErrorName,
    message: string,
    readonly data?: unknown,
    options?: McpErrorOptions,
  ) {
    super(message, options);
    this.name = 'McpError';
    this.code = ERRORS[reason].code;
    this.status = options?.status ?? ERRORS[reason].status;
    this.headers = options?.headers;
  }

  toWire(): WireError {
    return this.data === undefined
      ? { code: this.code, message: this.message }
      : { code: this.code, message: this.message, data: this.data };
  }
}

/**
 * The one way for a handler to say something to the model: its message becomes the text of a tool result with
 * `isError: true` (for prompts and resources, the message of a JSON-RPC error). Tell the model what to do next.
 *
 * @example throw new ToolError(`No order ${id}. Ask for the number on the invoice.`);
 */
export class ToolError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ToolError';
  }
}
