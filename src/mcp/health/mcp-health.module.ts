import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';

/**
 * Serves `GET /health/live` and `GET /health/ready` for an application that imports `McpModule`. Both lie outside of
 * the MCP endpoint: they need no credentials, and any `Host` may ask.
 *
 * `/health/ready` answers 503 from the moment at which the server begins to stop, and while a check of
 * {@link Readiness} says so.
 */
@Module({
  // Terminus would log an error for every probe that finds something wrong; Readiness logs what changes.
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
})
export class McpHealthModule {}
