import { McpError } from '../../protocol/errors.js';
import { type Principal, isAnonymous, principalKey } from '../../protocol/principal.js';
import type { HttpOptions } from './http-options.js';
import { shuffled } from './jitter.js';

/** How many streams a stopping server ends in a second: each of their clients comes back to one of the others. */
const ENDED_PER_SECOND = 500;
/** Milliseconds in which one batch of them ends. */
const BATCH_MS = 50;
/** Milliseconds that a credential is accepted after its end at most, since clocks differ; its streams live as long. */
const EXPIRY_GRACE_MS = 60_000;
/** What a timer of Node can wait, in milliseconds. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

interface OpenStream {
  /** `principalKey()` of the caller. */
  readonly owner: string;
  readonly end: () => void;
  /** Ends it when the credential it was opened with is no longer good. */
  readonly expiry: NodeJS.Timeout | undefined;
}

/** The long-lived streams of this process: how many there may be, and how they end when it stops. */
export class OpenStreams {
  private readonly streams = new Set<OpenStream>();
  private readonly perPrincipal = new Map<string, number>();
  private draining = false;

  constructor(private readonly limits: Pick<HttpOptions, 'maxStreams' | 'maxStreamsPerPrincipal'>) {}

  get size(): number {
    return this.streams.size;
  }

  /**
   * Counts a stream in.
   * @param principal the caller; anonymous ones are bound by the limit of the process alone
   * @param end ends it in good order: when the server stops, or the caller's credential has expired and the client has
   *   to come back with another one
   * @returns the function that counts it out
   * @throws McpError `UNAVAILABLE` when there are too many, or the server is stopping
   */
  open(principal: Principal, end: () => void): () => void {
    if (this.draining) throw new McpError('UNAVAILABLE', 'The server is stopping. Connect again.');
    const { maxStreams, maxStreamsPerPrincipal } = this.limits;
    if (this.streams.size >= maxStreams) {
      throw new McpError('UNAVAILABLE', `The server holds ${maxStreams} streams open already. Try again later.`);
    }
    const owner = principalKey(principal);
    if (!isAnonymous(principal) && this.countOf(owner) >= maxStreamsPerPrincipal) {
      const held = `You hold ${maxStreamsPerPrincipal} streams open already.`;
      throw new McpError('UNAVAILABLE', `${held} Close one that is not needed, or try again later.`);
    }
    const stream = { owner, end, expiry: atExpiry(principal, end) };
    this.streams.add(stream);
    this.perPrincipal.set(owner, this.countOf(owner) + 1);
    return () => this.remove(stream);
  }

  /**
   * Lets no new stream in and ends those that are open: in an order of chance and a few at a time, so that their
   * clients do not all come to the other replicas at once. Few streams end at once, many within a time that grows
   * with their number.
   *
   * @param withinMs milliseconds after which all are ended, however many they are
   */
  async drain(withinMs: number): Promise<void> {
    this.draining = true;
    const order = shuffled(this.streams);
    const windowMs = Math.min(withinMs, (order.length / ENDED_PER_SECOND) * 1_000);
    const batches = Math.max(1, Math.floor(windowMs / BATCH_MS));
    const size = Math.ceil(order.length / batches);
    const begun = Date.now();
    for (let batch = 0; order.length > 0; batch += 1) {
      // Anywhere in its part of the window: replicas that stop together must not end their streams in step.
      const dueInMs = begun + (batch + Math.random()) * BATCH_MS - Date.now();
      if (batches > 1) await new Promise((resolve) => setTimeout(resolve, dueInMs));
      // One that has ended by itself meanwhile has nothing left to say.
      for (const stream of order.splice(0, size)) if (this.streams.has(stream)) stream.end();
    }
  }

  private remove(stream: OpenStream): void {
    if (!this.streams.delete(stream)) return;
    clearTimeout(stream.expiry);
    const left = this.countOf(stream.owner) - 1;
    if (left > 0) this.perPrincipal.set(stream.owner, left);
    else this.perPrincipal.delete(stream.owner);
  }

  private countOf(owner: string): number {
    return this.perPrincipal.get(owner) ?? 0;
  }
}

function atExpiry({ expiresAt }: Principal, end: () => void): NodeJS.Timeout | undefined {
  if (expiresAt === undefined) return undefined;
  const leftMs = expiresAt + EXPIRY_GRACE_MS - Date.now();
  return setTimeout(end, Math.min(Math.max(leftMs, 0), LONGEST_WAIT_MS)).unref();
}
