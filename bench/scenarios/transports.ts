import { deepStrictEqual } from 'node:assert/strict';
import { RAW_FASTIFY, SDK_V1_SSE, fastmcp, mcpNest, rookery, rookerySessions, sdkV1 } from '../contestants.js';
import { CALLED, argumentsOf, requestOf } from '../harness/load.js';
import { type Client, PostClient, SseClient } from '../harness/node-clients.js';
import { runClients } from '../harness/node-load.js';
import type { Options } from '../harness/options.js';
import { type Row, type Sample, rowsOf, sample, startAll } from '../harness/rounds.js';
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
    const servers = await startAll([SDK_V1_SSE, ...peers, fastmcp('stateless'), ...rookeries, RAW_FASTIFY]);
    try {
      for (const server of servers) await check(server);
      const stay = await rounds(servers, options, false);
      const comeAndGo = await rounds(servers, options, true);
      const say = (rows: readonly Row[], name: string): string =>
        (rowOf(rows, name).perSecond / rowOf(rows, SDK_V1_SSE.name).perSecond).toFixed(1);
      return {
        rows: [...stay, ...comeAndGo.map((row) => ({ ...row, name: `${row.name}; a client a call` }))],
        figures: stay.slice(1).map(({ name }) => ({
          name: `${name}, times HTTP+SSE`,
          values: { 'clients stay': say(stay, name), 'a client a call': say(comeAndGo, name) },
        })),
        goals: [],
      };
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  },
};

async function rounds(servers: readonly ServerProcess[], options: Options, comeAndGo: boolean): Promise<Row[]> {
  const run = (server: ServerProcess, seconds: number) => {
    const clients = Array.from({ length: options.connections }, () => clientOf(server));
    const { body } = requestOf('call', server.contestant);
    return runClients({ body, expected: { contains: CALLED } }, clients, { seconds, comeAndGo });
  };
  for (const server of servers) await run(server, options.warmUpSeconds / 4);
  const samples: Sample[][] = servers.map(() => []);
  for (let round = 0; round < options.rounds; round += 1) {
    for (const [n, server] of servers.entries()) {
      samples[n]?.push(await sample(server, () => run(server, options.seconds)));
    }
  }
  return rowsOf(
    servers.map(({ contestant }) => contestant),
    samples,
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
