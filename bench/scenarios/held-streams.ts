import { setTimeout as delay } from 'node:timers/promises';
import { RAW_HTTP, rookery, sdkV1, sdkV2 } from '../contestants.js';
import type { Contestant } from '../harness/contestant.js';
import { loadOf } from '../harness/load.js';
import type { Options } from '../harness/options.js';
import { runLoad } from '../harness/rounds.js';
import { ServerProcess } from '../harness/server-process.js';
import { median, withRange } from '../harness/statistics.js';
import { type OpenStreams, openGetStreams, openListeners, openPlainStreams } from '../harness/streams.js';
import { type Figure, type Goal, type Scenario, atMost } from './scenario.js';

const SETTLE_MS = 3_000;
const MATCHING = 5;
const PUBLICATIONS = 20;
const URI = 'city://lisbon';

export const HELD_STREAMS: Scenario = {
  name: 'streams',
  title: 'Idle streams: memory of each, above that of the empty process',
  async run(options) {
    const held: readonly [string, Contestant, OpenStreams][] = [
      ['Rookery, GET stream and its session', rookery(), openGetStreams],
      ['Rookery, listener', rookery(), openListeners],
      ['SDK v1, GET stream and its session', sdkV1('session'), openGetStreams],
      ['SDK v2, listener', sdkV2(), openListeners],
      ['raw node:http, stream', RAW_HTTP, openPlainStreams],
    ];
    const figures: Figure[] = [];
    const goals: Goal[] = [];
    for (const [name, contestant, open] of held) {
      const starts: MemoryOfEach[] = [];
      while (starts.length < options.starts) starts.push(await memoryOfEach(contestant, open, options));
      const [rss, heap, opened] = (['rss', 'heap', 'opened'] as const).map((part) => starts.map((one) => one[part]));
      const each = median(rss ?? []);
      figures.push({
        name,
        values: {
          'RSS KiB each': withRange(each, rss),
          'of which heap': median(heap ?? []).toFixed(2),
          'with garbage': median(opened ?? []).toFixed(2),
        },
      });
      if (name.startsWith('Rookery')) goals.push(atMost(`${name}, KiB of RSS`, each, 12, rss));
    }
    return { figures, goals };
  },
};

export const PUBLISH: Scenario = {
  name: 'publish',
  title: `A change that ${MATCHING} of all the streams asked for: event-loop time`,
  async run(options) {
    const figures: Figure[] = [];
    const goals: Goal[] = [];
    for (const [name, open] of [
      ['listeners', openListeners],
      ['GET streams', openGetStreams],
    ] as const) {
      const { busyMs, idleMs } = await publish(open, options);
      figures.push({ name, values: { 'busy ms': busyMs.toFixed(3), 'of which without it': idleMs.toFixed(3) } });
      goals.push(atMost(`publish to ${options.held} ${name}, ms`, busyMs - idleMs, 1));
    }
    return { figures, goals };
  },
};

/** KiB. Streams are the first that a process opens which has worked before. */
interface MemoryOfEach {
  /** With nothing in the process but what is needed, which is how it was looked at when it was empty. */
  readonly rss: number;
  /** The part of it that is JavaScript. The rest is of Node's own sockets and parsers. */
  readonly heap: number;
  /** With the garbage of opening them. */
  readonly opened: number;
}

async function memoryOfEach(contestant: Contestant, open: OpenStreams, options: Options): Promise<MemoryOfEach> {
  const { held, connections } = options;
  const server = await ServerProcess.start({ ...contestant, nodeArgs: ['--expose-gc'] });
  try {
    await runLoad(await loadOf('call', server), 2, connections);
    await server.idle();
    const empty = await server.leastMemory();
    const streams = await open(server, held);
    await server.idle();
    const opened = (await server.usage()).memory;
    const least = await server.leastMemory();
    for (const stream of streams) stream.close();
    const each = (bytes: number, before: number): number => (bytes - before) / held / 1_024;
    return {
      rss: each(least.rss, empty.rss),
      heap: each(least.heapUsed, empty.heapUsed),
      opened: each(opened.rss, empty.rss),
    };
  } finally {
    await server.stop();
  }
}

async function publish(open: OpenStreams, { held }: Options): Promise<{ busyMs: number; idleMs: number }> {
  const server = await ServerProcess.start(rookery());
  try {
    const streams = await open(server, held, (n) => (n < MATCHING ? URI : `city://${n}`));
    await delay(SETTLE_MS);
    const run = (times: number) => server.ask('publish', { uri: URI, times }) as Promise<Published>;
    await run(PUBLICATIONS);
    const { published, idle } = await run(PUBLICATIONS);
    await delay(SETTLE_MS);
    const heard = streams.map(({ updates }) => updates);
    for (const stream of streams) stream.close();
    const [told, untold] = [heard.slice(0, MATCHING), heard.slice(MATCHING)];
    if (told.some((updates) => updates !== 2 * PUBLICATIONS) || untold.some((updates) => updates > 0)) {
      throw new Error(`Some have heard of too little or too much: ${told.join(', ')}; ${Math.max(...untold)}.`);
    }
    return { busyMs: median(published), idleMs: median(idle) };
  } finally {
    await server.stop();
  }
}

interface Published {
  readonly published: number[];
  readonly idle: number[];
}
