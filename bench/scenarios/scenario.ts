import type { Options } from '../harness/options.js';
import type { Row } from '../harness/rows.js';
import { withRange } from '../harness/statistics.js';

/** One of the goals, and how near it is. */
export interface Goal {
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

/** A figure that is not one of a load. */
export interface Figure {
  readonly name: string;
  readonly values: Readonly<Record<string, number | string>>;
}

export interface Outcome {
  readonly rows?: readonly Row[];
  readonly figures?: readonly Figure[];
  readonly goals: readonly Goal[];
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  run(options: Options): Promise<Outcome>;
}

/** `ofStarts` is what came out of each start of the servers, if they were started more than once. */
export function atLeast(goal: string, measured: number, least: number, ofStarts?: readonly number[]): Goal {
  return { goal: `${goal}: at least ${least}`, measured: withRange(measured, ofStarts), met: measured >= least };
}

export function atMost(goal: string, measured: number, most: number, ofStarts?: readonly number[]): Goal {
  return { goal: `${goal}: at most ${most}`, measured: withRange(measured, ofStarts), met: measured <= most };
}

export function rowOf(rows: readonly Row[], name: string): Row {
  const row = rows.find((one) => one.name === name);
  if (!row) throw new Error(`There is no row ${name}.`);
  return row;
}

/** How many times as fast one is as the other, by what each is beside the reference that they have in common. */
export function times(rows: readonly Row[], name: string, other: string): number {
  return rowOf(rows, name).ratio / rowOf(rows, other).ratio;
}
