import helmet from '@fastify/helmet';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpAdapter } from '../index.js';
import { AppModule } from './app.module.js';
import { authOptions, requireSafeAddress } from './auth-options.js';
import { type Config, readConfig } from './config.js';

/**
 * Starts the platform over HTTP.
 * @param prepare is given the application before it starts, which may take a while if Redis is away
 */
export async function startHttp(
  env: NodeJS.ProcessEnv,
  prepare: (app: NestFastifyApplication) => void = () => undefined,
): Promise<NestFastifyApplication> {
  const config = readConfig(env);
  const auth = authOptions(config);
  requireSafeAddress(config, auth);
  const adapter = createHttpAdapter({ trustedProxies: config.TRUSTED_PROXIES });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config), adapter, {
    // An error says what is wrong with the configuration; an aborted process would leave a core dump.
    abortOnError: false,
  });
  prepare(app);
  await app.register(helmet);
  await app.listen(config.PORT, config.HOST);
  const logger = new Logger('Rookery');
  logger.log(`MCP is served on ${await app.getUrl()}${config.MCP_PATH}`);
  for (const warning of warningsOf(config, auth)) logger.warn(warning);
  return app;
}

/** What may be meant so, but often is not. */
function warningsOf({ MCP_PATH }: Config, auth: ReturnType<typeof authOptions>): string[] {
  if (auth === 'none') return ['AUTH_MODE is none: everyone who reaches this server may use all of it.'];
  if (auth === undefined) return [];
  const { pathname } = new URL(auth.resource);
  if (pathname === MCP_PATH) return [];
  return [
    `AUTH_RESOURCE has the path ${pathname}, MCP_PATH is ${MCP_PATH}: clients reach it only if a proxy rewrites it.`,
  ];
}
