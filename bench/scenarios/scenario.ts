import type { Options } from '../harness/options.js';
import type { Row } from '../harness/rounds.js';

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

export function atLeast(goal: string, measured: number, least: number): Goal {
  return { goal: `${goal}: at least ${least}`, measured: measured.toFixed(2), met: measured >= least };
}

export function atMost(goal: string, measured: number, most: number): Goal {
  return { goal: `${goal}: at most ${most}`, measured: measured.toFixed(2), met: measured <= most };
}

export function rowOf(rows: readonly Row[], name: string): Row {
  const row = rows.find((one) => one.name === name);
  if (!row) throw new Error(`There is no row ${name}.`);
  return row;
}

/** How many times as fast one is as the other. */
export function times(rows: readonly Row[], name: string, other: string): number {
  return rowOf(rows, name).perSecond / rowOf(rows, other).perSecond;
}
