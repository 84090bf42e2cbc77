import type { Implementation, ServerCapabilities } from '@modelcontextprotocol/server';
import type { CacheHint } from '../protocol/cache-hint.js';

/** What this server says of itself. */
export interface ServerDescription {
  readonly info: Implementation;
  readonly capabilities: ServerCapabilities;
  /** Guidance for the model on how to use the server. */
  readonly instructions: string | undefined;
  /** Cache hint of `server/discover`. */
  readonly cache: Required<CacheHint>;
}
