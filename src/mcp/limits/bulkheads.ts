/** How many at once. */
export interface BulkheadRule {
  /** May be inside at once. At least 1. */
  readonly max: number;
  /** May wait outside. */
  readonly queue: number;
  /** How long they wait, in milliseconds. */
  readonly queueMs: number;
}

/** What may be aborted while it waits. */
export interface AbortableCall {
  /** Asked for only where it must be listened to: it may be made for who asks. */
  readonly signal: AbortSignal;
  /** @throws the signal's reason if it has aborted. Default: the signal is asked. */
  throwIfAborted?(): void;
}

/** @throws the reason why a call was aborted, if it was */
export function requireRunning(call: AbortableCall): void {
  if (call.throwIfAborted) call.throwIfAborted();
  else call.signal.throwIfAborted();
}

/** Leaves. Does nothing when it is called again. */
export type Release = () => void;

interface Bulkhead {
  readonly key: string;
  running: number;
  /** In the order in which they came. Never any while there is room. Made for the first who waits. */
  waiting: Set<Waiter> | undefined;
}

type Waiter = (release: Release) => void;

/**
 * Semaphores by key, of this process, each with a bounded queue in which who came first goes first. A key that nobody is
 * in takes no memory.
 */
export class Bulkheads {
  readonly #bulkheads = new Map<string, Bulkhead>();
  #running = 0;
  #waiting = 0;

  /** Inside, under all keys. */
  get running(): number {
    return this.#running;
  }

  /** In queues, under all keys. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Keys that somebody is in. */
  get size(): number {
    return this.#bulkheads.size;
  }

  /** How many are inside and in the queue under one key. */
  depth(key: string): { readonly running: number; readonly waiting: number } {
    const bulkhead = this.#bulkheads.get(key);
    return { running: bulkhead?.running ?? 0, waiting: bulkhead?.waiting?.size ?? 0 };
  }

  /** How many are inside and in the queue, under each key that somebody is in. */
  *depths(): Generator<{ readonly key: string; readonly running: number; readonly waiting: number }> {
    for (const { key, running, waiting } of this.#bulkheads.values()) {
      yield { key, running, waiting: waiting?.size ?? 0 };
    }
  }

  /**
   * Enters at once if there is room, or else waits for it. Rejects with the signal's reason when that aborts; one that
   * aborts later is the caller's business.
   * @param call whose signal is asked for by who waits
   * @param rule the same each time for a key
   * @returns what leaves again; undefined, now or after waiting, if there was no room
   * @throws the signal's reason if it has aborted
   */
  enter(key: string, rule: BulkheadRule, call?: AbortableCall): Release | undefined | Promise<Release | undefined> {
    if (call) requireRunning(call);
    const bulkhead = this.#bulkheads.get(key);
    if (!bulkhead) return this.#open(key);
    if (bulkhead.running < rule.max) {
      bulkhead.running += 1;
      this.#running += 1;
      return this.#release(bulkhead);
    }
    return (bulkhead.waiting?.size ?? 0) < rule.queue ? this.#wait(bulkhead, rule.queueMs, call?.signal) : undefined;
  }

  #open(key: string): Release {
    const bulkhead: Bulkhead = { key, running: 1, waiting: undefined };
    this.#bulkheads.set(key, bulkhead);
    this.#running += 1;
    return this.#release(bulkhead);
  }

  #wait(bulkhead: Bulkhead, queueMs: number, signal: AbortSignal | undefined): Promise<Release | undefined> {
    const waiting = (bulkhead.waiting ??= new Set());
    return new Promise((resolve, reject) => {
      const leaveQueue = (): void => {
        waiting.delete(enter);
        this.#waiting -= 1;
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const enter: Waiter = (release) => {
        leaveQueue();
        resolve(release);
      };
      const onAbort = (): void => {
        leaveQueue();
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        leaveQueue();
        resolve(undefined);
      }, queueMs);
      signal?.addEventListener('abort', onAbort);
      waiting.add(enter);
      this.#waiting += 1;
    });
  }

  #release(bulkhead: Bulkhead): Release {
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      // The place goes to the next one, so that nobody who comes now can be faster.
      if (bulkhead.waiting) for (const enter of bulkhead.waiting) return enter(this.#release(bulkhead));
      this.#running -= 1;
      bulkhead.running -= 1;
      if (bulkhead.running === 0) this.#bulkheads.delete(bulkhead.key);
    };
  }
}
