import type { Icon } from '@modelcontextprotocol/server';
import type { AuditSink } from './audit/audit-sink.port.js';
import type { OAuthOptions } from './auth/oauth-options.js';
import type { RateLimitOptions } from './decorators/limit-metadata.js';
import type { AccessDefaults } from './policy/access-defaults.js';
import type { CacheHint } from './protocol/cache-hint.js';
import type { KeyRing } from './dispatch/key-ring.js';
import type { ServerObserver } from './observability/server-observer.port.js';
import type { MemorySessionOptions } from './session/memory/memory-session.js';
import type { RedisOptions } from './session/redis/redis-options.js';
import type { HttpOptions } from './transport/http/http-options.js';
import type { ManagementOptions } from './transport/http/management-server.js';

/** Limits that hold whatever is called; `@RateLimit()` and `@Concurrency()` are those of single capabilities. */
export interface LimitOptions {
  /** How often one principal may call. Anonymous callers are not one. Default: no limit. */
  readonly principal?: Omit<RateLimitOptions, 'per'>;
  /** How often all callers of one tenant may. Default: no limit. */
  readonly tenant?: Omit<RateLimitOptions, 'per'>;
  /** Calls that one principal may have running on one replica. Default: no limit. */
  readonly maxCallsPerPrincipal?: number;
}

/** Standard output, a file, a stream in the Redis of the sessions, or a store of the team's own. */
export type AuditDestination = 'stdout' | 'redis' | { readonly file: string } | AuditSink;

export interface AuditOptions {
  /** At least one. */
  readonly to: readonly AuditDestination[];
  /**
   * What happens while a destination cannot be written: `closed` refuses operations, `continue` goes on, keeps entries
   * up to a bound and counts those beyond it. Default `continue`.
   */
  readonly onFailure?: 'closed' | 'continue';
  /** Entries that the stream in Redis keeps, of all replicas. Default 1,000,000. */
  readonly redisMaxEntries?: number;
  /** Name of this replica in the entries. Default: the host name. */
  readonly replica?: string;
  /** Ed25519 private key, PEM, that signs checkpoints. Default: one of this process alone, which proves little. */
  readonly signingKey?: string;
  /** Makes digests of arguments that nobody else can find by trying; 32 bytes at least. Default: plain SHA-256. */
  readonly digestKey?: Uint8Array;
}

/** How an MCP server is set up. Everything has a default. */
export interface McpOptions {
  /** Name of the server, as clients see it. Default `rookery`. */
  readonly name?: string;
  /** Version of the server, as clients see it. Default `0.0.0`. */
  readonly version?: string;
  /** Name for people. */
  readonly title?: string;
  readonly websiteUrl?: string;
  readonly icons?: readonly Icon[];
  /** Guidance for the model on how to use this server. */
  readonly instructions?: string;
  /**
   * Who may issue access tokens for this server. Default: nobody is asked who he is, and the server serves loopback
   * only; `none` says that it may serve everyone who reaches it. An `Authenticator` among the module's `adapters`
   * takes the place of it.
   */
  readonly auth?: OAuthOptions | 'none';
  /** Who may use what where decorators leave it open. */
  readonly access?: AccessDefaults;
  /** How much a caller may do. Default: as much as it likes. */
  readonly limits?: LimitOptions;
  /** Where it is recorded who did what. Default: nowhere. */
  readonly audit?: AuditOptions;
  /** Who hears what the server does, such as `tracingObserver(tracer)`. Default: nobody but those that Telemetry is given. */
  readonly observers?: readonly ServerObserver[];
  /** The HTTP endpoint; see {@link HttpOptions} and {@link DEFAULT_HTTP_OPTIONS}. */
  readonly http?: Partial<HttpOptions>;
  /**
   * A port of its own for health and metrics, which the one of the application then answers 404. It listens before the
   * application does, and until that has closed. Default: they are on the port of the application.
   */
  readonly management?: ManagementOptions;
  /**
   * Keeps sessions, their streams and changes in Redis, so that any replica serves any session. Default: in the memory
   * of this process, which then must be the only one.
   */
  readonly redis?: RedisOptions;
  /** Sessions: expiry, caps and how much of a stream is kept. */
  readonly sessions?: MemorySessionOptions;
  /** Milliseconds a call may take unless its decorator says otherwise. Default 60,000. */
  readonly callTimeoutMs?: number;
  /** UTF-8 bytes a serialised result may have. Default 4 MiB. */
  readonly maxResultBytes?: number;
  /** Entries a page of a list. Default 250. */
  readonly pageSize?: number;
  /** Cache hint of lists and of `server/discover`. Default: not cacheable, private. */
  readonly listCache?: CacheHint;
  /**
   * Keys that seal `requestState`. Default: with `redis`, one that all replicas share through it; without, a random one,
   * so that a restart cannot open what was sealed before.
   */
  readonly requestStateKeys?: KeyRing;
  /** Milliseconds a client may take to answer an `input_required`. Default 600,000. */
  readonly requestStateTtlMs?: number;
}

export const DEFAULT_HTTP_OPTIONS: HttpOptions = Object.freeze({
  path: '/mcp',
  allowedHosts: Object.freeze(['localhost', '127.0.0.1', '[::1]']),
  allowedOrigins: Object.freeze([]),
  maxEventLoopDelayMs: 0,
  maxBodyBytes: 1024 * 1024,
  maxBodyDepth: 64,
  jsonOnly: false,
  streamAfterMs: 2_000,
  keepAliveMs: 15_000,
  retryMs: 1_000,
  maxBufferedBytes: 1024 * 1024,
  stalledReaderMs: 30_000,
  askTimeoutMs: 600_000,
  maxBatch: 50,
  maxStreams: 10_000,
  maxStreamsPerPrincipal: 100,
  maxSubscriptions: 1_000,
  drainDelayMs: 0,
  drainStreamsMs: 5_000,
  drainGraceMs: 25_000,
});
