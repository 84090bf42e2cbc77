import { ConfigurableModuleBuilder, type DynamicModule, Module, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { CurrentCallReaders } from './current-call-readers.js';
import { CurrentCall } from './dispatch/current-call.js';
import { HealthReport } from './health/health-report.js';
import { ManagementRoutes } from './health/management-routes.js';
import { Readiness } from './health/readiness.js';
import { Startup } from './health/startup.js';
import { McpLifecycle } from './mcp-lifecycle.js';
import type { McpOptions } from './mcp-options.js';
import { BootChecks } from './boot-checks.js';
import {
  provideAccessControl,
  provideAuditTrail,
  provideAuthenticator,
  provideCallLimits,
  provideOperations,
  provideTokenBuckets,
} from './governance.providers.js';
import { MCP_OPTIONS, SESSION_BACKEND } from './mcp.tokens.js';
import {
  McpServer,
  provideDispatcher,
  provideGracefulStop,
  provideHealthFacts,
  provideHealthReport,
  provideManagementRoutes,
  provideSessionBackend,
  provideReadiness,
  provideRegistry,
  provideServer,
  provideSessionCount,
  provideTelemetry,
} from './mcp.providers.js';
import { Telemetry } from './observability/telemetry.js';
import { CapabilityRegistrar } from './registry/capability-registrar.js';
import { CapabilityExplorer } from './registry/explorer.js';
import { McpRegistry } from './registry/mcp-registry.js';
import { ChangeBus } from './session/change-bus.port.js';
import { EventLog } from './session/event-log.port.js';
import { Mailbox } from './session/mailbox.port.js';
import type { SessionBackend } from './session/session-backend.js';
import { SessionStore } from './session/session-store.port.js';
import { GracefulStop } from './transport/http/graceful-stop.js';

/** What a team puts in the place of what the module brings. */
export interface McpModuleExtras {
  /** Providers of ports, such as `{ provide: Authenticator, useClass: JwtAuthenticator }`. */
  readonly adapters?: Provider[];
}

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<McpOptions>({ optionsInjectionToken: MCP_OPTIONS })
  .setClassMethodName('forRoot')
  // Providers of the definition come after those of the decorator, and of two for one token the later one counts.
  .setExtras<McpModuleExtras>({ adapters: [] }, (definition, { adapters = [] }) => ({
    ...definition,
    global: true,
    providers: [...(definition.providers ?? []), ...adapters],
  }))
  .build();

/**
 * Serves the MCP decorators of all modules over `POST`, `GET` and `DELETE` on one path.
 *
 * @example
 * ```ts
 * @Module({ imports: [McpModule.forRoot({ name: 'shop', version: '1.0.0' }), RefundModule] })
 * export class AppModule {}
 * ```
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    provideSessionBackend,
    { provide: SessionStore, inject: [SESSION_BACKEND], useFactory: (backend: SessionBackend) => backend.store },
    { provide: EventLog, inject: [SESSION_BACKEND], useFactory: (backend: SessionBackend) => backend.events },
    { provide: ChangeBus, inject: [SESSION_BACKEND], useFactory: (backend: SessionBackend) => backend.changes },
    { provide: Mailbox, inject: [SESSION_BACKEND], useFactory: (backend: SessionBackend) => backend.mailbox },
    provideAuthenticator,
    provideAccessControl,
    provideTokenBuckets,
    provideCallLimits,
    provideAuditTrail,
    provideOperations,
    provideRegistry,
    provideDispatcher,
    provideServer,
    provideGracefulStop,
    provideReadiness,
    provideManagementRoutes,
    provideSessionCount,
    provideHealthFacts,
    provideHealthReport,
    Startup,
    CurrentCall,
    CurrentCallReaders,
    provideTelemetry,
    BootChecks,
    CapabilityExplorer,
    CapabilityRegistrar,
    McpLifecycle,
  ],
  exports: [
    McpRegistry,
    McpServer,
    GracefulStop,
    Readiness,
    ManagementRoutes,
    HealthReport,
    Startup,
    Telemetry,
    CurrentCall,
    SessionStore,
    EventLog,
    ChangeBus,
    Mailbox,
  ],
})
export class McpModule extends ConfigurableModuleClass {
  /** Options can also come from other providers: `forRootAsync({ inject, useFactory })`. */
  static override forRoot(options: McpOptions & McpModuleExtras = {}): DynamicModule {
    return super.forRoot(options);
  }
}
