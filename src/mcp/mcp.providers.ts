import { type FactoryProvider, Logger } from '@nestjs/common';
import type { Implementation } from '@modelcontextprotocol/server';
import { Authenticator } from './auth/authenticator.port.js';
import type { CacheHint } from './protocol/cache-hint.js';
import { AnswerSchemas } from './dispatch/answer-schemas.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { ResultEncoder } from './dispatch/encode/result-encoder.js';
import { keyRingFromConfig } from './dispatch/key-ring.js';
import { RequestStateSealer } from './dispatch/request-state.js';
import { serverCapabilities } from './dispatch/server-capabilities.js';
import { DEFAULT_HTTP_OPTIONS, type McpOptions } from './mcp-options.js';
import { McpRegistry } from './registry/mcp-registry.js';
import { ChangeBus } from './session/change-bus.port.js';
import { ChangeFanout } from './session/change-fanout.js';
import { EventLog } from './session/event-log.port.js';
import { Mailbox } from './session/mailbox.port.js';
import { type MemorySession, createMemorySession } from './session/memory/memory-session.js';
import { SessionStore } from './session/session-store.port.js';
import { KeepAlive } from './transport/http/sse-response.js';
import { OpenStreams } from './transport/http/open-streams.js';
import type { SessionServices, WireServices } from './transport/http/wire-services.js';
import type { ServerDescription } from './transport/server-description.js';

export const MCP_OPTIONS = Symbol('McpOptions');
const DEFAULT_MAX_RESULT_BYTES = 4 * 1024 * 1024;
/** What a stream keeps beyond its largest event: the frame around it, and the events before it. */
const STREAM_HEADROOM_BYTES = 1024 * 1024;

export const MEMORY_SESSION = Symbol('MemorySession');

/** Everything the transports work with; made once for each application. */
export class McpServer {
  constructor(readonly services: WireServices & SessionServices) {}
}

export const provideMemorySession: FactoryProvider<MemorySession> = {
  provide: MEMORY_SESSION,
  inject: [MCP_OPTIONS],
  useFactory: ({ sessions, maxResultBytes = DEFAULT_MAX_RESULT_BYTES }: McpOptions) =>
    createMemorySession({
      ...sessions,
      // A result that is allowed must fit into the log that carries it.
      events: { maxBytes: maxResultBytes + STREAM_HEADROOM_BYTES, ...sessions?.events },
    }),
};

export const provideRegistry: FactoryProvider<McpRegistry> = {
  provide: McpRegistry,
  inject: [MCP_OPTIONS, ChangeBus],
  useFactory: ({ pageSize = 250 }: McpOptions, changes: ChangeBus) => new McpRegistry({ pageSize }, changes),
};

export const provideDispatcher: FactoryProvider<Dispatcher> = {
  provide: Dispatcher,
  inject: [MCP_OPTIONS, McpRegistry],
  useFactory: (options: McpOptions, registry: McpRegistry) =>
    new Dispatcher({
      registry,
      encoder: new ResultEncoder(serverInfo(options), options.maxResultBytes ?? DEFAULT_MAX_RESULT_BYTES),
      sealer: new RequestStateSealer({
        keys: options.requestStateKeys ?? keyRingFromConfig(undefined),
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
  inject: [MCP_OPTIONS, Dispatcher, McpRegistry, Authenticator, SessionStore, EventLog, ChangeBus, Mailbox],
  useFactory: (
    options: McpOptions,
    ...[dispatcher, registry, authenticator, store, events, changes, mailbox]: [
      Dispatcher,
      McpRegistry,
      Authenticator,
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
      cache: cacheOf(options.listCache),
    };
    return new McpServer({
      options: http,
      server,
      dispatcher,
      registry,
      authenticator,
      fanout: new ChangeFanout(changes),
      keepAlive: new KeepAlive(http.keepAliveMs),
      streams: new OpenStreams(http.maxStreams),
      logger: new Logger('Mcp'),
      store,
      events,
      changes,
      mailbox,
    });
  },
};

function serverInfo({ name = 'rookery', version = '0.0.0', title, websiteUrl, icons }: McpOptions): Implementation {
  return {
    name,
    version,
    ...(title !== undefined && { title }),
    ...(websiteUrl !== undefined && { websiteUrl }),
    ...(icons !== undefined && { icons: [...icons] }),
  };
}

/** @throws Error when `ttlMs` is none that may be sent (2026-07-28 server/utilities/caching, "Time-to-Live") */
function cacheOf({ ttlMs = 0, scope = 'private' }: CacheHint = {}): Required<CacheHint> {
  if (!Number.isInteger(ttlMs) || ttlMs < 0) {
    throw new Error(`McpModule: listCache.ttlMs is ${ttlMs}. Give whole milliseconds, 0 or more.`);
  }
  return { ttlMs, scope };
}
