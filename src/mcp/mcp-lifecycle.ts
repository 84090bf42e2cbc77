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
import { SESSION_BACKEND, McpServer } from './mcp.providers.js';
import type { SessionBackend } from './session/session-backend.js';
import { McpEndpoint } from './transport/http/mcp-endpoint.js';
import { SessionWire } from './transport/http/session/session-wire.js';
import { StatelessWire } from './transport/http/stateless/stateless-wire.js';
import { ServerConnections } from './transport/http/server-connections.js';

/** Opens the endpoint when the application starts, and ends what would keep it from stopping. */
@Injectable()
export class McpLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    private readonly adapters: HttpAdapterHost,
    private readonly server: McpServer,
    @Inject(SESSION_BACKEND) private readonly backend: SessionBackend,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.backend.start();
    const { httpAdapter } = this.adapters;
    // An application context, as stdio uses it, has no HTTP server.
    if (!httpAdapter) return;
    if (httpAdapter.getType() !== 'fastify') {
      throw new Error('Rookery needs Fastify: NestFactory.create(AppModule, new FastifyAdapter()).');
    }
    const { services } = this.server;
    const endpoint = new McpEndpoint(services, new StatelessWire(services), new SessionWire(services));
    endpoint.register(httpAdapter.getInstance<FastifyInstance>());
    services.stop.watch(new ServerConnections(httpAdapter.getHttpServer() as Server));
  }

  /** Streams stay open for as long as they are let, so they end before the server waits for its connections. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.server.services.stop.drain();
  }

  async onApplicationShutdown(): Promise<void> {
    const { stop, keepAlive, fanout } = this.server.services;
    stop.close();
    keepAlive.close();
    fanout.close();
    await this.backend.close();
  }
}
