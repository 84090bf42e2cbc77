/** A set of whole numbers from 0, kept as ranges: cheap as long as they come about in order. */
export class SeqRanges {
  /** `[first, last]`, in order, none touching the next. */
  readonly #ranges: [number, number][] = [];

  /** @returns false if it is in already */
  add(seq: number): boolean {
    const after = this.#indexAfter(seq);
    const [before, next] = [this.#ranges[after - 1], this.#ranges[after]];
    if (before && seq <= before[1]) return false;
    const joinsBefore = before !== undefined && before[1] + 1 === seq;
    const joinsNext = next !== undefined && next[0] - 1 === seq;
    if (joinsBefore && joinsNext) {
      before[1] = next[1];
      this.#ranges.splice(after, 1);
    } else if (joinsBefore) before[1] = seq;
    else if (joinsNext) next[0] = seq;
    else this.#ranges.splice(after, 0, [seq, seq]);
    return true;
  }

  /** What is missing between 0 and the greatest, as `[first, last]`. */
  holes(): [number, number][] {
    return this.#ranges
      .map(([first], index): [number, number] => [index === 0 ? 0 : this.#ranges[index - 1]![1] + 1, first - 1])
      .filter(([first, last]) => first <= last);
  }

  /** Index of the first range that begins after the number. */
  #indexAfter(seq: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ranges[middle]![0] > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
