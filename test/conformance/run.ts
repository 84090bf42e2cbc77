import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Findings, runConformance } from './runner/conformance-run.js';
import { FixtureServer } from './runner/fixture-server.js';
import { passed, reportRevisions, reportTotals } from './runner/report.js';
import { Suite } from './runner/suite.js';

/**
 * Runs the official conformance suite and fails on whatever is less than a success.
 *
 *   npm run conformance                                        starts the fixture server for it
 *   npm run conformance -- --url http://127.0.0.1:3100/mcp     uses one that is running
 */
const { values: args } = parseArgs({ options: { url: { type: 'string' } } });
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => interrupted.abort(new Error(`Stopped by ${signal}.`)));
}

const findings: Findings = { results: [], later: new Map(), faults: [] };
if (args.url === undefined) await againstOwnServer();
else await against(args.url, interrupted.signal);

const { results, later, faults } = findings;
for (const text of reportRevisions(results, later)) console.log(text);
for (const fault of faults) console.log(`\n${fault}`);
console.log(`\n${reportTotals(results, later)}\n`);
const good = results.filter(passed).length;
const bad = results.length - good + faults.length;
console.log(`${good} passed, ${bad} failed`);
process.exitCode = bad === 0 && good > 0 ? 0 : 1;

async function againstOwnServer(): Promise<void> {
  const server = new FixtureServer();
  try {
    await server.started();
    await against(server.url, AbortSignal.any([interrupted.signal, server.died]));
  } catch (error) {
    findings.faults.push((error as Error).message);
  } finally {
    if (!(await server.stop())) findings.faults.push('The server had to be killed: it did not stop on SIGTERM.');
    if (server.complaints !== '') console.log(`The server printed:\n${server.complaints}`);
  }
}

async function against(url: string, signal: AbortSignal): Promise<void> {
  const resultsDir = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    await runConformance(new Suite(url, resultsDir, signal), findings);
  } catch (error) {
    findings.faults.push((error as Error).message);
  } finally {
    rmSync(resultsDir, { recursive: true, force: true });
  }
}
