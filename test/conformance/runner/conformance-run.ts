import { ENFORCED, EXPECTATIONS, REQUIRED, type Scenario, type Wire, isLater } from './plan.js';
import type { Result } from './report.js';
import { type Suite, type SuiteRun, scenariosOf } from './suite.js';
import { judge } from './verdict.js';

export interface Findings {
  readonly results: Result[];
  /** Scenarios of extensions that are not served yet. */
  readonly later: Map<Wire, readonly string[]>;
  /** What fails the run besides its scenarios. */
  readonly faults: string[];
}

/**
 * Runs what the suite requires of each revision, then what this project holds itself to besides. Adds to the findings
 * as it goes, so that a run that breaks off shows how far it got.
 *
 * @throws Error when the suite was stopped
 */
export async function runConformance(suite: Suite, findings: Findings): Promise<void> {
  for (const [wire, count] of REQUIRED) {
    const { required, reported } = scenariosOf(wire);
    if (required.length !== count) {
      findings.faults.push(`The suite requires ${required.length} scenarios of ${wire}, and ${count} are expected.`);
    }
    const undecided = reported.filter((name) => !isLater(name) && !isEnforced({ name, wire }));
    if (undecided.length > 0) {
      findings.faults.push(`The suite reports scenarios of ${wire} that nobody decided on: ${undecided.join(', ')}.`);
    }
    findings.later.set(wire, reported.filter(isLater));

    const run = await suite.runAll(wire);
    tellIfSilent(wire, run);
    findings.results.push(...required.map((name) => resultOf('required', { name, wire }, run)));
    suite.throwIfStopped();
  }
  for (const scenario of ENFORCED) {
    const run = await suite.runOne(scenario);
    tellIfSilent(`${scenario.name} (${scenario.wire})`, run);
    findings.results.push(resultOf('enforced', scenario, run));
    suite.throwIfStopped();
  }
}

function isEnforced({ name, wire }: Scenario): boolean {
  return ENFORCED.some((scenario) => scenario.name === name && scenario.wire === wire);
}

function resultOf(kind: Result['kind'], { name, wire }: Scenario, { checks }: SuiteRun): Result {
  return { name, wire, kind, verdict: judge(checks.get(name), EXPECTATIONS[name]) };
}

/** Its scenarios fail in any case; this is why. */
function tellIfSilent(what: string, { checks, output }: SuiteRun): void {
  if (checks.size === 0) console.log(`The suite reported nothing of ${what}. It printed:\n${output}`);
}
