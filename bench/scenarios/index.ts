import { CALLS } from './calls.js';
import { COLD_STARTS } from './cold-starts.js';
import { FLAT } from './flat.js';
import { HELD_STREAMS, PUBLISH } from './held-streams.js';
import { LISTS } from './lists.js';
import { PROGRESS } from './progress.js';
import type { Scenario } from './scenario.js';
import { SESSIONS } from './sessions.js';
import { TRANSPORTS } from './transports.js';

export const SCENARIOS: readonly Scenario[] = [
  CALLS,
  LISTS,
  SESSIONS,
  PROGRESS,
  TRANSPORTS,
  HELD_STREAMS,
  PUBLISH,
  COLD_STARTS,
  FLAT,
];
