import { setTimeout } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { serveStdio } from '../index.js';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';

/** Milliseconds that providers have to close what they hold. */
const CLOSE_WITHIN_MS = 2_000;

/**
 * Serves the platform on stdin and stdout until the client closes stdin or a signal comes, and then ends the process.
 * Nest's log goes to stderr, since stdout is reserved before this runs.
 */
export async function startStdio(env: NodeJS.ProcessEnv): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(readConfig(env)));
  const server = serveStdio(app);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void server.close());
  await server.closed;
  await Promise.race([app.close(), setTimeout(CLOSE_WITHIN_MS)]);
  // Whatever a tool still does belongs to a call that was cancelled.
  process.exit(0);
}
