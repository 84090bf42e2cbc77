import type { Writable } from 'node:stream';
import type { AuditSink } from './audit-sink.port.js';

/** Writes lines to a stream of the process, as a rule stdout, which it does not close. Other lines may be between them. */
export class JsonLinesStreamSink implements AuditSink {
  readonly name = 'stdout';
  readonly #stream: Writable;
  /** A reader that went away must not end the process; the write that fails says so. */
  readonly #onError = (): void => undefined;

  constructor(stream: Writable = process.stdout) {
    this.#stream = stream;
    stream.on('error', this.#onError);
  }

  /** Resolves when the stream has passed the lines on, so that a slow reader holds the trail up, not the memory. */
  async write(lines: readonly string[]): Promise<void> {
    const text = `${lines.join('\n')}\n`;
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    this.#stream.off('error', this.#onError);
  }
}
