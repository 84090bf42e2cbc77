import {
  type AuditDestination,
  type AuditOptions,
  type McpOptions,
  type RedisOptions,
  keyRingFromConfig,
} from '../index.js';
import { authOptions } from './auth-options.js';
import type { Config } from './config.js';
import { MANAGEMENT_PATHS } from './management-paths.js';
import { readVariableFile } from './variable-file.js';

/** The platform's configuration, in the terms of the library. */
export function mcpOptions(config: Config, version: string): McpOptions {
  const auth = authOptions(config);
  requireMeaning(config);
  return {
    ...(auth !== undefined && { auth }),
    access: { undeclared: config.ACCESS_UNDECLARED, missingScope: config.ACCESS_MISSING_SCOPE },
    limits: {
      ...perMinute('principal', config.LIMIT_PRINCIPAL_PER_MINUTE),
      ...perMinute('tenant', config.LIMIT_TENANT_PER_MINUTE),
      ...(config.LIMIT_CALLS_PER_PRINCIPAL > 0 && { maxCallsPerPrincipal: config.LIMIT_CALLS_PER_PRINCIPAL }),
    },
    ...auditOptions(config),
    name: 'rookery',
    version,
    title: 'Rookery',
    http: {
      path: config.MCP_PATH,
      allowedHosts: config.MCP_ALLOWED_HOSTS,
      allowedOrigins: config.MCP_ALLOWED_ORIGINS,
      jsonOnly: config.MCP_JSON_ONLY,
      maxEventLoopDelayMs: config.LIMIT_EVENT_LOOP_DELAY_MS,
      maxBodyBytes: config.MCP_MAX_BODY_BYTES,
      keepAliveMs: config.MCP_KEEP_ALIVE_MS,
      maxStreams: config.MCP_MAX_STREAMS,
      maxStreamsPerPrincipal: config.MCP_MAX_STREAMS_PER_PRINCIPAL,
      drainDelayMs: config.MCP_DRAIN_DELAY_MS,
      drainGraceMs: config.MCP_DRAIN_GRACE_MS,
    },
    ...(config.MANAGEMENT_PORT !== undefined && {
      management: { port: config.MANAGEMENT_PORT, host: config.MANAGEMENT_HOST ?? config.HOST },
    }),
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

/** @throws Error when two ports or two paths would be one, or an address is one of no port */
function requireMeaning({ PORT, MANAGEMENT_PORT, MANAGEMENT_HOST, MCP_PATH }: Config): void {
  // Even if they are served on the management port alone.
  if (MANAGEMENT_PATHS.test(MCP_PATH)) {
    throw new Error(`MCP_PATH is ${MCP_PATH}, but /health and /metrics are served there. Choose another path.`);
  }
  if (MANAGEMENT_PORT !== undefined && MANAGEMENT_PORT !== 0 && MANAGEMENT_PORT === PORT) {
    throw new Error(`MANAGEMENT_PORT is ${PORT}, as PORT is. Give it another one, or leave it out.`);
  }
  if (MANAGEMENT_PORT === undefined && MANAGEMENT_HOST !== undefined) {
    throw new Error('MANAGEMENT_HOST is the address of MANAGEMENT_PORT, but that is missing. Set it too.');
  }
}

/** No limit for 0. */
function perMinute<K extends string>(whose: K, amount: number): Partial<Record<K, { readonly perMinute: number }>> {
  return amount > 0 ? ({ [whose]: { perMinute: amount } } as Record<K, { perMinute: number }>) : {};
}

/** @throws Error when a destination is none, or there is none for what is said of them */
function auditOptions(config: Config): { readonly audit?: AuditOptions } {
  if (config.AUDIT_TO.length === 0) {
    const meant = (['AUDIT_SIGNING_KEY_FILE', 'AUDIT_DIGEST_KEY', 'AUDIT_REPLICA'] as const).filter(
      (name) => config[name] !== undefined,
    );
    const all = [...(config.AUDIT_ON_FAILURE === 'closed' ? ['AUDIT_ON_FAILURE'] : []), ...meant];
    if (all.length === 0) return {};
    throw new Error(`${all.join(', ')} can only mean that operations are recorded, but AUDIT_TO says nowhere. Set it.`);
  }
  const audit = {
    to: config.AUDIT_TO.map(destinationOf),
    onFailure: config.AUDIT_ON_FAILURE,
    redisMaxEntries: config.AUDIT_REDIS_MAX_ENTRIES,
    ...(config.AUDIT_REPLICA !== undefined && { replica: config.AUDIT_REPLICA }),
    ...(config.AUDIT_SIGNING_KEY_FILE !== undefined && {
      signingKey: readVariableFile('AUDIT_SIGNING_KEY_FILE', config.AUDIT_SIGNING_KEY_FILE),
    }),
    ...(config.AUDIT_DIGEST_KEY !== undefined && { digestKey: Buffer.from(config.AUDIT_DIGEST_KEY, 'base64') }),
  };
  return { audit };
}

function destinationOf(to: string): AuditDestination {
  if (to === 'stdout' || to === 'redis') return to;
  if (to.includes('/')) return { file: to };
  throw new Error(`AUDIT_TO: ${to} is neither stdout nor redis nor a path. Write a file in this folder as ./${to}.`);
}

function redisOptions(config: Config, url: string): RedisOptions {
  return {
    url,
    keyPrefix: config.REDIS_KEY_PREFIX,
    commandTimeoutMs: config.REDIS_COMMAND_TIMEOUT_MS,
    ...(config.REDIS_USERNAME !== undefined && { username: config.REDIS_USERNAME }),
    ...(config.REDIS_PASSWORD !== undefined && { password: config.REDIS_PASSWORD }),
    ...(config.REDIS_SENTINEL_PASSWORD !== undefined && { sentinelPassword: config.REDIS_SENTINEL_PASSWORD }),
    ...(config.REDIS_TLS_CA_FILE !== undefined && {
      tlsCa: readVariableFile('REDIS_TLS_CA_FILE', config.REDIS_TLS_CA_FILE),
    }),
    ...(config.REDIS_TLS_SERVERNAME !== undefined && { tlsServername: config.REDIS_TLS_SERVERNAME }),
  };
}
