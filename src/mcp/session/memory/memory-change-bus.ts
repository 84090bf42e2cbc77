import { randomUUID } from 'node:crypto';
import type { Change, ChangeBus, ChangeRead, LoggedChange } from '../change-bus.port.js';
import { notify, warnOfListenerError, type ListenerErrorHandler } from '../notify.js';

export interface MemoryChangeBusOptions {
  /** How many changes `since` can look back. Default 1,000. */
  readonly capacity?: number;
  /** Hears of an error that a listener threw. Default: a process warning. */
  readonly onListenerError?: ListenerErrorHandler;
}

interface Subscription {
  readonly listener: (change: LoggedChange) => void;
  /** Position at the time of subscribing; only what comes later is heard. */
  readonly from: number;
}

/** The changes of one process. A cursor is `<bus>-<position>`, so that one of another process is known for foreign. */
export class MemoryChangeBus implements ChangeBus {
  readonly #id = randomUUID();
  readonly #capacity: number;
  readonly #onListenerError: ListenerErrorHandler;
  readonly #subscriptions = new Set<Subscription>();
  /** The newest changes, oldest first; the last one is at position `#tail`. */
  readonly #changes: LoggedChange[] = [];
  #tail = 0;
  /** The cursor of the tail: all who ask for it share one string. */
  #cursor = this.#cursorAt(0);
  /** Published but not yet told; not empty only while a listener runs. */
  readonly #undelivered: { readonly logged: LoggedChange; readonly position: number }[] = [];
  #delivering = false;

  constructor(options: MemoryChangeBusOptions = {}) {
    this.#capacity = options.capacity ?? 1_000;
    this.#onListenerError = options.onListenerError ?? warnOfListenerError;
  }

  async publish(change: Change): Promise<void> {
    this.#tail += 1;
    this.#cursor = this.#cursorAt(this.#tail);
    const logged: LoggedChange = { cursor: this.#cursor, change };
    this.#changes.push(logged);
    if (this.#changes.length > this.#capacity) this.#changes.shift();
    this.#undelivered.push({ logged, position: this.#tail });
    this.#deliver();
  }

  async cursor(): Promise<string> {
    return this.#cursor;
  }

  async since(cursor: string): Promise<ChangeRead> {
    const position = this.#positionOf(cursor);
    const oldest = this.#tail - this.#changes.length;
    if (position === undefined || position > this.#tail || position < oldest) {
      return { status: 'gap', cursor: this.#cursorAt(this.#tail) };
    }
    return { status: 'ok', changes: this.#changes.slice(position - oldest) };
  }

  /** @param _lost never called: nothing gets lost on the way to the same process */
  subscribe(listener: (change: LoggedChange) => void, _lost?: (cursor: string) => void): () => void {
    const subscription: Subscription = { listener, from: this.#tail };
    this.#subscriptions.add(subscription);
    return () => void this.#subscriptions.delete(subscription);
  }

  /** A listener may publish: its change waits until everyone has heard the present one, or order would be lost. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    for (let next = this.#undelivered.shift(); next; next = this.#undelivered.shift()) {
      const { logged, position } = next;
      for (const { listener, from } of this.#subscriptions) {
        if (from < position) notify(() => listener(logged), this.#onListenerError);
      }
    }
    this.#delivering = false;
  }

  #cursorAt(position: number): string {
    return `${this.#id}-${position}`;
  }

  #positionOf(cursor: string): number | undefined {
    const position = Number(cursor.slice(this.#id.length + 1));
    return Number.isSafeInteger(position) && cursor === this.#cursorAt(position) ? position : undefined;
  }
}
