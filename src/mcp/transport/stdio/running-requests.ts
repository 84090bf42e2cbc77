import { errorOutcome } from '../../dispatch/encode/result-encoder.js';
import type { Outcome, RunningCall } from '../../dispatch/outcome.js';
import { McpError } from '../../protocol/errors.js';
import type { RequestId } from '../json-rpc.js';

/** Requests that may run on one channel at a time. */
const MAX_RUNNING = 1_000;

/** A request under way. */
export interface Work extends Pick<RunningCall, 'outcome' | 'cancel'> {
  /** Says goodbye when the server stops; a request without it is cancelled. */
  end?(): void;
}

interface RunningRequest {
  /** False once it is answered or cancelled: nothing more may be written for it. */
  live: boolean;
  work?: Work;
}

/** The requests of a channel that are not answered yet, of both eras: they share one space of ids. */
export class RunningRequests {
  private readonly running = new Map<RequestId, RunningRequest>();

  /**
   * Runs a request to its end.
   * @param start is given a function that says whether anything may still be written for the request
   * @throws whatever `start` throws
   */
  async run(id: RequestId, start: (isLive: () => boolean) => Work): Promise<Outcome> {
    if (this.running.has(id)) {
      return errorOutcome(
        new McpError('INVALID_REQUEST', `A request with the id ${JSON.stringify(id)} is running on this channel.`),
      );
    }
    if (this.running.size >= MAX_RUNNING) {
      return errorOutcome(new McpError('UNAVAILABLE', `${MAX_RUNNING} requests are running. Wait for one to end.`));
    }
    const request: RunningRequest = { live: true };
    this.running.set(id, request);
    try {
      request.work = start(() => request.live);
      const outcome = await request.work.outcome;
      return request.live ? outcome : { kind: 'cancelled' };
    } finally {
      request.live = false;
      if (this.running.get(id) === request) this.running.delete(id);
    }
  }

  /** Unknown and finished requests are ignored (2026-07-28 basic/patterns/cancellation, "Error Handling"). */
  cancel(id: RequestId, reason: string | undefined): void {
    const request = this.running.get(id);
    if (!request) return;
    this.running.delete(id);
    request.live = false;
    request.work?.cancel(reason);
  }

  /** Ends all requests, because the server stops or the client has gone. */
  endAll(): void {
    for (const [id, { work }] of [...this.running]) {
      if (work?.end) work.end();
      else this.cancel(id, 'the connection has ended');
    }
  }
}
