import { readFileSync } from 'node:fs';
import { type McpOptions, type RedisOptions, keyRingFromConfig } from '../index.js';
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
      maxStreamsPerPrincipal: config.MCP_MAX_STREAMS_PER_PRINCIPAL,
      drainDelayMs: config.MCP_DRAIN_DELAY_MS,
      drainGraceMs: config.MCP_DRAIN_GRACE_MS,
    },
    sessions: {
      store: {
        idleMs: config.MCP_SESSION_IDLE_MS,
        absoluteMs: config.MCP_SESSION_MAX_MS,
        maxSessions: config.MCP_MAX_SESSIONS,
        maxSessionsPerOwner: config.MCP_MAX_SESSIONS_PER_PRINCIPAL,
      },
    },
    callTimeoutMs: config.MCP_CALL_TIMEOUT_MS,
    maxResultBytes: config.MCP_MAX_RESULT_BYTES,
    pageSize: config.MCP_PAGE_SIZE,
    listCache: { ttlMs: config.MCP_LIST_TTL_MS },
    ...(config.MCP_REQUEST_STATE_KEYS !== undefined && {
      requestStateKeys: keyRingFromConfig(config.MCP_REQUEST_STATE_KEYS),
    }),
    ...(config.REDIS_URL !== undefined && { redis: redisOptions(config, config.REDIS_URL) }),
  };
}

function redisOptions(config: Config, url: string): RedisOptions {
  return {
    url,
    keyPrefix: config.REDIS_KEY_PREFIX,
    commandTimeoutMs: config.REDIS_COMMAND_TIMEOUT_MS,
    ...(config.REDIS_USERNAME !== undefined && { username: config.REDIS_USERNAME }),
    ...(config.REDIS_PASSWORD !== undefined && { password: config.REDIS_PASSWORD }),
    ...(config.REDIS_SENTINEL_PASSWORD !== undefined && { sentinelPassword: config.REDIS_SENTINEL_PASSWORD }),
    ...(config.REDIS_TLS_CA_FILE !== undefined && { tlsCa: readFileSync(config.REDIS_TLS_CA_FILE, 'utf8') }),
    ...(config.REDIS_TLS_SERVERNAME !== undefined && { tlsServername: config.REDIS_TLS_SERVERNAME }),
  };
}
