import { type McpOptions, keyRingFromConfig } from '../index.js';
import type { Config } from './config.js';

/** The platform's configuration, in the terms of the library. */
export function mcpOptions(config: Config, version: string): McpOptions {
  return {
    name: 'rookery',
    version,
    title: 'Rookery',
    http: {
      path: config.MCP_PATH,
      allowedHosts: config.MCP_ALLOWED_HOSTS,
      allowedOrigins: config.MCP_ALLOWED_ORIGINS,
      jsonOnly: config.MCP_JSON_ONLY,
      maxBodyBytes: config.MCP_MAX_BODY_BYTES,
      keepAliveMs: config.MCP_KEEP_ALIVE_MS,
      maxStreams: config.MCP_MAX_STREAMS,
    },
    sessions: {
      store: {
        idleMs: config.MCP_SESSION_IDLE_MS,
        absoluteMs: config.MCP_SESSION_MAX_MS,
        maxSessions: config.MCP_MAX_SESSIONS,
        // Nobody is authenticated yet, so all sessions have the same owner.
        maxSessionsPerOwner: config.MCP_MAX_SESSIONS,
      },
    },
    callTimeoutMs: config.MCP_CALL_TIMEOUT_MS,
    maxResultBytes: config.MCP_MAX_RESULT_BYTES,
    pageSize: config.MCP_PAGE_SIZE,
    listCache: { ttlMs: config.MCP_LIST_TTL_MS },
    requestStateKeys: keyRingFromConfig(config.MCP_REQUEST_STATE_KEYS),
  };
}
