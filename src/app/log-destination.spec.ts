import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogDestination, type LogStream } from './log-destination.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A pipe with room for so many lines, and a stream of the process that leads to it. */
class Pipe extends EventEmitter {
  readonly fd = 7;
  readonly taken: string[] = [];
  readonly lost: number[] = [];
  writableLength = 0;
  room = Infinity;
  partly = false;
  error: string | undefined;
  /** Milliseconds that go by while it is tried. */
  takes = 0;

  readonly destination = new LogDestination(this as unknown as LogStream, {
    onLost: (lines) => {
      this.lost.push(lines);
      this.destination.write(`${lines} lost\n`);
    },
    write: (_fd, bytes) => {
      vi.setSystemTime(Date.now() + this.takes);
      if (this.error ?? this.room === 0) throw Object.assign(new Error(), { code: this.error ?? 'EAGAIN' });
      this.room -= 1;
      const taken = this.partly ? bytes.subarray(0, 2) : bytes;
      this.taken.push(taken.toString());
      return taken.length;
    },
  });

  write(rest: Buffer, _done: (error?: Error) => void): boolean {
    this.writableLength += rest.length;
    this.taken.push(`rest:${rest.toString()}`);
    return true;
  }
}

describe('a line', () => {
  it('is written at once', () => {
    const pipe = new Pipe();

    pipe.destination.write('a\n');

    expect(pipe.taken).toEqual(['a\n']);
  });

  it('waits for a reader that is slow, and keeps its place', () => {
    const pipe = new Pipe();
    pipe.room = 1;

    for (const line of ['a\n', 'b\n', 'c\n']) pipe.destination.write(line);
    expect(pipe.taken).toEqual(['a\n']);
    pipe.room = Infinity;
    pipe.destination.write('d\n');
    vi.advanceTimersByTime(10);

    expect(pipe.taken).toEqual(['a\n', 'b\n', 'c\n', 'd\n']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is lost beyond a bound, the oldest first, which is told', () => {
    const pipe = new Pipe();
    const large = (name: string): string => `${name.repeat(3 * 1024 * 1024)}\n`;
    pipe.room = 0;

    for (const line of [large('x'), large('y'), large('z'), 'a\n']) pipe.destination.write(line);
    pipe.room = Infinity;
    vi.advanceTimersByTime(10);

    expect(pipe.taken.map((line) => line.slice(0, 6))).toEqual(['zzzzzz', 'a\n', '2 lost']);
  });

  it('does not come into the middle of those of others', () => {
    const pipe = new Pipe();
    pipe.writableLength = 5;

    pipe.destination.write('a\n');
    vi.advanceTimersByTime(10);
    expect(pipe.taken).toEqual([]);
    pipe.writableLength = 0;
    vi.advanceTimersByTime(10);

    expect(pipe.taken).toEqual(['a\n']);
  });

  it('that is taken in part goes on before whatever comes next', () => {
    const pipe = new Pipe();
    pipe.partly = true;

    pipe.destination.write('long\n');
    pipe.destination.write('next\n');

    expect(pipe.taken).toEqual(['lo', 'rest:ng\n']);
  });
});

describe('lines that come with every request', () => {
  it('are written together at the end of the turn, no more of them than a pipe takes whole', () => {
    const pipe = new Pipe();
    const long = `${'x'.repeat(4_000)}\n`;

    for (const line of ['a\n', 'b\n', long, long]) pipe.destination.writeSoon(line);
    vi.advanceTimersByTime(0);

    expect(pipe.taken).toEqual([`a\nb\n${long}`, long]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keep their place before a line that is written at once, and before the process ends', () => {
    const pipe = new Pipe();

    pipe.destination.writeSoon('a\n');
    pipe.destination.write('fatal\n');
    pipe.destination.writeSoon('b\n');
    pipe.destination.flushSync();
    pipe.destination.writeSoon('c\n');

    expect(pipe.taken).toEqual(['a\n', 'fatal\n', 'b\n']);
    pipe.destination.flushSync();
    expect(pipe.taken.at(-1)).toBe('c\n');
  });

  it('wait one by one for a reader that is slow, and are counted when they are lost', () => {
    const pipe = new Pipe();
    const large = `${'x'.repeat(3 * 1024 * 1024)}\n`;
    pipe.room = 0;

    for (const line of ['a\n', 'b\n']) pipe.destination.writeSoon(line);
    vi.advanceTimersByTime(0);
    for (const line of [large, large]) pipe.destination.writeSoon(line);
    pipe.room = Infinity;
    vi.advanceTimersByTime(10);

    expect(pipe.taken.map((line) => line.slice(0, 6))).toEqual(['xxxxxx', '3 lost']);
  });
});

it.each(['EPIPE', 'EBADF', 'ERR_STREAM_DESTROYED'])('a reader that has gone (%s) costs the log alone', (code) => {
  const [told, tried] = [new Pipe(), new Pipe()];
  told.emit('error', Object.assign(new Error(), { code }));
  tried.error = code;

  for (const pipe of [told, tried]) {
    pipe.destination.write('a\n');
    pipe.error = undefined;
    pipe.destination.write('b\n');
    pipe.destination.flushSync();
    expect(pipe.taken).toEqual([]);
  }
});

describe.each(['EINTR', 'EIO', 'ENOSPC', 'EDQUOT'])('trouble that may pass (%s)', (code) => {
  it('keeps lines waiting until it has', () => {
    const pipe = new Pipe();
    pipe.error = code;

    pipe.destination.write('a\n');
    vi.advanceTimersByTime(1_000);
    pipe.error = undefined;
    pipe.destination.write('b\n');
    vi.advanceTimersByTime(10);

    expect(pipe.taken).toEqual(['a\n', 'b\n']);
  });

  it('that the stream had with the rest of a line costs that line, and is told', () => {
    const pipe = new Pipe();
    const failing = vi.spyOn(pipe, 'write').mockImplementation((_rest, done) => {
      const error = Object.assign(new Error(), { code });
      done(error);
      return pipe.emit('error', error);
    });
    pipe.partly = true;
    pipe.destination.write('long\n');
    pipe.partly = false;
    failing.mockRestore();

    pipe.destination.write('a\n');
    vi.advanceTimersByTime(10);

    expect(pipe.taken).toEqual(['lo', '\na\n', '1 lost\n']);
  });
});

describe('before the process ends', () => {
  it('what waits is written, if it is taken', () => {
    const pipe = new Pipe();
    pipe.room = 0;
    for (const line of ['a\n', 'b\n']) pipe.destination.write(line);
    pipe.room = Infinity;

    pipe.destination.flushSync();

    expect(pipe.taken).toEqual(['a\n', 'b\n']);
  });

  it('a reader that takes nothing is not waited for longer than 1.2 seconds', () => {
    const pipe = new Pipe();
    pipe.room = 0;
    pipe.destination.write('a\n');
    const begun = Date.now();
    pipe.takes = 100;

    pipe.destination.flushSync();

    expect(pipe.taken).toEqual([]);
    expect(Date.now() - begun).toBeLessThanOrEqual(1_500);
  });

  it('a slow reader gets the beginning, how many lines it misses, and the very last lines', () => {
    const pipe = new Pipe();
    const line = (n: number): string => `${n} ${'x'.repeat(10_000)}\n`;
    pipe.room = 0;
    for (let n = 0; n < 20; n++) pipe.destination.write(line(n));
    pipe.destination.write('fatal\n');
    pipe.room = Infinity;
    pipe.takes = 50;

    pipe.destination.flushSync();

    const names = pipe.taken.map((taken) => taken.split(' ', 1)[0]);
    expect(names).toEqual(['0', '1', '2', '3', '13', '17', '18', '19', 'fatal\n']);
    expect(pipe.lost).toEqual([13]);
  });

  it('lines that are taken piece by piece stay whole, and one that is not comes to its end', () => {
    const pipe = new Pipe();
    pipe.room = 0;
    for (const line of ['long\n', `${'x'.repeat(40_000)}\n`, 'b\n']) pipe.destination.write(line);
    pipe.room = Infinity;
    pipe.partly = true;
    pipe.takes = 10;

    pipe.destination.flushSync();

    expect(pipe.taken.join('')).toMatch(/^long\nx{30,50}\n1 lost\nb\n$/);
  });

  it('how many lines were lost earlier is told', () => {
    const pipe = new Pipe();
    pipe.room = 0;
    for (let n = 0; n < 5; n++) pipe.destination.write('x'.repeat(1024 * 1024));
    pipe.room = Infinity;

    pipe.destination.flushSync();

    expect(pipe.lost).toEqual([1]);
    expect(pipe.taken).toHaveLength(5);
  });
});
