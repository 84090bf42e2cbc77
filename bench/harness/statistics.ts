export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** By linear interpolation between the nearest two. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = ((sorted.length - 1) * percent) / 100;
  const [low = NaN, high = NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

/** `0.67 (0.64 to 0.71)`: the lowest and the highest of the starts behind what came out of all. */
export function withRange(value: number, ofStarts: readonly number[] = []): string {
  const [lowest, highest] = [Math.min(...ofStarts).toFixed(2), Math.max(...ofStarts).toFixed(2)];
  return ofStarts.length < 2 || lowest === highest ? value.toFixed(2) : `${value.toFixed(2)} (${lowest} to ${highest})`;
}
