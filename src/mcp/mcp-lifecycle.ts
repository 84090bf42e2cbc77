import type { Server } from 'node:http';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  Optional,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { AUDIT_TRAIL } from './governance.providers.js';
import type { AuditTrail } from './audit/audit-trail.js';
import { ManagementRoutes } from './health/management-routes.js';
import { Startup } from './health/startup.js';
import type { McpOptions } from './mcp-options.js';
import { McpServer } from './mcp.providers.js';
import { MCP_OPTIONS, SESSION_BACKEND } from './mcp.tokens.js';
import type { SessionBackend } from './session/session-backend.js';
import { AnonymousAuthenticator } from './auth/anonymous.authenticator.js';
import { ResourceAuthenticator, protectedResourceMetadata } from './auth/protected-resource.js';
import type { McpRegistry } from './registry/mcp-registry.js';
import { ManagementServer } from './transport/http/management-server.js';
import { DirectRoute } from './transport/http/direct/direct-route.js';
import { McpEndpoint } from './transport/http/mcp-endpoint.js';
import { registerMetadata } from './transport/http/metadata-endpoint.js';
import { SessionWire } from './transport/http/session/session-wire.js';
import { StatelessWire } from './transport/http/stateless/stateless-wire.js';
import { ServerConnections } from './transport/http/server-connections.js';

/** Opens the endpoint when the application starts, and ends what would keep it from stopping. */
@Injectable()
export class McpLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  @Inject(MCP_OPTIONS) private readonly options!: McpOptions;
  @Inject(ManagementRoutes) private readonly managementRoutes!: ManagementRoutes;
  @Inject(Startup) private readonly startup!: Startup;
  private management: ManagementServer | undefined;

  constructor(
    private readonly adapters: HttpAdapterHost,
    private readonly server: McpServer,
    @Inject(SESSION_BACKEND) private readonly backend: SessionBackend,
    @Optional() @Inject(AUDIT_TRAIL) private readonly audit: AuditTrail | undefined,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    // Before Redis is waited for, so that whoever looks sees what the start is at.
    if (this.adapters.httpAdapter) await this.openManagement();
    try {
      await this.open();
    } catch (error) {
      await this.management?.close();
      throw error;
    }
  }

  private async openManagement(): Promise<void> {
    const { management } = this.options;
    if (!management) return;
    const find = this.managementRoutes.find.bind(this.managementRoutes);
    const logger = new Logger('Health');
    const server = new ManagementServer({ ...management, find, logger });
    await server.listen();
    this.management = server;
    logger.log(`Management port: ${server.url}`);
  }

  private async open(): Promise<void> {
    const { services } = this.server;
    await this.backend.start();
    await this.audit?.start();
    const { httpAdapter } = this.adapters;
    // An application context, as stdio uses it, has no HTTP server.
    if (!httpAdapter) return;
    if (httpAdapter.getType() !== 'fastify') {
      throw new Error('Rookery needs Fastify: NestFactory.create(AppModule, new FastifyAdapter()).');
    }
    const { authenticator, registry } = services;
    await authenticator.start?.();
    if (authenticator instanceof AnonymousAuthenticator) requireNothingOfStrangers(registry);
    // Fastify takes no routes any more, and would say so in words of its own.
    if (services.stop.draining) throw new Error('The application was told to stop while it was starting.');
    const fastify = httpAdapter.getInstance<FastifyInstance>();
    new McpEndpoint(services, new StatelessWire(services), new SessionWire(services)).register(fastify);
    if (authenticator instanceof ResourceAuthenticator) {
      registerMetadata(fastify, protectedResourceMetadata(authenticator.settings), services.options);
    }
    services.stop.watch(new ServerConnections(httpAdapter.getHttpServer() as Server));
    const started = (done: () => void): void => {
      this.startup.end();
      if (DirectRoute.of(fastify)?.isLeftToFastify) {
        new Logger('MCP').debug(
          'Requests go through Fastify, as the application has hooks, middleware or plugins for requests. Without any, they would take a faster way.',
        );
      }
      done();
    };
    // Whoever asks over the port of the application sees that it listens; on another one, nobody may be sent here yet.
    if (this.management) fastify.addHook('onListen', started);
    else fastify.addHook('onReady', started);
  }

  /** Streams stay open for as long as they are let, so they end before the server waits for its connections. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.server.services.stop.end();
  }

  async onApplicationShutdown(): Promise<void> {
    const { stop, keepAlive, fanout, authenticator } = this.server.services;
    stop.close();
    keepAlive.close();
    fanout.close();
    // Each for itself; the audit before the backend, where its last entries may have to go.
    const [closed] = await Promise.allSettled([authenticator.close?.(), this.audit?.close()]);
    await this.backend.close();
    // Last, so that health can be asked until nothing is left.
    await this.management?.close();
    if (closed.status === 'rejected') throw closed.reason as Error;
  }
}

/** A rule that nobody can meet, since nobody is asked, is a server that was set up wrongly. @throws Error */
function requireNothingOfStrangers(registry: McpRegistry): void {
  const guarded = registry.everything().find(({ rules: { access } }) => access.scopes.length + access.roles.length > 0);
  if (!guarded) return;
  throw new Error(
    `${guarded.origin} requires scopes or roles, but callers are not asked who they are. Configure authentication ` +
      '(the option `auth`, AUTH_ISSUERS), or provide an Authenticator.',
  );
}
