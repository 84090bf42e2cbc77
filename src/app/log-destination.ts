import { writeSync } from 'node:fs';
import type { Writable } from 'node:stream';

/** Characters that wait for a reader that does not keep up; beyond that the oldest lines are lost, and counted. */
const MAX_WAITING = 4 * 1024 * 1024;
/** Characters that are written together: what a pipe takes whole or not at all, however many processes write to it. */
const MAX_BATCH = 4_096;
/** Milliseconds until a reader that took nothing is tried again. */
const RETRY_MS = 10;

/** Milliseconds that a process which exits gives its reader to take what waits. */
const LAST_LINES_MS = 200;
/** Characters of the very last lines, which say why the process ends; and milliseconds that they have on top. */
const TAIL = 32 * 1024;
const TAIL_MS = 1_000;
/** Milliseconds until the reader is tried again then: nothing else is to be done. */
const LAST_RETRY_MS = 2;

/**
 * What will never get better: nobody is at the other end any more. Whatever else goes wrong (a full disk, a quota, a
 * file system that hangs) may be over in a moment.
 */
const GONE: ReadonlySet<unknown> = new Set(['EPIPE', 'EBADF', 'ERR_STREAM_DESTROYED']);

/** `process.stdout` or `process.stderr`. */
export type LogStream = Pick<Writable, 'on' | 'write' | 'writableLength'> & { readonly fd: number };

interface DestinationOptions {
  /** Hears how many lines were lost, once lines get through again. */
  readonly onLost: (lines: number) => void;
  /** For tests. Default: `writeSync` of `node:fs`. */
  readonly write?: (fd: number, bytes: Uint8Array) => number;
}

/**
 * Where the lines of the log go: to stdout or stderr, which others (the audit) write whole lines to as well.
 *
 * A line is written at once, so that none is lost when the process ends in the next moment; but nobody waits for a
 * reader: Node has made the pipe one that refuses what it has no room for. What it refuses waits here, up to a bound, and
 * is written in the last moment of the process if that comes first. The same goes for a disk that is full. A reader that
 * has gone away costs the log, never the process. Files and terminals are written synchronously, as Node does with them.
 *
 * Lines that come with every request are written together at the end of the turn of the event loop, or before any other
 * line, or before the process ends: a system call for each would cost more than all else that is done for it.
 */
