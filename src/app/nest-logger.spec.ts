import { Logger } from '@nestjs/common';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogLevel } from './log-levels.js';
import { NestLogger } from './nest-logger.js';
import { SafeLine } from './safe-line.js';

let lines: Record<string, unknown>[];
beforeEach(() => {
  lines = [];
});
afterEach(() => Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose', 'fatal']));

/** Puts the log in the place of Nest's. */
function install(level: LogLevel = 'trace', levels: [string, LogLevel][] = []): void {
  const options = {
    level: 'trace',
    base: null,
    timestamp: false,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => error },
  };
  const log = pino(options, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  Logger.overrideLogger(new NestLogger(log, { level, levels: new Map(levels) }));
}

describe('a line', () => {
  it('has the level, the module and the message', () => {
    install();
    const logger = new Logger('Orders');

    logger.verbose('a');
    logger.debug('b');
    logger.log('c');
    logger.warn('d');
    logger.error('e');
    logger.fatal('f');
    Logger.log('g');

    expect(lines).toEqual([
      { level: 'trace', module: 'Orders', msg: 'a' },
      { level: 'debug', module: 'Orders', msg: 'b' },
      { level: 'info', module: 'Orders', msg: 'c' },
      { level: 'warn', module: 'Orders', msg: 'd' },
      { level: 'error', module: 'Orders', msg: 'e' },
      { level: 'fatal', module: 'Orders', msg: 'f' },
      { level: 'info', msg: 'g' },
    ]);
  });

  it.each([
    ['an error beside the message', (logger: Logger) => logger.error('It failed.', new RangeError('too far'))],
    ['an error as the message', (logger: Logger) => logger.error(new RangeError('too far'))],
    ['a stack', (logger: Logger) => logger.error('It failed.', new RangeError('too far').stack)],
  ])('has what %s says', (_what, log) => {
    install();

    log(new Logger('Orders'));

    expect(lines).toMatchObject([
      { module: 'Orders', msg: expect.stringMatching(/^(It failed\.|too far)$/) as string },
    ]);
    expect(lines[0]?.['err']).toMatchObject({
      type: 'RangeError',
      message: 'too far',
      stack: expect.stringContaining('nest-logger.spec') as string,
    });
  });

  it('has the fields of an object, none of which can pass for one of its own', () => {
    install();

    new Logger('Orders').log({
      msg: 'Refunded.',
      amount: 5,
      level: 'fatal',
      module: 'Auth',
      time: 0,
      err: 'none',
      trace_id: 'a',
      span_id: 'b',
    });

    expect(lines).toEqual([
      {
        level: 'info',
        module: 'Orders',
        msg: 'Refunded.',
        amount: 5,
        _level: 'fatal',
        _module: 'Auth',
        _time: 0,
        _err: 'none',
        _trace_id: 'a',
        _span_id: 'b',
      },
    ]);
  });

  it('that somebody answers for is written as it is, and only that', () => {
    install();
    const line = { msg: 'tools/call refresh-token: denied', trace_id: 'a' };

    new Logger('Requests').log(Object.assign(new SafeLine(), line));
    new Logger('Orders').log({ ...line });

    expect(lines).toEqual([
      { level: 'info', module: 'Requests', msg: 'tools/call refresh-token: denied', trace_id: 'a' },
      { level: 'info', module: 'Orders', msg: 'tools/call refresh-token: [redacted]', _trace_id: 'a' },
    ]);
  });

  it('has some thousand characters at most, whatever was logged', () => {
    install();
    const deep = (depth: number): Error =>
      new Error('x'.repeat(9_000), depth > 0 ? { cause: deep(depth - 1) } : undefined);
    const errors = Array.from({ length: 50 }, () => deep(5));

    new Logger('Orders').error('It failed.', { errors }, { errors }, deep(5));

    expect(JSON.stringify(lines).length).toBeLessThan(20_000);
    expect(JSON.stringify(lines)).toContain('[cut]');
  });

  it('is one line, whatever was logged', () => {
    install();
    const trap = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );

    new Logger('Orders').log('a\n{"level":"fatal","msg":"forged"}');
    new Logger('Orders').log(trap);
    new Logger('Orders').fatal('The process ends.', trap);
    new Logger('Orders').log(null);
    new Logger('Orders').log(['a', 1n]);

    expect(lines.map(({ msg }) => msg)).toEqual([
      'a\n{"level":"fatal","msg":"forged"}',
      'What was logged cannot be read.',
      'The process ends. (What was logged cannot be read.)',
      'null',
      '["a","1"]',
    ]);
  });

  it.each(['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const)('of %s holds no secret', (level) => {
    install();
    const mark = 'Sup3rSecretMarker';
    const logger = new Logger(`Bearer ${mark}`);

    logger[level](`Bearer ${mark}`, { headers: { authorization: mark, cookie: mark }, arguments: { card: mark } });
    logger[level]({ message: `/mcp?${mark}`, sessionId: mark, nested: [{ apiKey: mark }] });
    logger[level]('It failed.', new Error(`https://a.example/?key=${mark}`, { cause: new Error(`token=${mark}`) }));

    expect(lines).toHaveLength(3);
    expect(JSON.stringify(lines)).not.toContain(mark);
  });
});

describe('levels', () => {
  it('are those of the module, or else the common one', () => {
    install('warn', [
      ['Auth', 'debug'],
      ['Requests', 'silent'],
    ]);

    for (const module of ['Auth', 'Sessions', 'Requests']) {
      new Logger(module).debug(module);
      new Logger(module).warn(module);
      new Logger(module).fatal(module);
    }

    expect(lines.map(({ level, module }) => `${String(module)} ${String(level)}`)).toEqual([
      'Auth debug',
      'Auth warn',
      'Auth fatal',
      'Sessions warn',
      'Sessions fatal',
    ]);
  });
});
