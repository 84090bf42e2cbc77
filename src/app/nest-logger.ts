import type { LoggerService } from '@nestjs/common';
import type { Logger as PinoLogger } from 'pino';
import { activeTraceIds } from '../index.js';
import { type LogLevel, loudness } from './log-levels.js';
import { fieldBudget, safeError, safeText, safeValue } from './log-redaction.js';
import { SafeLine, safeName } from './safe-line.js';

/** Fields that mean something on every line, so that nothing else may stand under their names. */
const RESERVED = new Set([
  'level',
  'time',
  'pid',
  'hostname',
  'service',
  'version',
  'module',
  'msg',
  'err',
  'trace_id',
  'span_id',
]);
/** Characters of the name of a module. */
const MAX_MODULE = 100;

interface NestLoggerOptions {
  readonly level: LogLevel;
  /** By the name of the module, as it stands in the log. */
  readonly levels: ReadonlyMap<string, LogLevel>;
  /** Writes lines that are safe, which come with every request. Default: as all others are written. */
  readonly soon?: LineWriter;
}

type LineWriter = Pick<PinoLogger, Exclude<LogLevel, 'silent'>>;

/**
 * Nest's log as JSON lines. The context of a `Logger` is the module of the line; errors and stacks become `err`; the
 * fields of an object that is logged become fields of the line.
 *
 * Whatever is logged goes through the redaction, on every level; but for lines that are safe.
 */
export class NestLogger implements LoggerService {
  private readonly soon: LineWriter;
  private readonly threshold: number;
  private readonly thresholds: ReadonlyMap<string, number>;

  constructor(
    private readonly pino: LineWriter,
    { level, levels, soon = pino }: NestLoggerOptions,
  ) {
    this.soon = soon;
    this.threshold = loudness(level);
    this.thresholds = new Map([...levels].map(([module, each]) => [module, loudness(each)]));
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  private write(level: Exclude<LogLevel, 'silent'>, message: unknown, rest: readonly unknown[]): void {
    const last = rest.at(-1);
    const module = typeof last === 'string' && !isStack(last) ? last : undefined;
    if (loudness(level) > this.thresholdOf(module)) return;
    if (message instanceof SafeLine) return this.soon[level](safeLine(message, module));
    try {
      const line = new Line();
      line.take(message);
      for (const value of module === undefined ? rest : rest.slice(0, -1)) line.take(value);
      this.pino[level]({ ...moduleOf(module), ...activeTraceIds(), ...line.fields }, line.text);
    } catch {
      // An object may throw whatever is done with it.
      const why = 'What was logged cannot be read.';
      this.pino[level](moduleOf(module), typeof message === 'string' ? `${safeText(message)} (${why})` : why);
    }
  }

  private thresholdOf(module: string | undefined): number {
    return (module !== undefined ? this.thresholds.get(module) : undefined) ?? this.threshold;
  }
}

/** One line, from whatever was given to the logger. */
class Line {
  readonly fields: Record<string, unknown> = {};
  text = '';
  private readonly budget = fieldBudget();

  take(value: unknown): void {
    if (value === undefined) return;
    if (value instanceof Error) {
      this.fields['err'] = safeError(value, this.budget);
      this.say(value.message);
    } else if (typeof value === 'string' && isStack(value)) {
      this.fields['err'] ??= errorOf(value);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      this.takeFields(value as Record<string, unknown>);
    } else {
      this.say(typeof value === 'string' ? value : (JSON.stringify(safeValue(value)) ?? typeof value), true);
    }
  }

  private takeFields(value: Record<string, unknown>): void {
    const { msg, message = msg } = value;
    if (typeof message === 'string') this.say(message);
    for (const [name, field] of Object.entries(safeValue(value, this.budget) as object)) {
      if (name === 'msg' || (name === 'message' && typeof message === 'string')) continue;
      this.fields[RESERVED.has(name) && !(name === 'err' && isError(field)) ? `_${name}` : name] = field;
    }
  }

  /** @param more whether it stands beside what was said before */
  private say(text: string, more = false): void {
    if (this.text === '') this.text = safeText(text);
    else if (more) this.text += ` ${safeText(text)}`;
  }
}

function isError(field: unknown): boolean {
  return typeof field === 'object' && field !== null && 'type' in field && 'message' in field;
}

/** Nest's loggers take the stack of an error as a text. */
function isStack(text: string): boolean {
  return /\n\s{1,8}at /.test(text);
}

function errorOf(stack: string): object {
  const [first = ''] = stack.split('\n', 1);
  const colon = first.indexOf(': ');
  return {
    type: safeText(colon < 0 ? first : first.slice(0, colon), 100),
    message: safeText(colon < 0 ? '' : first.slice(colon + 2)),
    stack: safeText(stack),
  };
}

/** A line as it is, since whoever made it answers for its values. */
function safeLine(line: SafeLine, module: string | undefined): object {
  return { ...(module !== undefined && { module: safeName(module) }), ...activeTraceIds(), ...line };
}

function moduleOf(module: string | undefined): object {
  return module === undefined ? {} : { module: safeText(module, MAX_MODULE) };
}
