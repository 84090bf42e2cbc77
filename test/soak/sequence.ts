/** What the arrival of a number means. */
export type Receipt = 'new' | 'doubled' | 'reordered';

/** What one receiver has got of the numbers it must get: each of them once, and in order. */
export class Sequence {
  private readonly got = new Set<number>();
  private highest = -Infinity;

  receive(n: number): Receipt {
    if (this.got.has(n)) return 'doubled';
    this.got.add(n);
    if (n < this.highest) return 'reordered';
    this.highest = n;
    return 'new';
  }

  has(n: number): boolean {
    return this.got.has(n);
  }

  /** How many different ones have come. */
  get size(): number {
    return this.got.size;
  }

  /** Those that were left out before the highest one that came. */
  get gaps(): number[] {
    return this.highest === -Infinity ? [] : this.missing(numbers(this.highest));
  }

  missing(expected: Iterable<number>): number[] {
    return [...expected].filter((n) => !this.got.has(n));
  }
}

/** From 1 on. */
export function numbers(upTo: number): number[] {
  return Array.from({ length: upTo }, (_, index) => index + 1);
}
