import { readOptions } from './harness/options.js';
import { describeMachine, stayOffServerCore } from './harness/machine.js';
import { Report } from './harness/report.js';
import { firstPort } from './harness/server-process.js';
import { SCENARIOS } from './scenarios/index.js';

/* Measures Rookery beside raw Fastify and its peers: `npm run bench`. bench/README.md says how, and what of it to believe. */

const options = readOptions(process.argv.slice(2));
const unknown = options.only.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  throw new Error(
    `No scenario is called ${unknown.join(', ')}. There are: ${SCENARIOS.map((s) => s.name).join(', ')}.`,
  );
}
stayOffServerCore();
firstPort(options.port);
const report = new Report(describeMachine(), options);
for (const scenario of SCENARIOS) {
  if (options.only.length > 0 && !options.only.includes(scenario.name)) continue;
  report.add(scenario, await scenario.run(options));
}
report.finish();
