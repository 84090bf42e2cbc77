import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig } from '../../src/app/config.js';
import { mcpOptions } from '../../src/app/mcp-options.js';
import { stopOnSignals } from '../../src/app/stop-on-signals.js';
import { McpHealthModule, McpModule, createHttpAdapter } from '../../src/index.js';
import { ConformanceModule } from './fixtures/conformance.module.js';

/** Serves the fixtures, set up by the platform's own environment variables; PORT is 3100 unless it says otherwise. */
const config = readConfig({ PORT: '3100', MCP_DRAIN_GRACE_MS: '2000', ...process.env });

@Module({ imports: [McpModule.forRoot(mcpOptions(config, '1.0.0')), McpHealthModule, ConformanceModule] })
class ConformanceServer {}

/** Alone on the direct route, behind the balancer through Fastify: both ways conform. */
const adapter = config.REDIS_URL === undefined ? createHttpAdapter() : new FastifyAdapter();
const app = await NestFactory.create<NestFastifyApplication>(ConformanceServer, adapter, {
  logger: ['error', 'warn'],
});
stopOnSignals(app);
// A runner that is killed cannot stop its server, but its end of the channel closes.
process.once('disconnect', () => void app.close());
await app.listen(config.PORT, config.HOST);
console.log(`Conformance fixtures are served on ${await app.getUrl()}${config.MCP_PATH}`);
