import { inBatches } from './in-batches.js';
import type { ReplicaLink } from './replica-link.js';
import { UNMARK } from './session-scripts.js';

/** Marks that could not be taken back are remembered up to this many; then the oldest is forgotten. */
const MAX_LOST = 10_000;

interface Mark {
  readonly sessionId: string;
  /** JSON of the request id. */
  readonly request: string;
}

/**
 * What this replica knows of the requests it has marked as running. When an answer of Redis is lost, so is the
 * knowledge whether there is a mark; without this, one that nobody knows of would block its id to the session's end.
 */
export class RequestMarks {
  readonly #link: ReplicaLink;
  /** How many callers here have a mark, or try to get it. */
  readonly #callers = new Map<string, number>();
  /** Marks that may be there, though nobody here has them. */
  readonly #lost = new Map<string, Mark>();

  constructor(link: ReplicaLink) {
    this.#link = link;
    link.onSweep(() => inBatches([...this.#lost], ([key, mark]) => this.#takeBack(key, mark)));
  }

  /** @returns true if nobody here has the mark or tries to get it, so that one of this replica means nothing */
  begin(mark: Mark): boolean {
    const key = keyOf(mark);
    const callers = this.#callers.get(key) ?? 0;
    this.#callers.set(key, callers + 1);
    return callers === 0;
  }

  end(mark: Mark): void {
    const key = keyOf(mark);
    const callers = this.#callers.get(key) ?? 0;
    if (callers > 1) this.#callers.set(key, callers - 1);
    else this.#callers.delete(key);
  }

  /** Ends it when nobody knows whether there is a mark: takes it back now or, if Redis is away, in a sweep. */
  lose(mark: Mark): void {
    this.end(mark);
    const key = keyOf(mark);
    this.#lost.set(key, mark);
    const [oldest] = this.#lost.keys();
    if (this.#lost.size > MAX_LOST && oldest !== undefined) this.#lost.delete(oldest);
    this.#takeBack(key, mark).catch(() => undefined);
  }

  async #takeBack(key: string, { sessionId, request }: Mark): Promise<void> {
    // Whoever has it since takes it back.
    if (!this.#callers.has(key)) {
      await this.#link.run(UNMARK, [this.#link.keys.session(sessionId)], [request, this.#link.id]);
    }
    this.#lost.delete(key);
  }
}

function keyOf({ sessionId, request }: Mark): string {
  return `${sessionId} ${request}`;
}
