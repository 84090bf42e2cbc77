import { mcpNest, rookery, sdkV2 } from '../contestants.js';
import type { Contestant } from '../harness/contestant.js';
import { measure } from '../harness/rounds.js';
import type { ServerProcess } from '../harness/server-process.js';
import { openGetStreams, openListeners } from '../harness/streams.js';
import { type Scenario, atLeast, rowOf } from './scenario.js';

const TOOLS = '1000';

/** The call of every day, in a server that has much else. */
export const FLAT: Scenario = {
  name: 'flat',
  title: 'tools/call, stateless, beside many tools, sessions and streams; compared with 2 tools and nothing else',
  async run(options) {
    const { held } = options;
    const full = new Map<Contestant, (server: ServerProcess) => Promise<unknown>>([
      [rookery(`Rookery, ${held} sessions and GET streams`), (server) => openGetStreams(server, held)],
      [rookery(`Rookery, ${held} listeners`), (server) => openListeners(server, held)],
    ]);
    const many = rookery(`Rookery, ${TOOLS} tools`, { env: { TOOLS } });
    const against = (peer: Contestant): Contestant[] => [
      { ...peer, against: peer.name },
      { ...peer, env: { ...peer.env, TOOLS }, name: `${peer.name}, ${TOOLS} tools`, against: peer.name },
    ];
    const rows = await measure(
      [rookery(), many, ...full.keys(), ...against(sdkV2()), ...against(mcpNest('stateless'))],
      options,
      { prepare: async (server) => full.get(server.contestant)?.(server) },
    );
    return {
      rows,
      goals: [many, ...full.keys()].map(({ name }) => {
        const { cpuRatio, ofStarts } = rowOf(rows, name);
        return atLeast(`${name}: cost of a call, of that with 2 tools`, cpuRatio, 0.95, ofStarts.cpuRatio);
      }),
    };
  },
};
