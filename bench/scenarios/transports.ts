import { deepStrictEqual } from 'node:assert/strict';
import { RAW_FASTIFY, SDK_V1_SSE, fastmcp, mcpNest, rookery, rookerySessions, sdkV1 } from '../contestants.js';
import type { Contestant } from '../harness/contestant.js';
import { CALLED, argumentsOf, requestOf } from '../harness/load.js';
import { type Client, PostClient, SseClient } from '../harness/node-clients.js';
import { runClients } from '../harness/node-load.js';
import type { Options } from '../harness/options.js';
import { measureInTurns } from '../harness/rounds.js';
import type { Row } from '../harness/rows.js';
import type { ServerProcess } from '../harness/server-process.js';
import type { Json } from '../harness/wire.js';
import { type Scenario, rowOf } from './scenario.js';

/** The deprecated transport of 2024-11-05 under the load that its successors get, by one client for all of them. */
export const TRANSPORTS: Scenario = {
  name: 'transports',
  title: 'HTTP+SSE of 2024-11-05 and what replaced it; all by the Node.js client, compared with HTTP+SSE',
  async run(options) {
    const peers = [sdkV1('session'), sdkV1('stateless'), mcpNest('stateless')];
    const rookeries = [rookerySessions(), rookery()];
    const contestants = [SDK_V1_SSE, ...peers, fastmcp('stateless'), ...rookeries, RAW_FASTIFY];
    const stay = await measureClients(contestants, options, false);
    const comeAndGo = await measureClients(contestants, options, true);
    const say = (rows: readonly Row[], name: string): string => rowOf(rows, name).ratio.toFixed(1);
    return {
      rows: [...stay, ...comeAndGo.map((row) => ({ ...row, name: `${row.name}; a client a call` }))],
      figures: stay.slice(1).map(({ name }) => ({
        name: `${name}, times HTTP+SSE`,
        values: { 'clients stay': say(stay, name), 'a client a call': say(comeAndGo, name) },
      })),
      goals: [],
    };
  },
};

/** Fewer starts and rounds than elsewhere: there is no goal, and what is compared lies far apart. */
function measureClients(contestants: readonly Contestant[], options: Options, comeAndGo: boolean): Promise<Row[]> {
  const { starts, rounds, warmUpSeconds } = options;
  const fewer = { starts: Math.min(starts, 2), rounds: Math.ceil(rounds / 2), warmUpSeconds: warmUpSeconds / 2 };
  return measureInTurns(
    contestants.map((contestant) => ({ ...contestant, isSlow: false })),
    { ...options, ...fewer },
    {
      async ready(server) {
        await check(server);
        const { body } = requestOf('call', server.contestant);
        return (seconds) => {
          const clients = Array.from({ length: options.connections }, () => clientOf(server));
          return runClients({ body, expected: { contains: CALLED } }, clients, { seconds, comeAndGo });
        };
      },
    },
  );
}

function clientOf({ url, contestant }: ServerProcess): Client {
  if (contestant.wire === 'sse') return new SseClient(url);
  return new PostClient(url, requestOf('call', contestant).headers, contestant.wire === 'session' ? 'own' : 'none');
}

async function check(server: ServerProcess): Promise<void> {
  const client = clientOf(server);
  await client.open();
  const { body } = requestOf('call', server.contestant);
  const answer = await client.call(body.replace('%ID%', '1').replaceAll('%DAYS%', '3'));
  client.close();
  const { result } = JSON.parse(answer.slice(answer.indexOf('{'))) as { result: Json };
  deepStrictEqual(result['structuredContent'], { ...argumentsOf(3), summary: '3 days in Lisbon' });
}
