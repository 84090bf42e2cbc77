import { type FactoryProvider, Logger } from '@nestjs/common';
import type { Implementation } from '@modelcontextprotocol/server';
import { Authenticator } from './auth/authenticator.port.js';
import type { CacheHint } from './protocol/cache-hint.js';
import { AnswerSchemas } from './dispatch/answer-schemas.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { Operations } from './dispatch/operations.js';
import { ResultEncoder } from './dispatch/encode/result-encoder.js';
import { RequestStateSealer } from './dispatch/request-state.js';
import { serverCapabilities } from './dispatch/server-capabilities.js';
import { HealthFacts } from './health/health-facts.port.js';
import { HealthReport } from './health/health-report.js';
import { ManagementRoutes } from './health/management-routes.js';
import type { ReadinessCheck } from './health/readiness-check.port.js';
import { Readiness } from './health/readiness.js';
import { sessionReadiness } from './health/session-readiness.js';
import { Startup } from './health/startup.js';
import type { AuditTrail } from './audit/audit-trail.js';
import { AUDIT_TRAIL } from './governance.providers.js';
import { type AuditOptions, DEFAULT_HTTP_OPTIONS, type McpOptions } from './mcp-options.js';
import { MCP_OPTIONS, SESSION_BACKEND } from './mcp.tokens.js';
import { Telemetry } from './observability/telemetry.js';
import { AccessControl } from './policy/access-control.js';
import { ANONYMOUS, principalKey } from './protocol/principal.js';
import { McpRegistry } from './registry/mcp-registry.js';
import { McpServerFacts } from './server-facts.js';
import { ChangeBus } from './session/change-bus.port.js';
import { ChangeFanout } from './session/change-fanout.js';
import { EventLog } from './session/event-log.port.js';
import { Mailbox } from './session/mailbox.port.js';
import { createMemorySession } from './session/memory/memory-session.js';
import { REQUEST_STATE_SECRET, type SessionBackend } from './session/session-backend.js';
import { SessionCount } from './session/session-count.js';
import { SessionStore } from './session/session-store.port.js';
import { GracefulStop } from './transport/http/graceful-stop.js';
import { KeepAlive } from './transport/http/sse-response.js';
import { OpenStreams } from './transport/http/open-streams.js';
import { RunningCalls } from './transport/http/running-calls.js';
import type { SessionServices, WireServices } from './transport/http/wire-services.js';
import type { ServerDescription } from './transport/server-description.js';

const DEFAULT_MAX_RESULT_BYTES = 4 * 1024 * 1024;
/** What a stream keeps beyond its largest event: the frame around it, and the events before it. */
const STREAM_HEADROOM_BYTES = 1024 * 1024;

/** Everything the transports work with; made once for each application. */
export class McpServer {
  constructor(readonly services: WireServices & SessionServices) {}
}

export const provideTelemetry: FactoryProvider<Telemetry> = {
  provide: Telemetry,
  inject: [MCP_OPTIONS],
  useFactory: ({ observers = [] }: McpOptions) => {
    const telemetry = new Telemetry();
    for (const observer of observers) telemetry.add(observer);
    return telemetry;
  },
};

export const provideSessionBackend: FactoryProvider<SessionBackend> = {
  provide: SESSION_BACKEND,
  inject: [MCP_OPTIONS, Telemetry],
  useFactory: async (
    { redis, sessions, http, maxResultBytes = DEFAULT_MAX_RESULT_BYTES }: McpOptions,
    telemetry: Telemetry,
  ) => {
    const limits = {
      ...sessions,
      store: { uncappedOwner: principalKey(ANONYMOUS), ...sessions?.store },
      // A result that is allowed must fit into the log that carries it.
      events: { maxBytes: maxResultBytes + STREAM_HEADROOM_BYTES, ...sessions?.events },
    };
    if (!redis) return createMemorySession(limits);
    // An answer may come until the last moment, and then has to be fetched.
    const askRetentionMs = (http?.askTimeoutMs ?? DEFAULT_HTTP_OPTIONS.askTimeoutMs) + 60_000;
    const { RedisSession } = await import('./session/redis/redis-session.js');
    return new RedisSession({ ...limits, redis, askRetentionMs, telemetry, logger: new Logger('Sessions') });
  },
};

export const provideRegistry: FactoryProvider<McpRegistry> = {
  provide: McpRegistry,
  inject: [MCP_OPTIONS, ChangeBus],
  useFactory: ({ pageSize = 250 }: McpOptions, changes: ChangeBus) => new McpRegistry({ pageSize }, changes),
};

export const provideDispatcher: FactoryProvider<Dispatcher> = {
  provide: Dispatcher,
  inject: [MCP_OPTIONS, SESSION_BACKEND, McpRegistry, AccessControl, Operations, Telemetry],
  useFactory: (
    options: McpOptions,
    backend: SessionBackend,
    ...[registry, access, operations, telemetry]: [McpRegistry, AccessControl, Operations, Telemetry]
  ) =>
    new Dispatcher({
      registry,
      access,
      operations,
      telemetry,
      encoder: new ResultEncoder(serverInfo(options), options.maxResultBytes ?? DEFAULT_MAX_RESULT_BYTES),
      sealer: new RequestStateSealer({
        keys:
          options.requestStateKeys ??
          (async () => [{ id: 'shared', secret: await backend.secret(REQUEST_STATE_SECRET) }]),
        ...(options.requestStateTtlMs !== undefined && { ttlMs: options.requestStateTtlMs }),
      }),
      schemas: new AnswerSchemas(),
      logger: new Logger('Mcp'),
      callTimeoutMs: options.callTimeoutMs ?? 60_000,
      listCache: cacheOf(options.listCache),
    }),
};

