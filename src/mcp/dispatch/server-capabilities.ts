import type { ServerCapabilities } from '@modelcontextprotocol/server';

/**
 * What this server can do. It is the same whatever is registered: lists may be empty, and anything can be added while
 * the server runs.
 *
 * @param streams false for a server that answers with plain JSON only, and so cannot notify anybody of anything
 */
export function serverCapabilities(streams: boolean): ServerCapabilities {
  if (!streams) return { tools: {}, resources: {}, prompts: {}, completions: {} };
  return {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    completions: {},
    logging: {},
  };
}
