import { RAW_FASTIFY, RAW_HTTP, fastmcp, mcpNest, rookery, sdkV1, sdkV2 } from '../contestants.js';
import type { Contestant } from '../harness/contestant.js';
import { measure } from '../harness/rounds.js';
import { withToken } from '../harness/token.js';
import { type Scenario, atLeast, atMost, rowOf, times } from './scenario.js';

/** The same call, with what an operator may add or leave out. */
export const variants = (): Contestant[] => [
  rookery('Rookery, behind a hook of the application', { env: { OWN_HOOK: '1' } }),
  rookery('Rookery, JWT', withToken()),
  rookery('Rookery, metrics off', { env: { METRICS: '0' } }),
  rookery('Rookery, request log', { env: { LOG_REQUESTS: '1' } }),
  rookery('Rookery, JWT, limits, audit', withToken({ GOVERNED: '1' })),
];

export const CALLS: Scenario = {
  name: 'calls',
  title: 'tools/call, stateless',
  async run(options) {
    const peers = [mcpNest('stateless'), sdkV2(), sdkV1('stateless'), fastmcp('stateless')];
    const rows = await measure([RAW_FASTIFY, RAW_HTTP, rookery(), ...variants(), ...peers], options);
    const [own, withJwt] = [rowOf(rows, 'Rookery'), rowOf(rows, 'Rookery, JWT')];
    return {
      rows,
      goals: [
        atLeast('stateless call, of raw Fastify', own.ratio, 0.85, own.ofStarts.ratio),
        atLeast('stateless call, times mcp-nest', times(rows, 'Rookery', 'mcp-nest, stateless'), 7),
        atLeast('stateless call, times SDK v2', times(rows, 'Rookery', 'SDK v2'), 7),
        atLeast('with JWT, of raw Fastify', withJwt.ratio, 0.7, withJwt.ofStarts.ratio),
        atMost('p99, times that of raw Fastify', own.p99Ratio, 1.5, own.ofStarts.p99Ratio),
      ],
    };
  },
};
