import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RAW_FASTIFY, rookery, rookerySessions } from './contestants.js';
import { allocatedPerCall } from './harness/allocation.js';
import { BENCH, stayOffServerCore } from './harness/machine.js';
import { readOptions } from './harness/options.js';
import { measure } from './harness/rounds.js';
import { firstPort } from './harness/server-process.js';
import { asText, goalCells, rowCells } from './harness/tables.js';
import { type Goal, atLeast, atMost, rowOf } from './scenarios/scenario.js';

/*
 * Fails when calls have become dear: `npm run bench:guard`. CPU is a ratio to that of raw Fastify in the same run, of the
 * cheapest rounds of several starts: what else a machine does makes rounds dearer, never cheaper. Memory allocated by a
 * call does not depend on the machine. bench/guard.json says what they may be. With `--self-test` Rookery is slowed down on
 * purpose, and the guard fails unless it has noticed.
 */

type Limits = Readonly<Record<'stateless' | 'session', number>>;
interface Thresholds {
  readonly cpuRatio: Limits;
  readonly allocatedBytes: Limits;
}

const SELF_TEST = process.argv.includes('--self-test');
const env = SELF_TEST ? { WASTE: '1' } : {};
const thresholds = JSON.parse(readFileSync(join(BENCH, 'guard.json'), 'utf8')) as Thresholds;
const given = process.argv.slice(2).filter((argument) => argument !== '--self-test');
const options = {
  ...readOptions(['--port', '4280', ...given]),
  starts: 3,
  rounds: 3,
  warmUpSeconds: 2,
  warmUpCalls: 20_000,
};

stayOffServerCore();
firstPort(options.port);
const contestants = { stateless: rookery('stateless', { env }), session: rookerySessions('session', { env }) };
const rows = await measure([RAW_FASTIFY, contestants.stateless, contestants.session], options);
const goals: Goal[] = [];
for (const kind of ['stateless', 'session'] as const) {
  const { best } = rowOf(rows, kind);
  const bytes = await allocatedPerCall(contestants[kind]);
  goals.push(
    atLeast(`${kind}: CPU of a call of raw Fastify, as a part of its own`, best.cpuRatio, thresholds.cpuRatio[kind]),
    atMost(`${kind}: bytes allocated by a call`, bytes, thresholds.allocatedBytes[kind]),
  );
}
console.log(`${asText(rows.map(rowCells))}\n`);
console.log(asText(goals.map(goalCells)));
const missed = goals.filter(({ met }) => !met).length;
if (SELF_TEST) {
  console.log(missed === goals.length ? 'The guard notices.' : 'THE GUARD DOES NOT NOTICE.');
  process.exit(missed === goals.length ? 0 : 1);
}
process.exit(missed === 0 ? 0 : 1);
