import { checkAnswer } from './check.js';
import type { Contestant } from './contestant.js';
import { type Load, type LoadKind, type LoadResult, loadOf } from './load.js';
import { HAS_WRK } from './machine.js';
import { runNodeLoad } from './node-load.js';
import type { Options } from './options.js';
import { type Row, type Sample, type Turn, rowsOf } from './rows.js';
import { ServerProcess } from './server-process.js';
import { runWrk } from './wrk.js';

/** A server that is slow is measured after so many starts at most, in each third turn, for twice as long. */
const SLOW = { starts: 2, everyTurns: 3, times: 2 } as const;

/** wrk if there is one; what it cannot do, and where there is none, the client of our own. */
export const runLoad: (load: Load, seconds: number, connections: number) => Promise<LoadResult> = HAS_WRK
  ? runWrk
  : runNodeLoad;

type RunFor = (seconds: number) => Promise<LoadResult>;

export interface Course {
  /** Checks a server, and says how it is put under load. */
  readonly ready: (server: ServerProcess) => Promise<RunFor>;
  /** What else is done with a server that is warm, before the first turn. */
  readonly prepare?: ((server: ServerProcess) => Promise<unknown>) | undefined;
}

/** Measures everyone under a load of `kind`, made by wrk if there is one. */
export function measure(
  contestants: readonly Contestant[],
  options: Options,
  { kind = 'call', prepare }: { kind?: LoadKind; prepare?: Course['prepare'] } = {},
): Promise<Row[]> {
  return measureInTurns(contestants, options, {
    async ready(server) {
      const load = await checkedLoad(kind, server);
      return (seconds) => runLoad(load, seconds, options.connections);
    },
    prepare,
  });
}

/**
 * Two processes of the same server differ for as long as they live, since V8 compiles at other moments; and a machine
 * changes within seconds. So everyone is started several times, and after each start everyone has many short turns.
 */
export async function measureInTurns(
  contestants: readonly Contestant[],
  options: Options,
  course: Course,
): Promise<Row[]> {
  const turns: Turn[] = [];
  for (let start = 0; start < options.starts; start += 1) {
    const some = contestants.filter(({ isSlow }) => !isSlow || start < SLOW.starts);
    turns.push(...(await turnsOfStart(start, some, options, course)));
  }
  return rowsOf(contestants, turns);
}

/** For servers all of which are slow: as much time, in fewer and longer rounds. */
export function longerRounds(options: Options): Options {
  return { ...options, rounds: Math.ceil(options.rounds / 2), seconds: options.seconds * 2 };
}

/** Starts everyone, checks everyone, warms everyone up, and then measures them in turns. */
async function turnsOfStart(
  start: number,
  contestants: readonly Contestant[],
  options: Options,
  { ready, prepare }: Course,
): Promise<Turn[]> {
  const { seconds, rounds } = options;
  const servers = await startAll(contestants);
  try {
    const loads: { server: ServerProcess; run: RunFor }[] = [];
    for (const server of servers) loads.push({ server, run: await ready(server) });
    for (const { run } of loads) await warmUp(run, options);
    if (prepare) for (const server of servers) await prepare(server);
    const turns: Turn[] = [];
    while (turns.length < rounds) {
      const samples = new Map<string, Sample>();
      for (const { server, run } of shuffled(loads)) {
        const { name, isSlow } = server.contestant;
        if (isSlow && turns.length % SLOW.everyTurns > 0) continue;
        samples.set(name, await sample(server, () => run(isSlow ? seconds * SLOW.times : seconds)));
      }
      turns.push({ start, samples });
    }
    return turns;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function warmUp(run: RunFor, { warmUpSeconds, warmUpCalls }: Options): Promise<void> {
  let { requests } = await run(warmUpSeconds);
  for (let more = 0; requests < warmUpCalls && more < 2; more += 1) requests += (await run(warmUpSeconds)).requests;
}

async function checkedLoad(kind: LoadKind, server: ServerProcess): Promise<Load> {
  const load = await loadOf(kind, server);
  const message = await checkAnswer(kind, server, load);
  if (kind !== 'list') return load;
  const length = JSON.stringify(message).length - String(message['id']).length;
  return { ...load, expected: { ...load.expected, length } };
}

/** One after the other: they share a core. */
async function startAll(contestants: readonly Contestant[]): Promise<ServerProcess[]> {
  const servers: ServerProcess[] = [];
  try {
    for (const contestant of contestants) servers.push(await ServerProcess.start(contestant));
    return servers;
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  }
}

/** What some work has cost a server. Who is next finds the core free. */
async function sample(server: ServerProcess, work: () => Promise<LoadResult>): Promise<Sample> {
  const before = await server.cpuMicros();
  const result = await work();
  const micros = (await server.cpuMicros()) - before;
  const { memory } = await server.usage();
  await server.idle();
  return {
    ...result,
    cpuMicros: micros / result.requests,
    busy: (micros / 1e6 / result.requests) * result.perSecond,
    rssMiB: memory.rss / 2 ** 20,
  };
}

/** So that nobody always comes after the same one. */
function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map((one) => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}
