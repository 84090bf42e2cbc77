import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { createHttpAdapter, securityHeaders } from '../index.js';
import { AppModule } from './app.module.js';
import { authOptions, requireSafeAddress } from './auth-options.js';
import { type Config, readConfig } from './config.js';
import { RequestLog } from './request-log.js';
import { startTracing } from './tracing.js';

/**
 * Starts the platform over HTTP. The order of it: the configuration is read and judged; tracing begins, before anything
 * is there that could be traced; the application is made; the management port listens, and Redis is waited for; the
 * port of the application listens.
 *
 * @param prepare is given the application before it starts, which may take a while if Redis is away
 */
export async function startHttp(
  env: NodeJS.ProcessEnv,
  prepare: (app: NestFastifyApplication) => void = () => undefined,
): Promise<NestFastifyApplication> {
  const config = readConfig(env);
  const auth = authOptions(config);
  requireSafeAddress(config, auth);

  const tracing = await startTracing(config);
  const requestLog = config.LOG_REQUESTS ? new RequestLog({ traced: tracing !== undefined }) : undefined;
  try {
    const adapter = createHttpAdapter({ trustedProxies: config.TRUSTED_PROXIES });
    requestLog?.watch(adapter.getInstance<FastifyInstance>());
    const app = await NestFactory.create<NestFastifyApplication>(
      AppModule.forRoot(config, { tracing, requestLog }),
      adapter,
      // An error says what is wrong with the configuration; an aborted process would leave a core dump.
      { abortOnError: false },
    );
    prepare(app);
    await app.register(securityHeaders);
    await app.listen(config.PORT, config.HOST).catch((error: unknown) => Promise.reject(listenError(error, config)));
    const logger = new Logger('Rookery');
    logger.log(`MCP is served on ${await app.getUrl()}${config.MCP_PATH}`);
    for (const warning of warningsOf(config, auth)) logger.warn(warning);
    return app;
  } catch (error) {
    await tracing?.shutdown();
    throw error;
  }
}

/** What the system says of an address names no variable. */
function listenError(cause: unknown, { PORT, HOST }: Config): unknown {
  if (!(cause instanceof Error && 'syscall' in cause)) return cause;
  const { code = cause.message } = cause as NodeJS.ErrnoException;
  return new Error(
    `PORT ${PORT} of HOST ${HOST} cannot be listened on (${code}). Choose others, or end what uses the port.`,
    { cause },
  );
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
