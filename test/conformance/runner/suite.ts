import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Scenario, Wire } from './plan.js';
import type { Check } from './verdict.js';

/** Milliseconds the suite may take for one run; its scenarios have limits of their own. */
const RUN_LIMIT_MS = 240_000;

const HOME = dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'));
// The suite imports a function that `fs` has since Node 22, for commands that are not used here.
const NODE_20_HOOK = ['--import', new URL('./add-glob-sync.js', import.meta.url).href];

export interface SuiteRun {
  /** By name of the scenario. */
  readonly checks: ReadonlyMap<string, readonly Check[]>;
  /** What the suite printed. */
  readonly output: string;
}

/** The scenarios of a revision that the suite requires of a server, and those it only reports. */
export function scenariosOf(wire: Wire): {
  readonly required: readonly string[];
  readonly reported: readonly string[];
} {
  const list = readFileSync(join(HOME, 'requirements', `${wire}.yaml`), 'utf8');
  const server = list.slice(list.indexOf('\nserver:'), list.indexOf('\nclient:'));
  const names = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name as string);
  return {
    required: names(server, /^ {2}- (\S+)$/gm),
    reported: names(list, /^ {2}- scenario: (\S+)\n {4}leg: server$/gm),
  };
}

/** The official suite, run against one server. */
export class Suite {
  private runs = 0;

  /**
   * @param url of the MCP endpoint
   * @param resultsDir empty folder for the reports
   * @param signal ends a run that is under way
   */
  constructor(
    private readonly url: string,
    private readonly resultsDir: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Everything that the suite lists for a revision, scored or not. */
  runAll(wire: Wire): Promise<SuiteRun> {
    return this.run(['--requirements', wire]);
  }

  runOne({ name, wire }: Scenario): Promise<SuiteRun> {
    return this.run(['--scenario', name, '--spec-version', wire]);
  }

  /** @throws the reason why it was told to stop */
  throwIfStopped(): void {
    this.signal.throwIfAborted();
  }

  private async run(args: readonly string[]): Promise<SuiteRun> {
    const dir = join(this.resultsDir, String(++this.runs));
    const hook = Number.parseInt(process.versions.node) < 22 ? NODE_20_HOOK : [];
    const suite = [...hook, join(HOME, 'dist/index.js'), 'server', '--url', this.url, '-o', dir, ...args];
    const output = await new Promise<string>((resolve) => {
      const limits = { timeout: RUN_LIMIT_MS, maxBuffer: 2 ** 28, signal: this.signal };
      // Its exit code says less than its reports.
      execFile(process.execPath, suite, limits, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
    return { checks: readReports(dir), output };
  }
}

/** Folders are called `server-<scenario>-<time>`; one without a readable report counts as no report. */
function readReports(dir: string): Map<string, readonly Check[]> {
  const reports = new Map<string, readonly Check[]>();
  if (!existsSync(dir)) return reports;
  for (const folder of readdirSync(dir)) {
    const name = /^server-(.+)-\d{4}-\d{2}-\d{2}T[\dTZ:.-]+$/.exec(folder)?.[1];
    const file = join(dir, folder, 'checks.json');
    if (name && existsSync(file)) reports.set(name, JSON.parse(readFileSync(file, 'utf8')) as Check[]);
  }
  return reports;
}
