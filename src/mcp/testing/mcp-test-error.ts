import type { WireError } from '../protocol/errors.js';

/**
 * The server answered with a JSON-RPC error.
 *
 * @example
 * ```ts
 * await expect(client.call('noSuchTool')).rejects.toMatchObject({ code: -32602 });
 * ```
 */
export class McpTestError extends Error {
  /** JSON-RPC error code. */
  readonly code: number;
  /** `data` of the error, if it has any. */
  readonly data: unknown;

  constructor(
    error: WireError,
    /** HTTP status of the response that carried the error. */
    readonly status: number,
  ) {
    super(error.message);
    this.name = 'McpTestError';
    this.code = error.code;
    this.data = error.data;
  }
}
