/** The test kit of Rookery, `rookery/testing`. It needs `@nestjs/testing`, which a team's tests have anyway. */
export type {
  ElicitHandler,
  ElicitQuestion,
  ElicitReply,
  RootsHandler,
  SampleHandler,
} from './mcp/testing/client-handlers.js';
export type { McpTestClientOptions, McpTestRequestOptions, ProgressHandler } from './mcp/testing/client-options.js';
export { createMcpTestApp, type McpTestAppOptions } from './mcp/testing/create-mcp-test-app.js';
export type { ModuleImport } from './mcp/testing/find-mcp-module.js';
export { McpTestApp } from './mcp/testing/mcp-test-app.js';
export { McpTestClient } from './mcp/testing/mcp-test-client.js';
export { McpTestError } from './mcp/testing/mcp-test-error.js';
export {
  NotificationLog,
  type NotificationMatcher,
  type TestNotification,
  type WaitOptions,
} from './mcp/testing/notification-log.js';
export type { RunningCall } from './mcp/testing/running-call.js';
export type { TestPrincipal } from './mcp/testing/test-principal.js';
export type { Listening } from './mcp/testing/test-wire.js';
