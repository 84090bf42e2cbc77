import type { Server } from 'node:http';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { MEMORY_SESSION, McpServer } from './mcp.providers.js';
import type { MemorySession } from './session/memory/memory-session.js';
import { McpEndpoint } from './transport/http/mcp-endpoint.js';
import { SessionWire } from './transport/http/session/session-wire.js';
import { StatelessWire } from './transport/http/stateless/stateless-wire.js';
import { UnusedConnections } from './transport/http/unused-connections.js';

/** Opens the endpoint when the application starts, and ends what would keep it from stopping. */
@Injectable()
export class McpLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private unused: UnusedConnections | undefined;

  constructor(
    private readonly adapters: HttpAdapterHost,
    private readonly server: McpServer,
    @Inject(MEMORY_SESSION) private readonly session: MemorySession,
  ) {}

  onApplicationBootstrap(): void {
    const { httpAdapter } = this.adapters;
    // An application context, as stdio uses it, has no HTTP server.
    if (!httpAdapter) return;
    if (httpAdapter.getType() !== 'fastify') {
      throw new Error('Rookery needs Fastify: NestFactory.create(AppModule, new FastifyAdapter()).');
    }
    const { services } = this.server;
    const endpoint = new McpEndpoint(services, new StatelessWire(services), new SessionWire(services));
    endpoint.register(httpAdapter.getInstance<FastifyInstance>());
    this.unused = new UnusedConnections(httpAdapter.getHttpServer() as Server);
  }

  /** Streams stay open for as long as they are let, so they end before the server waits for its connections. */
  beforeApplicationShutdown(): void {
    this.server.services.streams.drain();
    this.unused?.drain();
  }

  onApplicationShutdown(): void {
    const { keepAlive, fanout } = this.server.services;
    keepAlive.close();
    fanout.close();
    this.session.close();
  }
}
