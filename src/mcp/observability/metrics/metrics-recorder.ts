import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { AuditTrail } from '../../audit/audit-trail.js';
import { AUDIT_TRAIL } from '../../governance.providers.js';
import { ManagementRoutes } from '../../health/management-routes.js';
import { Readiness } from '../../health/readiness.js';
import { CallLimits } from '../../limits/call-limits.js';
import type { McpOptions } from '../../mcp-options.js';
import { McpServer } from '../../mcp.providers.js';
import { MCP_OPTIONS, SESSION_BACKEND } from '../../mcp.tokens.js';
import type { SessionBackend } from '../../session/session-backend.js';
import { SessionCount } from '../../session/session-count.js';
import { Telemetry } from '../telemetry.js';
import { EventLoopSampler } from './event-loop-sampler.js';
import { HttpMetrics } from './http-metrics.js';
import type { MetricSources } from './metric-sources.js';
import { MetricsPage } from './metrics-page.js';
import { OperationMetrics } from './operation-metrics.js';
import { collectProcessMetrics } from './process-metrics.js';
import { RedisMetrics } from './redis-metrics.js';
import { SessionMetrics } from './session-metrics.js';
import { addStateMetrics } from './state-metrics.js';

/** Whether the metrics of the process are wanted. */
export const COLLECTS_PROCESS_METRICS = Symbol('COLLECTS_PROCESS_METRICS');

/** Puts everything that measures into its place, before the application takes requests. */
@Injectable()
export class MetricsRecorder implements OnModuleInit, OnApplicationShutdown {
  private readonly eventLoop = new EventLoopSampler();

  constructor(
    private readonly page: MetricsPage,
    private readonly adapters: HttpAdapterHost,
    private readonly modules: ModuleRef,
    @Inject(COLLECTS_PROCESS_METRICS) private readonly collectsProcessMetrics: boolean,
  ) {}

  onModuleInit(): void {
    const { registry, path } = this.page;
    const sources = this.sources();
    const telemetry = this.find<Telemetry>(Telemetry);
    telemetry.add(new OperationMetrics(registry));
    telemetry.add(new SessionMetrics(registry));
    if (sources.options.redis) telemetry.add(new RedisMetrics(registry));
    addStateMetrics(registry, sources, this.eventLoop);
    const { httpAdapter } = this.adapters;
    // Over stdio there is none.
    if (httpAdapter?.getType() === 'fastify')
      new HttpMetrics(registry).watch(httpAdapter.getInstance<FastifyInstance>());
    if (this.collectsProcessMetrics) collectProcessMetrics();
    this.page.share();
    if (path !== false) this.serve(path);
  }

  onApplicationShutdown(): void {
    this.eventLoop.stop();
    this.page.unshare();
  }

  private serve(path: string): void {
    this.find<ManagementRoutes>(ManagementRoutes).add(path, async () => ({
      status: 200,
      contentType: this.page.contentType,
      body: await this.page.text(),
    }));
  }

  /** Parts of `McpModule`, those included that it does not export. */
  private sources(): MetricSources {
    return {
      options: this.find<McpOptions>(MCP_OPTIONS),
      services: this.find<McpServer>(McpServer).services,
      backend: this.find<SessionBackend>(SESSION_BACKEND),
      sessions: this.find<SessionCount>(SessionCount),
      limits: this.find<CallLimits>(CallLimits),
      readiness: this.find<Readiness>(Readiness),
      audit: this.find<AuditTrail | undefined>(AUDIT_TRAIL),
    };
  }

  private find<T>(token: Parameters<ModuleRef['get']>[0]): T {
    return this.modules.get<unknown, T>(token, { strict: false });
  }
}
