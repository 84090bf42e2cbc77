import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig } from '../../../src/app/config.js';
import { mcpOptions } from '../../../src/app/mcp-options.js';
import { stopOnSignals } from '../../../src/app/stop-on-signals.js';
import { McpHealthModule, McpModule } from '../../../src/index.js';
import { SoakTools } from './soak.tools.js';

/** A replica of the soak: set up by the platform's own environment variables. Each response names the process. */
const config = readConfig(process.env);

@Module({ imports: [McpModule.forRoot(mcpOptions(config, '1.0.0')), McpHealthModule], providers: [SoakTools] })
class SoakServer {}

const app = await NestFactory.create<NestFastifyApplication>(SoakServer, new FastifyAdapter(), {
  logger: ['error', 'warn', 'log'],
});
app
  .getHttpAdapter()
  .getInstance()
  .addHook('onRequest', async (_request, reply) => void reply.header('x-replica', String(process.pid)));
stopOnSignals(app);
// The program that started it is gone.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();
await app.listen(config.PORT, config.HOST);
console.log(`The tools of the soak are served on ${await app.getUrl()}${config.MCP_PATH}`);
