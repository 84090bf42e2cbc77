import { checkAnswer } from './check.js';
import type { Contestant } from './contestant.js';
import { type Load, type LoadKind, type LoadResult, loadOf } from './load.js';
import { HAS_WRK } from './machine.js';
import { runNodeLoad } from './node-load.js';
import type { Options } from './options.js';
import { ServerProcess } from './server-process.js';
import { median } from './statistics.js';
import { runWrk } from './wrk.js';

export interface Sample extends LoadResult {
  readonly cpuMicros: number;
  /** Share of the time in which the server's core was at work. Far below 1, something else was the bound. */
  readonly busy: number;
  readonly rssMiB: number;
}

export interface Row extends Sample {
  readonly name: string;
  /** Requests a second, as a part of the reference's: the median of the rounds. */
  readonly ratio: number;
  /** CPU of the reference as a part of this one's. */
  readonly cpuRatio: number;
  readonly p99Ratio: number;
  /** Ratio of the best round of its own to the best of the reference. */
  readonly best: { readonly cpuRatio: number };
  /** Slowest and fastest round. */
  readonly spread: readonly [number, number];
}

export type RunLoad = (load: Load, seconds: number, connections: number) => Promise<LoadResult>;

/** wrk if there is one; what it cannot do, and where there is none, the client of our own. */
export const runLoad: RunLoad = HAS_WRK ? runWrk : runNodeLoad;

/** Starts everyone, checks everyone, warms everyone up, and then measures them in turns. */
export async function measure(
  contestants: readonly Contestant[],
  options: Options,
  { kind = 'call', prepare }: { kind?: LoadKind; prepare?: (server: ServerProcess) => Promise<unknown> } = {},
): Promise<Row[]> {
  const servers = await startAll(contestants);
  try {
    const loads: Load[] = [];
    for (const server of servers) {
      const load = await loadOf(kind, server);
      const message = await checkAnswer(kind, server, load);
      const length = kind === 'list' ? JSON.stringify(message).length - String(message['id']).length : undefined;
      loads.push(length === undefined ? load : { ...load, expected: { ...load.expected, length } });
    }
    return await measureServers(servers, loads, options, prepare);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function measureServers(
  servers: readonly ServerProcess[],
  loads: readonly Load[],
  { warmUpSeconds, seconds, rounds, connections }: Options,
  prepare?: (server: ServerProcess) => Promise<unknown>,
): Promise<Row[]> {
  for (const load of loads) await runLoad(load, warmUpSeconds, connections);
  if (prepare) for (const server of servers) await prepare(server);
  const samples: Sample[][] = servers.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [n, server] of servers.entries()) {
      samples[n]?.push(await sample(server, () => runLoad(loads[n] as Load, seconds, connections)));
    }
  }
  return rowsOf(
    servers.map(({ contestant }) => contestant),
    samples,
  );
}

/** One after the other: they share a core. */
export async function startAll(contestants: readonly Contestant[]): Promise<ServerProcess[]> {
  const servers: ServerProcess[] = [];
  try {
    for (const contestant of contestants) servers.push(await ServerProcess.start(contestant));
    return servers;
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  }
}

/** What some work has cost a server. */
export async function sample(server: ServerProcess, work: () => Promise<LoadResult>): Promise<Sample> {
  const before = await server.usage();
  const result = await work();
  const after = await server.usage();
  const micros = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system;
  return {
    ...result,
    cpuMicros: micros / result.requests,
    busy: (micros / 1e6 / result.requests) * result.perSecond,
    rssMiB: after.memory.rss / 2 ** 20,
  };
}

/** Ratios are of the same round, in which the machine was the same. */
export function rowsOf(contestants: readonly Contestant[], samples: readonly (readonly Sample[])[]): Row[] {
  return contestants.map(({ name, against: other }, n) => {
    const at = contestants.findIndex((contestant) => contestant.name === other);
    const reference = samples[Math.max(at, 0)] ?? [];
    const own = samples[n] ?? [];
    const of = (pick: (sample: Sample) => number): number => median(own.map(pick));
    const ratios = (pick: (sample: Sample) => number): number[] =>
      own.map((one, round) => pick(one) / pick(reference[round] as Sample));
    const [speed, cost] = [ratios(({ perSecond }) => perSecond), ratios(({ cpuMicros }) => cpuMicros)];
    const speeds = own.map(({ perSecond }) => perSecond);
    return {
      name,
      requests: own.reduce((sum, { requests }) => sum + requests, 0),
      perSecond: of(({ perSecond }) => perSecond),
      p50Ms: of(({ p50Ms }) => p50Ms),
      p99Ms: of(({ p99Ms }) => p99Ms),
      cpuMicros: of(({ cpuMicros }) => cpuMicros),
      busy: of(({ busy }) => busy),
      rssMiB: of(({ rssMiB }) => rssMiB),
      ratio: median(speed),
      cpuRatio: 1 / median(cost),
      p99Ratio: median(ratios(({ p99Ms }) => p99Ms)),
      best: { cpuRatio: cheapest(reference) / cheapest(own) },
      spread: [Math.min(...speeds), Math.max(...speeds)],
    };
  });
}

function cheapest(samples: readonly Sample[]): number {
  return Math.min(...samples.map(({ cpuMicros }) => cpuMicros));
}
