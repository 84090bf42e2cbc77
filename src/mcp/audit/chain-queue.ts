import type { OperationEntry } from './audit-entry.js';

/** Refusals of callers without a name have room of their own, so that they take none from what others do. */
export type QueueRoom = 'operations' | 'refusals';

export interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

export interface QueuedOperation {
  readonly kind: 'operation';
  readonly entry: OperationEntry;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly room: QueueRoom;
  waiter: Waiter | undefined;
}

/** Stands where operations would have stood that had no room. */
export interface QueuedGap {
  readonly kind: 'gap';
  lost: number;
}

/** Operations that are not in the chain, if their items never come into it. */
export interface Missing {
  /** They were kept. */
  readonly kept: number;
  /** They had no room. */
  readonly lost: number;
}

/** Refusals may have this part of the room of operations, beside it. */
const REFUSALS_PART = 0.1;

/** What waits to come into the chain: operations up to a bound, and between two of them one gap at most. */
export class ChainQueue {
  readonly #items: (QueuedOperation | QueuedGap)[] = [];
  readonly #max: Readonly<Record<QueueRoom, number>>;
  readonly #free: Record<QueueRoom, number>;

  /** @param max operations that may wait */
  constructor(max: number) {
    this.#max = { operations: max, refusals: Math.max(1, Math.floor(max * REFUSALS_PART)) };
    this.#free = { ...this.#max };
  }

  get size(): number {
    return this.#items.length;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  hasRoom(room: QueueRoom): boolean {
    return this.#free[room] > 0;
  }

  /** True while half of each room is free. */
  get hasAmpleRoom(): boolean {
    const { operations, refusals } = this.#free;
    return operations * 2 >= this.#max.operations && refusals * 2 >= this.#max.refusals;
  }

  push(item: QueuedOperation): void {
    this.#free[item.room] -= 1;
    this.#items.push(item);
  }

  lose(operations: number): void {
    const last = this.#items.at(-1);
    if (last?.kind === 'gap') last.lost += operations;
    else this.#items.push({ kind: 'gap', lost: operations });
  }

  /** Takes the oldest out. */
  take(max: number): (QueuedOperation | QueuedGap)[] {
    const items = this.#items.splice(0, max);
    for (const item of items) if (item.kind === 'operation') this.#free[item.room] += 1;
    return items;
  }

  /** Operations that wait, and those that had no room and that no gap in the chain tells of yet. */
  get missing(): Missing {
    return missingIn(this.#items);
  }

  /** They stay in the queue, but nobody waits for them any more. */
  takeWaiters(): Waiter[] {
    return this.#items.flatMap((item) => {
      if (item.kind === 'gap' || !item.waiter) return [];
      const { waiter } = item;
      item.waiter = undefined;
      return [waiter];
    });
  }
}

/** How many operations an entry stands for. */
export function operationsOf({ entry }: QueuedOperation): number {
  return entry.count ?? 1;
}

export function missingIn(items: readonly (QueuedOperation | QueuedGap)[]): Missing {
  let [kept, lost] = [0, 0];
  for (const item of items) {
    if (item.kind === 'gap') lost += item.lost;
    else kept += operationsOf(item);
  }
  return { kept, lost };
}
