import { RAW_FASTIFY, fastmcp, mcpNest, rookerySessions, sdkV1 } from '../contestants.js';
import { CALLED, requestOf } from '../harness/load.js';
import { HAS_REDIS } from '../harness/machine.js';
import { PostClient } from '../harness/node-clients.js';
import { RedisProcess } from '../harness/redis-process.js';
import { measure } from '../harness/rounds.js';
import { ServerProcess } from '../harness/server-process.js';
import { type Figure, type Scenario, atLeast, atMost, rowOf, times } from './scenario.js';

const SEQUENTIAL_CALLS = 300;

export const SESSIONS: Scenario = {
  name: 'sessions',
  title: 'tools/call in sessions, answered in JSON',
  async run(options) {
    const redis = HAS_REDIS ? await RedisProcess.start() : undefined;
    try {
      const onRedis = redis && rookerySessions('Rookery, Redis', { env: { REDIS_URL: redis.url } });
      const peers = [mcpNest('session-json'), sdkV1('session-json'), sdkV1('session'), fastmcp('session-json')];
      const rows = await measure(
        [RAW_FASTIFY, rookerySessions('Rookery, memory'), ...(onRedis ? [onRedis] : []), ...peers],
        options,
      );
      const inMemory = rowOf(rows, 'Rookery, memory');
      const goals = [atLeast('session call on memory, of raw Fastify', inMemory.ratio, 0.8, inMemory.ofStarts.ratio)];
      if (!redis || !onRedis) return { rows, goals };
      const { reads, figure } = await trips(redis, onRedis);
      const { ratio, ofStarts } = rowOf(rows, 'Rookery, Redis');
      return {
        rows,
        figures: [figure],
        goals: [
          ...goals,
          atLeast('session call on Redis, of raw Fastify', ratio, 0.45, ofStarts.ratio),
          atMost('session call on Redis, round trips', reads, 2),
          atLeast('session call on Redis, times mcp-nest', times(rows, 'Rookery, Redis', 'mcp-nest, session-json'), 3),
        ],
      };
    } finally {
      await redis?.stop();
    }
  },
};

/** Calls one after the other: each time that Redis reads is a round trip then, however many commands it brings. */
async function trips(redis: RedisProcess, contestant: Parameters<typeof ServerProcess.start>[0]) {
  const server = await ServerProcess.start(contestant);
  try {
    const { headers, body } = requestOf('call', contestant);
    const client = new PostClient(server.url, headers, 'own');
    await client.open();
    const call = async (id: number): Promise<void> => {
      const answer = await client.call(body.replace('%ID%', String(id)).replaceAll('%DAYS%', '3'));
      if (!answer.includes(CALLED.replaceAll('%DAYS%', '3'))) throw new Error(`A wrong answer: ${answer}`);
    };
    await call(0);
    const [before, commandsBefore] = [await redis.reads(), await redis.commands()];
    for (let id = 1; id <= SEQUENTIAL_CALLS; id += 1) await call(id);
    const [commands, after] = [await redis.commands(), await redis.reads()];
    client.close();
    const each = [...commands]
      .map(([name, calls]) => [name, (calls - (commandsBefore.get(name) ?? 0)) / SEQUENTIAL_CALLS] as const)
      .filter(([name, calls]) => calls >= 0.1 && name !== 'info');
    // The questions themselves were read, too: that of the commands twice, and the last one.
    const reads = (after - before - 3) / SEQUENTIAL_CALLS;
    const values = Object.fromEntries(each.map(([name, calls]) => [name, calls.toFixed(2)]));
    const figure: Figure = { name: 'Redis, per call', values: { 'round trips': reads.toFixed(2), ...values } };
    return { reads, figure };
  } finally {
    await server.stop();
  }
}
