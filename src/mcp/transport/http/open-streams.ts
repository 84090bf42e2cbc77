import { McpError } from '../../protocol/errors.js';

/** The long-lived streams of this process: how many there may be, and how they end when it stops. */
export class OpenStreams {
  private readonly endings = new Set<() => void>();
  private readonly drained = new AbortController();

  constructor(private readonly limit: number) {}

  /** Aborts when the server begins to stop. */
  get stopping(): AbortSignal {
    return this.drained.signal;
  }

  get size(): number {
    return this.endings.size;
  }

  /**
   * Counts a stream in.
   * @param end ends it in good order when the server stops
   * @returns the function that counts it out
   * @throws McpError `UNAVAILABLE` when there are too many, or the server is stopping
   */
  open(end: () => void): () => void {
    if (this.stopping.aborted) throw new McpError('UNAVAILABLE', 'The server is stopping. Connect again.');
    if (this.endings.size >= this.limit) {
      throw new McpError('UNAVAILABLE', `The server holds ${this.limit} streams open already. Try again later.`);
    }
    this.endings.add(end);
    return () => this.endings.delete(end);
  }

  /** Ends all streams and lets no new one in. */
  drain(): void {
    this.drained.abort();
    for (const end of [...this.endings]) end();
  }
}
