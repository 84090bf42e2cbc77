import { RAW_FASTIFY, fastmcp, mcpNest, rookery, sdkV1, sdkV2 } from '../contestants.js';
import type { Contestant } from '../harness/contestant.js';
import { checkAnswer } from '../harness/check.js';
import { loadOf } from '../harness/load.js';
import { measure } from '../harness/rounds.js';
import { scratchFile } from '../harness/scratch.js';
import { ServerProcess } from '../harness/server-process.js';
import { type Scenario, atLeast, atMost, rowOf } from './scenario.js';

const COUNTS = [2, 100] as const;

export const LISTS: Scenario = {
  name: 'lists',
  title: 'tools/list of 2 and of 100 tools, beside Fastify that sends the same bytes',
  async run(options) {
    const bytes = new Map<number, number>();
    const contestants: Contestant[] = [];
    for (const count of COUNTS) {
      const TOOLS = String(count);
      const list = await listOf(rookery('Rookery', { env: { TOOLS } }));
      bytes.set(count, list.length);
      const LIST_FILE = scratchFile('list.json', list);
      const against = `raw Fastify, ${count}`;
      contestants.push({ ...RAW_FASTIFY, name: against, against, env: { LIST_FILE } });
      contestants.push(rookery(`Rookery, ${count}`, { env: { TOOLS }, against }));
    }
    const against = 'raw Fastify, 100';
    const peers = [mcpNest, sdkV1, fastmcp].map((peer) => peer('stateless', { TOOLS: '100' }));
    for (const peer of [...peers, sdkV2({ TOOLS: '100' })]) {
      contestants.push({ ...peer, name: `${peer.name}, 100`, against });
    }
    const rows = await measure(contestants, options, { kind: 'list' });
    const perByte = (count: number): number => rowOf(rows, `Rookery, ${count}`).cpuMicros / (bytes.get(count) ?? NaN);
    return {
      rows,
      figures: COUNTS.map((count) => ({
        name: `${count} tools`,
        values: { bytes: bytes.get(count) ?? 0, 'CPU ns per byte': (perByte(count) * 1_000).toFixed(2) },
      })),
      goals: [
        ...COUNTS.map((count) => {
          const { ratio, ofStarts } = rowOf(rows, `Rookery, ${count}`);
          return atLeast(`tools/list of ${count}, of Fastify with the same bytes`, ratio, 0.8, ofStarts.ratio);
        }),
        atMost('time per byte of 100 tools, times that of 2', perByte(100) / perByte(2), 1.3),
      ],
    };
  },
};

/** The bytes of an answer, with `%ID%` where the number of the request goes. */
async function listOf(contestant: Contestant): Promise<string> {
  const server = await ServerProcess.start(contestant);
  try {
    const message = await checkAnswer('list', server, await loadOf('list', server));
    return JSON.stringify({ ...message, id: '%ID%' }).replace('"%ID%"', '%ID%');
  } finally {
    await server.stop();
  }
}
