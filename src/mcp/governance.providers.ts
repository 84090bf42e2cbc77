import { type KeyObject, createPrivateKey } from 'node:crypto';
import { hostname } from 'node:os';
import { type FactoryProvider, Logger } from '@nestjs/common';
import type { AuditSink } from './audit/audit-sink.port.js';
import { AuditTrail } from './audit/audit-trail.js';
import { JsonLinesFileSink } from './audit/json-lines-file.sink.js';
import { JsonLinesStreamSink } from './audit/json-lines-stream.sink.js';
import { RedisStreamSink } from './audit/redis-stream.sink.js';
import { AnonymousAuthenticator } from './auth/anonymous.authenticator.js';
import { Authenticator } from './auth/authenticator.port.js';
import {
  type RateLimitOptions,
  type RateLimitRule,
  concurrencyRule,
  rateLimitRule,
} from './decorators/limit-metadata.js';
import { Operations } from './dispatch/operations.js';
import { CallLimits } from './limits/call-limits.js';
import { MemoryTokenBuckets } from './limits/memory-token-buckets.js';
import { ResilientTokenBuckets } from './limits/resilient-token-buckets.js';
import { TokenBuckets } from './limits/token-buckets.port.js';
import { Telemetry } from './observability/telemetry.js';
import type { AuditDestination, AuditOptions, McpOptions } from './mcp-options.js';
import { MCP_OPTIONS, SESSION_BACKEND } from './mcp.tokens.js';
import { AccessControl } from './policy/access-control.js';
import { PLAIN_CHALLENGE } from './protocol/access-challenge.js';
import { DEFAULT_KEY_PREFIX } from './session/redis/redis-options.js';
import type { SessionBackend } from './session/session-backend.js';

/** Who is calling: as the options say, unless a team brings an authenticator of its own. */
export const provideAuthenticator: FactoryProvider<Authenticator> = {
  provide: Authenticator,
  inject: [MCP_OPTIONS],
  useFactory: async ({ auth }: McpOptions) => {
    if (auth === undefined || auth === 'none') return new AnonymousAuthenticator();
    const { OAuthAuthenticator } = await import('./auth/oauth.authenticator.js');
    return new OAuthAuthenticator(auth, { logger: new Logger('Auth') });
  },
};

/** Who may use what. */
export const provideAccessControl: FactoryProvider<AccessControl> = {
  provide: AccessControl,
  inject: [MCP_OPTIONS, Authenticator],
  useFactory: ({ access }: McpOptions, authenticator: Authenticator) =>
    new AccessControl({
      ...access,
      anonymousMayUse: authenticator.anonymousMayUse ?? 'public',
      challenge: authenticator.challenge ?? PLAIN_CHALLENGE,
      logger: new Logger('Access'),
    }),
};

/** Where calls are counted: for all replicas together if they share something, and here for when that is away. */
export const provideTokenBuckets: FactoryProvider<TokenBuckets> = {
  provide: TokenBuckets,
  inject: [SESSION_BACKEND],
  useFactory: ({ tokenBuckets: shared }: SessionBackend) => {
    const local = new MemoryTokenBuckets();
    return shared ? new ResilientTokenBuckets({ shared, local, logger: new Logger('Limits') }) : local;
  },
};

export const provideCallLimits: FactoryProvider<CallLimits> = {
  provide: CallLimits,
  inject: [MCP_OPTIONS, TokenBuckets],
  useFactory: ({ limits }: McpOptions, buckets: TokenBuckets) =>
    new CallLimits({
      buckets,
      principal: ruleOf(limits?.principal, 'limits.principal'),
      tenant: ruleOf(limits?.tenant, 'limits.tenant'),
      maxCallsPerPrincipal: mostOf(limits?.maxCallsPerPrincipal, 'limits.maxCallsPerPrincipal'),
    }),
};

/** `undefined` where nothing is to be recorded. */
export const AUDIT_TRAIL = Symbol('AuditTrail');

export const provideAuditTrail: FactoryProvider<AuditTrail | undefined> = {
  provide: AUDIT_TRAIL,
  inject: [MCP_OPTIONS, SESSION_BACKEND],
  useFactory: ({ audit, redis }: McpOptions, backend: SessionBackend) => {
    if (!audit) return undefined;
    const { to, onFailure = 'continue', replica = hostname(), signingKey, digestKey } = audit;
    return new AuditTrail({
      sinks: to.map((destination) => sinkOf(destination, audit, backend, redis?.keyPrefix)),
      onFailure,
      replica,
      ...(signingKey !== undefined && { signingKey: privateKeyOf(signingKey) }),
      ...(digestKey && { digestKey }),
      logger: new Logger('Audit'),
    });
  },
};

export const provideOperations: FactoryProvider<Operations> = {
  provide: Operations,
  inject: [CallLimits, Telemetry, { token: AUDIT_TRAIL, optional: true }],
  useFactory: (limits: CallLimits, telemetry: Telemetry, audit?: AuditTrail) =>
    new Operations(limits, audit, telemetry),
};

/** @throws Error when the destination cannot be had */
function sinkOf(
  destination: AuditDestination,
  { onFailure, redisMaxEntries: maxLength }: AuditOptions,
  { appendAudit }: SessionBackend,
  keyPrefix: string = DEFAULT_KEY_PREFIX,
): AuditSink {
  if (destination === 'stdout') return new JsonLinesStreamSink();
  if (destination === 'redis') {
    const length = maxLength === undefined ? {} : { maxLength };
    if (appendAudit) return new RedisStreamSink({ append: appendAudit, keyPrefix, ...length });
    throw new Error('The audit is to go to Redis, but there is none. Set `redis` (REDIS_URL), or send it elsewhere.');
  }
  if (!('file' in destination)) return destination;
  // Where nothing may be done unrecorded, a crash of the machine must not unrecord it.
  return new JsonLinesFileSink({ path: destination.file, sync: onFailure === 'closed' });
}

function ruleOf(options: RateLimitOptions | undefined, where: string): RateLimitRule | undefined {
  return options && rateLimitRule(options, where);
}

function mostOf(max: number | undefined, where: string): number | undefined {
  return max === undefined ? undefined : concurrencyRule(max, where).max;
}

/** @throws Error that says nothing of the key */
function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(
      'audit.signingKey is not a private key in PEM form. Make one with: openssl genpkey -algorithm ed25519',
    );
  }
}
