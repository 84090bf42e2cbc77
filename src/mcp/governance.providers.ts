import { type FactoryProvider, Logger } from '@nestjs/common';
import type { AuditTrail } from './audit/audit-trail.js';
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
import type { McpOptions } from './mcp-options.js';
import { MCP_OPTIONS, SESSION_BACKEND } from './mcp.tokens.js';
import { AccessControl } from './policy/access-control.js';
import { PLAIN_CHALLENGE } from './protocol/access-challenge.js';
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
  useFactory: async ({ audit, redis }: McpOptions, backend: SessionBackend) => {
    if (!audit) return undefined;
    const { createAuditTrail } = await import('./create-audit-trail.js');
    return createAuditTrail(audit, backend, redis?.keyPrefix);
  },
};

export const provideOperations: FactoryProvider<Operations> = {
  provide: Operations,
  inject: [CallLimits, Telemetry, { token: AUDIT_TRAIL, optional: true }],
  useFactory: (limits: CallLimits, telemetry: Telemetry, audit?: AuditTrail) =>
    new Operations(limits, audit, telemetry),
};

function ruleOf(options: RateLimitOptions | undefined, where: string): RateLimitRule | undefined {
  return options && rateLimitRule(options, where);
}

function mostOf(max: number | undefined, where: string): number | undefined {
  return max === undefined ? undefined : concurrencyRule(max, where).max;
}
