import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';

/**
 * Serves `GET /health/live`, `/health/ready`, `/health/startup` and `/health` for an application that imports
 * `McpModule`. All lie outside of the MCP endpoint: they need no credentials, and any `Host` may ask. With
 * `McpOptions.management` they are on that port alone.
 *
 * `/health/ready` answers 503 until the server has started, from the moment at which it begins to stop, and while a
 * check of {@link Readiness} says so.
 */
@Module({
  // Terminus would log an error for every probe that finds something wrong; Readiness logs what changes.
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
})
export class McpHealthModule {}