export class LogDestination {
  /** Lines of this turn, in which nothing waits. */
  private batch: string[] = [];
  private batched = 0;
  private turn: NodeJS.Immediate | undefined;
  private readonly waiting: string[] = [];
  private size = 0;
  private lost = 0;
  private broken = false;
  private ending = false;
  /** Whether the last line may have been cut off, so that the next one must not go on where it ended. */
  private cut = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly stream: LogStream,
    private readonly options: DestinationOptions,
  ) {
    // Without a listener the end of the reader would be the end of the process.
    stream.on('error', (error: unknown) => {
      // It may have thrown away the rest of a line.
      this.cut = true;
      if (isGone(error)) this.break();
      else this.retryLater();
    });
  }

  write(line: string): void {
    this.passBatch();
    if (this.broken || (this.waiting.length === 0 && !this.ending && this.pass(line))) return;
    this.keep(line);
  }

  /** Writes a line before the event loop goes on, together with those that come until then. */
  writeSoon(line: string): void {
    if (this.waiting.length > 0 || this.ending) return this.write(line);
    if (this.batched + line.length > MAX_BATCH) this.passBatch();
    this.batch.push(line);
    this.batched += line.length;
    this.turn ??= setImmediate(() => {
      this.turn = undefined;
      this.passBatch();
    });
  }

  private passBatch(): void {
    const { batch } = this;
    if (batch.length === 0) return;
    this.batch = [];
    this.batched = 0;
    if (!this.pass(batch.join(''), batch.length)) for (const line of batch) this.keep(line);
  }

  private keep(line: string): void {
    this.waiting.push(line);
    this.size += line.length;
    // The newest lines say what is the matter now.
    while (this.size > MAX_WAITING && this.waiting.length > 1) this.drop();
    this.retryLater();
  }

  /**
   * Writes what waits before the process ends: the oldest first, as far as they are taken in a moment. Then what is
   * between is given up, which is told, for the last lines to get through. It takes 1.2 s at most, and never throws.
   */
  flushSync(): void {
    this.passBatch();
    this.ending = true;
    clearInterval(this.timer);
    // What the stream still holds ends with the process, maybe in the middle of a line.
    this.cut ||= this.stream.writableLength > 0;
    this.force(Date.now() + LAST_LINES_MS);
    if (this.broken || (this.waiting.length === 0 && this.lost === 0)) return;
    const tail = this.takeTail();
    while (this.waiting.length > 0) this.drop();
    // Comes back to write(), and so in before the tail.
    this.tellLost();
    this.waiting.push(...tail);
    this.force(Date.now() + TAIL_MS);
  }

  private passOn(): void {
    for (let [line] = this.waiting; line !== undefined && this.pass(line); [line] = this.waiting) this.shift();
    if (this.waiting.length > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.tellLost();
  }

  /** @returns false if there is no room for the line, or lines, now */
  private pass(line: string, lines = 1): boolean {
    if (this.broken) return true;
    // Lines of others wait there, and one of them may have been written in part.
    if (this.stream.writableLength > 0) return false;
    const bytes = this.bytesOf(line);
    const written = this.attempt(bytes);
    // A pipe takes short lines whole or not at all; the rest of a long one goes before whatever comes next.
    if (written > 0 && written < bytes.length) {
      this.stream.write(bytes.subarray(written), (error) => (this.lost += error ? lines : 0));
    }
    return this.broken || written > 0;
  }

  /** Writes what waits, also where the stream has something left: there is no later. */
  private force(until: number): void {
    for (let [line] = this.waiting; line !== undefined && Date.now() < until; [line] = this.waiting) {
      const bytes = this.bytesOf(line);
      let written = this.attempt(bytes);
      while (written < bytes.length && !this.broken && Date.now() < until) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_RETRY_MS);
        written += this.attempt(bytes.subarray(written));
      }
      if (this.broken) return;
      if (written === bytes.length) this.shift();
      else if (written > 0) {
        this.cut = true;
        this.drop();
      }
    }
  }

  private bytesOf(line: string): Buffer {
    return Buffer.from(this.cut ? `\n${line}` : line);
  }

  /** @returns how many bytes were taken: 0 if there is no room now, or nobody any more */
  private attempt(bytes: Uint8Array): number {
    const { write = writeSync } = this.options;
    try {
      const written = write(this.stream.fd, bytes);
      if (written > 0) this.cut = false;
      return written;
    } catch (error) {
      if (isGone(error)) this.break();
      return 0;
    }
  }

  /** The last lines, the very last one however long it is. */
  private takeTail(): string[] {
    let size = 0;
    const from = this.waiting.findLastIndex((line) => (size += line.length) > TAIL);
    const tail = this.waiting.splice(Math.min(from + 1, this.waiting.length - 1));
    this.size -= tail.reduce((sum, { length }) => sum + length, 0);
    return tail;
  }

  private tellLost(): void {
    const { lost } = this;
    this.lost = 0;
    if (lost > 0) this.options.onLost(lost);
  }

  private drop(): void {
    this.shift();
    this.lost += 1;
  }

  private shift(): void {
    this.size -= this.waiting.shift()?.length ?? 0;
  }

  private retryLater(): void {
    this.timer ??= setInterval(() => this.passOn(), RETRY_MS).unref();
  }

  private break(): void {
    this.broken = true;
    this.waiting.length = 0;
    this.size = 0;
    clearInterval(this.timer);
  }
}

function isGone(error: unknown): boolean {
  return GONE.has((error as NodeJS.ErrnoException).code);
}
