import type { Writable } from 'node:stream';

/**
 * Writes messages, one a line, and keeps what waits for a slow reader within bounds: answers always wait, and whoever
 * makes them is to stop at {@link drained}; progress and log messages are left out meanwhile; of equal notifications of
 * a change, one waits.
 */
export class LineWriter {
  /** Resolves when nothing can be written any more: the reader has gone, or the stream has ended. */
  readonly closed: Promise<void>;
  private isClosed = false;
  /** Notifications of changes that wait for the reader, each with whether it is still wanted. */
  private readonly waiting = new Map<string, () => boolean>();
  private readonly drainListeners = new Set<() => void>();

  /** @param maxBufferedBytes bytes that may wait before a reader counts as slow */
  constructor(
    private readonly output: Writable,
    private readonly maxBufferedBytes: number,
  ) {
    output.on('drain', () => this.catchUp());
    this.closed = new Promise((resolve) => {
      const close = (): void => {
        this.isClosed = true;
        this.catchUp();
        resolve();
      };
      // A reader that goes away (EPIPE) is how a channel ends, not a failure.
      for (const event of ['error', 'finish', 'close']) output.on(event, close);
    });
  }

  /** Writes what must not be lost. */
  write(frame: string): void {
    if (!this.isClosed && !this.output.writableEnded) this.output.write(`${frame}\n`);
  }

  /** Writes what may be left out when the reader is slow. */
  offer(frame: string): void {
    if (!this.isCongested) this.write(frame);
  }

  /**
   * Writes what need not be said twice.
   * @param isWanted asked again if the message had to wait
   */
  announce(frame: string, isWanted: () => boolean): void {
    if (this.isCongested) this.waiting.set(frame, isWanted);
    else this.write(frame);
  }

  /** Resolves when the reader has caught up, or is gone. */
  async drained(): Promise<void> {
    if (this.isCongested) await new Promise<void>((resolve) => this.drainListeners.add(resolve));
  }

  /**
   * Ends the stream, and resolves when all is written.
   * @param withinMs milliseconds after which it resolves in any case
   */
  async end(withinMs: number): Promise<void> {
    this.output.end();
    let timer: NodeJS.Timeout | undefined;
    const given = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([this.closed, given]);
    clearTimeout(timer);
  }

  private get isCongested(): boolean {
    const { writableNeedDrain, writableLength } = this.output;
    return !this.isClosed && writableNeedDrain && writableLength > this.maxBufferedBytes;
  }

  private catchUp(): void {
    for (const [frame, isWanted] of this.waiting) if (isWanted()) this.write(frame);
    this.waiting.clear();
    for (const listener of this.drainListeners) listener();
    this.drainListeners.clear();
  }
}
