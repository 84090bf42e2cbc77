import helmet from '@fastify/helmet';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';

/** Milliseconds a client may take to send a request, its answer not included. Fastify's own default is for ever. */
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Starts the platform over HTTP.
 * @param prepare is given the application before it starts, which may take a while if Redis is away
 */
export async function startHttp(
  env: NodeJS.ProcessEnv,
  prepare: (app: NestFastifyApplication) => void = () => undefined,
): Promise<NestFastifyApplication> {
  const config = readConfig(env);
  const adapter = new FastifyAdapter({ requestTimeout: REQUEST_TIMEOUT_MS });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config), adapter);
  prepare(app);
  await app.register(helmet);
  if (config.MCP_ALLOWED_ORIGINS.length > 0) {
    // The request headers are not listed, since tools make up names of their own (Mcp-Param-*): what is asked is allowed.
    app.enableCors({
      origin: config.MCP_ALLOWED_ORIGINS,
      methods: ['GET', 'POST', 'DELETE'],
      exposedHeaders: ['Mcp-Session-Id', 'MCP-Protocol-Version'],
    });
  }
  await app.listen(config.PORT, config.HOST);
  new Logger('Rookery').log(`MCP is served on ${await app.getUrl()}${config.MCP_PATH}`);
  return app;
}
