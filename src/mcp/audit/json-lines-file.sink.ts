import { type FileHandle, open, stat } from 'node:fs/promises';
import { assertAuditFile } from './assert-audit-file.js';
import type { AuditPlace, AuditSink } from './audit-sink.port.js';

export interface JsonLinesFileOptions {
  /** Of a regular file in a folder that exists. A new file is for its owner alone (0600); one that is there is appended to. */
  readonly path: string;
  /** Waits until the disk has the lines (fdatasync). Slower; only then do they outlive a crash of the machine. Default false. */
  readonly sync?: boolean;
  /** How often it looks whether the file was moved away, as logrotate does. Milliseconds; default 1,000; 0 is each time. */
  readonly checkMs?: number;
}

const NEWLINE = 0x0a;

/** Appends lines to a file, which one process alone writes. Goes on in a new file when it was moved away or removed. */
export class JsonLinesFileSink implements AuditSink {
  readonly name = 'file';
  readonly #path: string;
  readonly #sync: boolean;
  readonly #checkMs: number;
  #file: FileHandle | undefined;
  #checkedAt = 0;
  /** The write that failed, and how many of its lines are in the file all the same. */
  #failed: { readonly place: AuditPlace; readonly kept: number } | undefined;

  /** @throws Error if the path is none of a regular file, or one that this process cannot make or write */
  constructor(options: JsonLinesFileOptions) {
    assertAuditFile(options.path);
    this.#path = options.path;
    this.#sync = options.sync ?? false;
    this.#checkMs = options.checkMs ?? 1_000;
  }

  async write(lines: readonly string[], place: AuditPlace): Promise<void> {
    const before = this.#keptOf(place);
    const rest = lines.slice(before);
    const progress = { bytes: 0 };
    try {
      const file = await this.#current();
      await writeAll(file, Buffer.from(rest.length === 0 ? '' : `${rest.join('\n')}\n`), progress);
      if (this.#sync) await file.datasync();
      this.#failed = undefined;
    } catch (error) {
      this.#failed = { place, kept: before + linesWithin(rest, progress.bytes) };
      // Opened again, it is looked at how it ends: the next line must not go on where one broke off.
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }

  #keptOf({ chain, seq }: AuditPlace): number {
    const failed = this.#failed;
    return failed?.place.chain === chain && failed.place.seq === seq ? failed.kept : 0;
  }

  async #current(): Promise<FileHandle> {
    if (this.#file && (await this.#wasMoved(this.#file))) await this.close();
    this.#file ??= await this.#open();
    return this.#file;
  }

  async #wasMoved(file: FileHandle): Promise<boolean> {
    const now = performance.now();
    if (now - this.#checkedAt < this.#checkMs) return false;
    this.#checkedAt = now;
    const [mine, there] = await Promise.all([file.stat(), stat(this.#path).catch(() => undefined)]);
    return there?.ino !== mine.ino || there.dev !== mine.dev;
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, 'a+', 0o600);
    try {
      const { size } = await file.stat();
      if (size > 0) {
        const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
        if (buffer[0] !== NEWLINE) await file.write('\n');
      }
      this.#checkedAt = performance.now();
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }
}

/** @param progress told as it goes: an error may come after a part */
async function writeAll(file: FileHandle, bytes: Buffer, progress: { bytes: number }): Promise<void> {
  // A disk that is nearly full takes a part.
  while (progress.bytes < bytes.length) {
    const { bytesWritten } = await file.write(bytes, progress.bytes);
    if (bytesWritten === 0) throw new Error('The file takes no more.');
    progress.bytes += bytesWritten;
  }
}

/** How many lines so many bytes hold, with or without the newline of the last. */
function linesWithin(lines: readonly string[], bytes: number): number {
  let end = 0;
  for (const [index, line] of lines.entries()) {
    end += Buffer.byteLength(line);
    if (end > bytes) return index;
    end += 1;
  }
  return lines.length;
}