export const provideServer: FactoryProvider<McpServer> = {
  provide: McpServer,
  inject: [
    MCP_OPTIONS,
    Dispatcher,
    McpRegistry,
    Authenticator,
    AccessControl,
    Operations,
    Telemetry,
    SessionStore,
    EventLog,
    ChangeBus,
    Mailbox,
  ],
  useFactory: (
    options: McpOptions,
    ...[dispatcher, registry, authenticator, access, operations, telemetry, store, events, changes, mailbox]: [
      Dispatcher,
      McpRegistry,
      Authenticator,
      AccessControl,
      Operations,
      Telemetry,
      SessionStore,
      EventLog,
      ChangeBus,
      Mailbox,
    ]
  ) => {
    const http = { ...DEFAULT_HTTP_OPTIONS, ...options.http };
    const server: ServerDescription = {
      info: serverInfo(options),
      capabilities: serverCapabilities(!http.jsonOnly),
      instructions: options.instructions,
      cache: describedTo(access, cacheOf(options.listCache)),
    };
    const streams = new OpenStreams(http);
    const calls = new RunningCalls();
    const logger = new Logger('Mcp');
    return new McpServer({
      options: http,
      server,
      dispatcher,
      registry,
      authenticator,
      access,
      operations,
      telemetry,
      loopbackOnly: authenticator.anonymousMayUse === 'all' && options.auth !== 'none',
      fanout: new ChangeFanout(changes),
      keepAlive: new KeepAlive(http.keepAliveMs),
      streams,
      calls,
      stop: new GracefulStop({ options: http, streams, calls, logger }),
      logger,
      store,
      events,
      changes,
      mailbox,
    });
  },
};

export const provideGracefulStop: FactoryProvider<GracefulStop> = {
  provide: GracefulStop,
  inject: [McpServer],
  useFactory: ({ services }: McpServer) => services.stop,
};

/** What must be in order before requests are sent to this process. */
export const provideReadiness: FactoryProvider<Readiness> = {
  provide: Readiness,
  inject: [MCP_OPTIONS, Startup, GracefulStop, SESSION_BACKEND, { token: AUDIT_TRAIL, optional: true }],
  useFactory: (
    { audit }: McpOptions,
    startup: Startup,
    ...[stop, session, trail]: [GracefulStop, SessionBackend, AuditTrail?]
  ) => {
    const server: ReadinessCheck = {
      name: 'server',
      check: () => {
        if (stop.draining) return { ready: false, detail: 'The server is stopping.' };
        return startup.isComplete ? { ready: true } : { ready: false, detail: 'The server is starting.' };
      },
    };
    const checks = [server, sessionReadiness(() => session.health())];
    return new Readiness(trail && audit ? [...checks, auditReadiness(trail, audit)] : checks);
  },
};

export const provideManagementRoutes: FactoryProvider<ManagementRoutes> = {
  provide: ManagementRoutes,
  inject: [MCP_OPTIONS],
  useFactory: ({ management }: McpOptions) => new ManagementRoutes(management !== undefined),
};

export const provideSessionCount: FactoryProvider<SessionCount> = {
  provide: SessionCount,
  inject: [SessionStore],
  useFactory: (store: SessionStore) => new SessionCount(store),
};

export const provideHealthFacts: FactoryProvider<HealthFacts> = {
  provide: HealthFacts,
  inject: [MCP_OPTIONS, McpServer, SESSION_BACKEND, SessionCount],
  useFactory: (options: McpOptions, server: McpServer, backend: SessionBackend, sessions: SessionCount) =>
    new McpServerFacts({ options, server, backend, sessions }),
};

export const provideHealthReport: FactoryProvider<HealthReport> = {
  provide: HealthReport,
  inject: [HealthFacts, Readiness, Startup],
  useFactory: (facts: HealthFacts, readiness: Readiness, startup: Startup) =>
    new HealthReport({ facts, readiness, startup }),
};

/**
 * One whose disk is full refuses what others would do, so it is not to be sent anything. What all replicas share is away
 * for all of them.
 */
function auditReadiness(trail: AuditTrail, { onFailure, to }: AuditOptions): ReadinessCheck {
  const isOurs = onFailure === 'closed' && to.some((destination) => destination !== 'redis');
  return {
    name: 'audit',
    check: () => {
      const { failure } = trail;
      return failure === undefined ? { ready: true } : { ready: !isOurs, degraded: true, detail: failure };
    },
  };
}

function serverInfo({ name = 'rookery', version = '0.0.0', title, websiteUrl, icons }: McpOptions): Implementation {
  return {
    name,
    version,
    ...(title !== undefined && { title }),
    ...(websiteUrl !== undefined && { websiteUrl }),
    ...(icons !== undefined && { icons: [...icons] }),
  };
}

/** What is kept from strangers, nobody may keep for others. */
function describedTo({ isOpenToAll }: AccessControl, cache: Required<CacheHint>): Required<CacheHint> {
  return isOpenToAll ? cache : { ...cache, scope: 'private' };
}

/** @throws Error when `ttlMs` is none that may be sent (2026-07-28 server/utilities/caching, "Time-to-Live") */
function cacheOf({ ttlMs = 0, scope = 'private' }: CacheHint = {}): Required<CacheHint> {
  if (!Number.isInteger(ttlMs) || ttlMs < 0) {
    throw new Error(`McpModule: listCache.ttlMs is ${ttlMs}. Give whole milliseconds, 0 or more.`);
  }
  return { ttlMs, scope };
}
