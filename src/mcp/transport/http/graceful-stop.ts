import type { LoggerService } from '@nestjs/common';
import type { HttpOptions } from './http-options.js';
import type { OpenStreams } from './open-streams.js';
import type { RunningCalls } from './running-calls.js';
import type { ServerConnections } from './server-connections.js';

/** Milliseconds in which clients that keep their connections are told, with an answer, to go elsewhere. */
const LAST_REQUESTS_MS = 250;
/** Milliseconds in which calls that were stopped must be answered, and clients must have read what they are sent. */
const LAST_ANSWERS_MS = 2_000;

interface StopParts {
  readonly options: Pick<HttpOptions, 'drainDelayMs' | 'drainGraceMs' | 'drainStreamsMs'>;
  readonly streams: Pick<OpenStreams, 'drain'>;
  readonly calls: Pick<RunningCalls, 'idle' | 'stop'>;
  readonly logger: Pick<LoggerService, 'warn'>;
}

/**
 * Stops the MCP server in good order: clients are told to go elsewhere, streams are ended with a word of goodbye, and
 * calls that run may finish. `app.close()` does this by itself, but Nest runs every `onModuleDestroy` before it; to
 * let running calls finish while everything they need is still there, call {@link drain} first.
 *
 * @example
 * ```ts
 * process.once('SIGTERM', async () => {
 *   await app.get(GracefulStop).drain();
 *   await app.close();
 * });
 * ```
 */
export class GracefulStop {
  private begun = false;
  private drained: Promise<void> | undefined;
  private connections:
    | Pick<
        ServerConnections,
        'announceClose' | 'closeListener' | 'answered' | 'lastRequests' | 'closeUnused' | 'cutAll'
      >
    | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @internal */
  constructor(private readonly parts: StopParts) {}

  /** True from the moment at which the server begins to stop: it takes no new sessions and no new streams. */
  get draining(): boolean {
    return this.begun;
  }

  /**
   * Begins to stop, at once; a later call waits for the same end.
   *
   * @returns resolves when all streams have ended and no call runs: at once if there are no connections, and otherwise
   *   `drainGraceMs` and two seconds later at the latest (see `HttpOptions`). Never rejects.
   */
  drain(): Promise<void> {
    this.drained ??= this.run(LAST_REQUESTS_MS);
    return this.drained;
  }

  /** @internal The application closes, and nobody has called {@link drain}: clients that are idle are not waited for. */
  end(): Promise<void> {
    this.drained ??= this.run(0);
    return this.drained;
  }

  /** @internal The server whose clients are to be told. */
  watch(connections: GracefulStop['connections']): void {
    this.connections = connections;
  }

  /** @internal The server has closed: nobody is left to be waited for. */
  close(): void {
    clearTimeout(this.timer);
  }

  private async run(lastRequestsMs: number): Promise<void> {
    const { streams, options } = this.parts;
    this.begun = true;
    this.connections?.announceClose();
    // Nobody is stopped before the delay is over, in which new calls are still taken.
    const graceMs = Math.max(options.drainGraceMs, options.drainDelayMs);
    const timeIsUp = this.limitTime(graceMs);
    const ended = streams.drain(Math.min(options.drainStreamsMs, graceMs));
    if (options.drainDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, options.drainDelayMs));
    await this.connections?.closeListener();
    await ended;
    await Promise.race([this.allAnswered(), timeIsUp]);
    if (lastRequestsMs > 0) {
      // Not before: a stream that had begun could not tell its client to go elsewhere with the next request.
      await this.connections?.lastRequests(lastRequestsMs);
      await Promise.race([this.allAnswered(), timeIsUp]);
    }
    this.connections?.closeUnused();
  }

  private async allAnswered(): Promise<void> {
    await this.parts.calls.idle();
    await this.connections?.answered();
  }

  /**
   * The time limit holds until the server has closed: a request that was still being authenticated when no call ran
   * any more is bound by it too.
   * @returns resolves when not even the last answers are waited for
   */
  private limitTime(graceMs: number): Promise<void> {
    const { calls, logger } = this.parts;
    return new Promise((resolve) => {
      const over = (): void => {
        const stopped = calls.stop();
        if (stopped > 0) {
          logger.warn(`Calls that were not done ${graceMs} ms after the stop began: ${stopped}. They were stopped.`);
        }
        this.timer = setTimeout(() => {
          this.connections?.cutAll();
          resolve();
        }, LAST_ANSWERS_MS);
      };
      this.timer = setTimeout(over, graceMs);
    });
  }
}
