import 'reflect-metadata';
import helmet from '@fastify/helmet';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig } from '../../../src/app/config.js';
import { mcpOptions } from '../../../src/app/mcp-options.js';
import { stopOnSignals } from '../../../src/app/stop-on-signals.js';
import { Authenticator, McpHealthModule, McpModule } from '../../../src/index.js';
import { BearerAuthenticator } from './bearer.authenticator.js';
import { ClusterTools } from './cluster.tools.js';

/** Serves the tools of the tests as `src/app` serves the platform's own: set up by the same environment variables. */
const config = readConfig(process.env);

@Module({
  imports: [
    McpModule.forRoot({
      ...mcpOptions(config, '1.0.0'),
      adapters: [{ provide: Authenticator, useClass: BearerAuthenticator }],
    }),
    McpHealthModule,
  ],
  providers: [ClusterTools],
})
class ClusterServer {}

const app = await NestFactory.create<NestFastifyApplication>(ClusterServer, new FastifyAdapter());
await app.register(helmet);
stopOnSignals(app);
// The test that started it is gone.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();
await app.listen(config.PORT, config.HOST);
console.log(`The tools of the tests are served on ${await app.getUrl()}${config.MCP_PATH}`);
