import { userInfo } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { ANONYMOUS, type Principal, serveStdio } from '../index.js';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';
import { RequestLog } from './request-log.js';
import { startTracing } from './tracing.js';

/** Milliseconds that providers have to close what they hold. */
const CLOSE_WITHIN_MS = 2_000;

/**
 * Serves the platform on stdin and stdout until the client closes stdin or a signal comes, and then ends the process.
 * The log goes to stderr, since stdout is reserved before this runs.
 */
export async function startStdio(env: NodeJS.ProcessEnv): Promise<void> {
  // There is nobody to serve metrics to.
  const config = { ...readConfig(env), METRICS_ENABLED: false };
  const tracing = await startTracing(config);
  const requestLog = config.LOG_REQUESTS ? new RequestLog({ traced: tracing !== undefined }) : undefined;
  const watchers = { tracing, requestLog };
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(config, watchers), { abortOnError: false });
  const server = serveStdio(app, { principal: localUser() });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void server.close());
  await server.closed;
  await Promise.race([app.close(), setTimeout(CLOSE_WITHIN_MS)]);
  // Whatever a tool still does belongs to a call that was cancelled.
  process.exit(0);
}

/** There are no credentials on stdin: whoever started the process is who calls. */
function localUser(): Principal {
  return { ...ANONYMOUS, issuer: 'local', subject: userInfo().username };
}
