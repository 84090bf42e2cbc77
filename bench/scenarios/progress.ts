import { fastmcp, mcpNest, rookery, rookerySessions, sdkV1, sdkV2 } from '../contestants.js';
import { longerRounds, measure } from '../harness/rounds.js';
import { type Scenario, atLeast, times } from './scenario.js';

export const PROGRESS: Scenario = {
  name: 'progress',
  title: 'tools/call that reports progress 20 times, answered as a stream; compared with SDK v1 in sessions',
  async run(options) {
    // mcp-nest in sessions sends progress to the GET stream of the session, not to that of the call.
    const peers = [sdkV2(), mcpNest('stateless'), fastmcp('session')];
    const contestants = [{ ...sdkV1('session'), isSlow: false }, rookery(), rookerySessions(), ...peers];
    const rows = await measure(contestants, longerRounds(options), { kind: 'stream' });
    return {
      rows,
      goals: [
        atLeast('streaming call, times SDK v1 in sessions', times(rows, 'Rookery', 'SDK v1, session'), 3),
        atLeast('the same in a session', times(rows, 'Rookery, sessions', 'SDK v1, session'), 3),
      ],
    };
  },
};
