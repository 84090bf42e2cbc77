import type { Contestant } from './contestant.js';
import type { LoadResult } from './load.js';
import { median } from './statistics.js';

/** A round of one server. */
export interface Sample extends LoadResult {
  readonly cpuMicros: number;
  /** Share of the time in which the server's core was at work. Far below 1, something else was the bound. */
  readonly busy: number;
  readonly rssMiB: number;
}

/** The rounds that servers had one after the other, by their names. Not all of them take part in every turn. */
export interface Turn {
  /** Which start of the servers they belong to. */
  readonly start: number;
  readonly samples: ReadonlyMap<string, Sample>;
}

/** Medians of all rounds. */
export interface Row extends Sample {
  readonly name: string;
  readonly rounds: number;
  /** Requests a second, as a part of the reference's in the same turn: the median of all turns. */
  readonly ratio: number;
  /** CPU of the reference as a part of this one's in the same turn. */
  readonly cpuRatio: number;
  readonly p99Ratio: number;
  /** Of the cheapest round of each. Whatever else a machine does makes rounds dearer, never cheaper. */
  readonly best: { readonly cpuRatio: number };
  /** The ratios of each start by itself. */
  readonly ofStarts: Readonly<Record<'ratio' | 'cpuRatio' | 'p99Ratio', readonly number[]>>;
}

/** Ratios are within a turn, in which the machine was the same. */
export function rowsOf(contestants: readonly Contestant[], turns: readonly Turn[]): Row[] {
  return contestants.map(({ name, against = contestants[0]?.name ?? '' }) => {
    const pairs = turns.flatMap(({ start, samples }) => {
      const [own, reference] = [samples.get(name), samples.get(against)];
      return own && reference ? [{ start, own, reference }] : [];
    });
    const of = (pick: (sample: Sample) => number): number => median(pairs.map(({ own }) => pick(own)));
    const compared = (pick: (sample: Sample) => number) => {
      const ratios = pairs.map(({ start, own, reference }) => ({ start, value: pick(own) / pick(reference) }));
      const starts = [...new Set(ratios.map(({ start }) => start))];
      const values = (only?: number): number[] =>
        ratios.filter(({ start }) => only === undefined || start === only).map(({ value }) => value);
      return { median: median(values()), ofStarts: starts.map((start) => median(values(start))) };
    };
    const cheapest = (samples: readonly Sample[]): number => Math.min(...samples.map(({ cpuMicros }) => cpuMicros));
    const speed = compared(({ perSecond }) => perSecond);
    const thrift = compared(({ cpuMicros }) => 1 / cpuMicros);
    const p99 = compared(({ p99Ms }) => p99Ms);
    return {
      name,
      rounds: pairs.length,
      requests: pairs.reduce((sum, { own }) => sum + own.requests, 0),
      perSecond: of(({ perSecond }) => perSecond),
      p50Ms: of(({ p50Ms }) => p50Ms),
      p99Ms: of(({ p99Ms }) => p99Ms),
      cpuMicros: of(({ cpuMicros }) => cpuMicros),
      busy: of(({ busy }) => busy),
      loadBusy: of(({ loadBusy }) => loadBusy),
      rssMiB: of(({ rssMiB }) => rssMiB),
      ratio: speed.median,
      cpuRatio: thrift.median,
      p99Ratio: p99.median,
      best: { cpuRatio: cheapest(pairs.map(({ reference }) => reference)) / cheapest(pairs.map(({ own }) => own)) },
      ofStarts: { ratio: speed.ofStarts, cpuRatio: thrift.ofStarts, p99Ratio: p99.ofStarts },
    };
  });
}
