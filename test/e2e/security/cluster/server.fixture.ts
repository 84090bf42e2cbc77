import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig } from '../../../../src/app/config.js';
import { mcpOptions } from '../../../../src/app/mcp-options.js';
import { stopOnSignals } from '../../../../src/app/stop-on-signals.js';
import { McpHealthModule, McpModule } from '../../../../src/index.js';
import { ClusterTools } from '../../cluster/cluster.tools.js';

/** Serves the tools of the cluster tests to callers with tokens; who issues them is in the environment. */
const config = readConfig(process.env);

@Module({ imports: [McpModule.forRoot(mcpOptions(config, '1.0.0')), McpHealthModule], providers: [ClusterTools] })
class GuardedServer {}

const app = await NestFactory.create<NestFastifyApplication>(GuardedServer, new FastifyAdapter());
stopOnSignals(app);
// The test that started it is gone.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();
await app.listen(config.PORT, config.HOST);
console.log(`The tools of the tests are served on ${await app.getUrl()}${config.MCP_PATH}`);
