import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import { type LoggerOptions, pino } from 'pino';
import type { z } from 'zod';
import { LogDestination, type LogStream } from './log-destination.js';
import type { LogLevel } from './log-levels.js';
import { NestLogger } from './nest-logger.js';
import { OPERATION_VARIABLES } from './operation-variables.js';
import { packageVersion } from './package-version.js';
import { prettyLines } from './pretty-lines.js';

/**
 * Makes Nest's log, of all modules and of Nest itself, one of JSON lines on stdout, or on stderr where stdout belongs to
 * MCP. It comes first of all: what is wrong with the rest of the configuration is to be logged in the same form. What is
 * wrong with the variables of the log is told by whoever reads the configuration; the log takes their defaults.
 */
export async function startLogging(env: NodeJS.ProcessEnv, stream: LogStream = process.stdout): Promise<void> {
  const { LOG_LEVEL, LOG_LEVELS, LOG_FORMAT, OTEL_SERVICE_NAME } = readLogVariables(env);
  const isTerminal = (stream as { readonly isTTY?: boolean }).isTTY === true;
  const isPretty = LOG_FORMAT === 'pretty' || (LOG_FORMAT === 'auto' && isTerminal);
  const pretty = isPretty ? await prettyLines(isTerminal && !env['NO_COLOR']) : undefined;

  const onLost = (lines: number): void =>
    new Logger('Log').warn(`The log was not taken as fast as it was written: ${lines} lines were lost.`);
  const destination = new LogDestination(stream, { onLost });
  const options: LoggerOptions = {
    // Nest's logger decides, by the module.
    level: 'trace',
    base: { pid: process.pid, hostname: hostname(), service: OTEL_SERVICE_NAME, version: packageVersion() },
    timestamp: isoTimes(),
    formatters: { level: (level) => ({ level }) },
    // Errors come without secrets already; pino would describe them anew.
    serializers: { err: (error: unknown) => error },
  };
  const shown = pretty ?? ((line: string): string => line);
  const log = pino(options, { write: (line: string) => destination.write(shown(line)) });
  const soon = pino(options, { write: (line: string) => destination.writeSoon(shown(line)) });
  Logger.overrideLogger(new NestLogger(log, { level: LOG_LEVEL, levels: byModule(LOG_LEVELS), soon }));

  process.on('exit', () => destination.flushSync());
  process.on('uncaughtException', (error: unknown) => {
    new Logger('Rookery').fatal('The process ends, because of an error that nobody has caught.', error);
    process.exit(1);
  });
}

/** As pino's own `isoTime`; the many lines of a millisecond share one text. */
function isoTimes(): () => string {
  let at = Number.NaN;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== at) text = `,"time":"${new Date(now).toISOString()}"`;
    at = now;
    return text;
  };
}

type LogVariable = 'LOG_LEVEL' | 'LOG_LEVELS' | 'LOG_FORMAT' | 'OTEL_SERVICE_NAME';
type LogVariables = { readonly [K in LogVariable]: z.output<(typeof OPERATION_VARIABLES)[K]> };

function readLogVariables(env: NodeJS.ProcessEnv): LogVariables {
  const read = (name: LogVariable): unknown => {
    const schema: z.ZodType = OPERATION_VARIABLES[name];
    const { success, data } = schema.safeParse(env[name] || undefined);
    return success ? data : schema.parse(undefined);
  };
  return {
    LOG_LEVEL: read('LOG_LEVEL'),
    LOG_LEVELS: read('LOG_LEVELS'),
    LOG_FORMAT: read('LOG_FORMAT'),
    OTEL_SERVICE_NAME: read('OTEL_SERVICE_NAME'),
  } as LogVariables;
}

function byModule(entries: readonly string[]): ReadonlyMap<string, LogLevel> {
  return new Map(entries.map((entry) => entry.split('=') as [string, LogLevel]));
}
