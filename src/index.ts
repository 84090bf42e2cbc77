/** The public API of Rookery. What is not named here is internal and may change at any time. */
export { Authenticator, type Credentials } from './mcp/auth/authenticator.port.js';
export { type AuditSink, type AuditPlace } from './mcp/audit/audit-sink.port.js';
export type {
  AsymmetricAlgorithm,
  IntrospectionOptions,
  IssuerOptions,
  JwksOptions,
  OAuthOptions,
  VerifiedTokensOptions,
} from './mcp/auth/oauth-options.js';
export { PassportAuthenticator, type PassportAuthenticatorOptions } from './mcp/auth/passport.authenticator.js';
export type { CacheHint } from './mcp/protocol/cache-hint.js';
export type {
  CapabilityOptions,
  CompletionTarget,
  McpPromptOptions,
  McpResourceOptions,
  McpToolOptions,
} from './mcp/decorators/capability-options.js';
export type { CompletionReturn, PromptReturn, ResourceReturn, ToolReturn } from './mcp/decorators/handler-types.js';
export { AuditFields } from './mcp/decorators/audit-fields.decorator.js';
export { Concurrency } from './mcp/decorators/concurrency.decorator.js';
export type { ConcurrencyOptions, RateLimitOptions } from './mcp/decorators/limit-metadata.js';
export { Public } from './mcp/decorators/public.decorator.js';
export { RateLimit } from './mcp/decorators/rate-limit.decorator.js';
export { RequirePolicy } from './mcp/decorators/require-policy.decorator.js';
export { RequireRoles } from './mcp/decorators/require-roles.decorator.js';
export { RequireScopes } from './mcp/decorators/require-scopes.decorator.js';
export { type CompletionInput, McpCompletion } from './mcp/decorators/mcp-completion.decorator.js';
export { McpPrompt } from './mcp/decorators/mcp-prompt.decorator.js';
export { McpResource } from './mcp/decorators/mcp-resource.decorator.js';
export { McpTool } from './mcp/decorators/mcp-tool.decorator.js';
export { CurrentCall } from './mcp/dispatch/current-call.js';
export { CallCancelled, CallStopped, CallSuspended, CallTimedOut } from './mcp/protocol/interruptions.js';
export { type KeyRing, type SealingKey, keyRingFromConfig } from './mcp/dispatch/key-ring.js';
export type { HealthDetails } from './mcp/health/health-report.js';
export { type ManagementAnswer, type ManagementHandler, ManagementRoutes } from './mcp/health/management-routes.js';
export { McpHealthModule } from './mcp/health/mcp-health.module.js';
export { OffMainPortGuard } from './mcp/health/off-main-port.guard.js';
export type { ReadinessCheck, ReadinessState } from './mcp/health/readiness-check.port.js';
export { Readiness } from './mcp/health/readiness.js';
export {
  type AuditDestination,
  type AuditOptions,
  DEFAULT_HTTP_OPTIONS,
  type LimitOptions,
  type McpOptions,
} from './mcp/mcp-options.js';
export { McpModule, type McpModuleExtras } from './mcp/mcp.module.js';
export { McpMetricsModule, type McpMetricsOptions } from './mcp/observability/metrics/mcp-metrics.module.js';
export type {
  ObservedCapability,
  ObservedOperation,
  OperationEnd,
  OperationFailure,
  OperationWatch,
  ServerObserver,
  StreamLoss,
} from './mcp/observability/server-observer.port.js';
export { shownMethod } from './mcp/observability/method-names.js';
export { Telemetry } from './mcp/observability/telemetry.js';
export { type TraceIds, activeTraceIds } from './mcp/observability/tracing/active-trace-ids.js';
export { tracingObserver } from './mcp/observability/tracing/tracing-observer.js';
export type { AccessDefaults } from './mcp/policy/access-defaults.js';
export type { AccessChallenge } from './mcp/protocol/access-challenge.js';
export { AccessPolicy, type AccessRequest } from './mcp/protocol/access-policy.port.js';
export { type ErrorName, McpError, type McpErrorOptions, ToolError } from './mcp/protocol/errors.js';
export {
  type AskOptions,
  type ClientAsk,
  type ClientDescription,
  type ElicitAnswer,
  McpCall,
  type TraceContext,
} from './mcp/protocol/mcp-call.js';
export { ANONYMOUS, type Principal, isAnonymous, principalKey } from './mcp/protocol/principal.js';
export { type Era, REVISIONS, type Revision } from './mcp/protocol/revisions.js';
export type {
  DtoClass,
  JsonSchema,
  SchemaInput,
  SchemaOutput,
  SchemaSource,
  StandardSchema,
} from './mcp/protocol/schema-source.js';
export type { AccessOptions } from './mcp/registry/access-rule.js';
export type { RuntimeRules } from './mcp/registry/capability-rules.js';
export { MCP_CONTEXT_TYPE } from './mcp/registry/handler-invoker.js';
export { McpRegistry, type Registration } from './mcp/registry/mcp-registry.js';
export { ApiField } from './mcp/schema/api-field.decorator.js';
export { withJsonSchema } from './mcp/schema/with-json-schema.js';
export { type Change, ChangeBus, type ChangeRead, type LoggedChange } from './mcp/session/change-bus.port.js';
export {
  type Attachment,
  type AttachmentListener,
  EventLog,
  type EventRead,
  type LoggedEvent,
} from './mcp/session/event-log.port.js';
export { type CallListener, type ClientAnswer, Mailbox } from './mcp/session/mailbox.port.js';
export type { RedisOptions } from './mcp/session/redis/redis-options.js';
export type { SessionLimits } from './mcp/session/session-backend.js';
export type { SessionChange, SessionRecord } from './mcp/session/session-record.js';
export { type SessionEntry, SessionStore } from './mcp/session/session-store.port.js';
export { GracefulStop } from './mcp/transport/http/graceful-stop.js';
export { type HttpServerOptions, createHttpAdapter } from './mcp/transport/http/http-adapter.js';
export { type RequestWatch, watchRequests } from './mcp/transport/http/watch-requests.js';
export type { HttpOptions } from './mcp/transport/http/http-options.js';
export type { ManagementOptions } from './mcp/transport/http/management-server.js';
export { isLoopbackAddress } from './mcp/transport/http/loopback-only.js';
export { securityHeaders } from './mcp/transport/http/security-headers.js';
export { reserveStdout } from './mcp/transport/stdio/reserved-stdout.js';
export { type StdioOptions, type StdioServer, serveStdio } from './mcp/transport/stdio/serve-stdio.js';
