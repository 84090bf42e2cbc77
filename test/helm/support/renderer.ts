import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SOURCES = resolve(import.meta.dirname, '../render');
const CACHE = resolve(import.meta.dirname, '../../../node_modules/.cache/rookery-helm');
/** Where Debian puts the sources of Go libraries. */
const LIBRARIES = '/usr/share/gocode';
const PACKAGES = [
  ['golang-github-masterminds-sprig-dev', 'github.com/Masterminds/sprig'],
  ['golang-github-burntsushi-toml-dev', 'github.com/BurntSushi/toml'],
  ['golang-k8s-sigs-yaml-dev', 'sigs.k8s.io/yaml'],
  ['golang-github-gobwas-glob-dev', 'github.com/gobwas/glob'],
] as const;

/** One `helm template`. */
export interface RenderJob {
  /** Values files (-f), as paths from the chart, or absolute. */
  readonly files?: readonly string[];
  /** Values that are merged over the files. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** Assignments, as `--set`: `a.b=1`. */
  readonly set?: readonly string[];
  /** Default `release-name`, as in Helm. */
  readonly release?: string;
  /** Default `default`. */
  readonly namespace?: string;
  /** Whether it is an upgrade and not an installation. Default false. */
  readonly upgrade?: boolean;
  /** Default `v1.31.0`. */
  readonly kubeVersion?: string;
  /** API versions that the cluster serves besides the built-in ones. */
  readonly apiVersions?: readonly string[];
  /** Objects that the cluster has, for `lookup`. Default none, as in `helm template`. */
  readonly cluster?: readonly Readonly<Record<string, unknown>>[];
}

/** What came of a job. Values schemas are not looked at here. */
export interface RenderResult {
  /** What the templates saw; absent if the values could not be read. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** Text by the path of its template; absent after an error. */
  readonly templates?: Readonly<Record<string, string>>;
  readonly notes?: string;
  readonly error?: string;
}

/** Why charts cannot be rendered on this machine; undefined if they can. */
export function missingForRendering(): string | undefined {
  const missing: string[] = PACKAGES.filter(([, path]) => !existsSync(join(LIBRARIES, 'src', path))).map(
    ([name]) => name,
  );
  if (!goVersion()) missing.unshift('golang-go');
  return missing.length > 0 ? `Charts cannot be rendered: install Debian's ${missing.join(', ')}.` : undefined;
}

/**
 * Whether suites that render have to be skipped; says why, once a file.
 * @throws Error if REQUIRE_REDIS is set, which is to say that everything must be there
 */
export function cannotRender(): boolean {
  const problem = missingForRendering();
  if (problem === undefined) return false;
  if (process.env['REQUIRE_REDIS']) throw new Error(`REQUIRE_REDIS is set. ${problem}`);
  process.stderr.write(`${problem} The suite is skipped.\n`);
  return true;
}

/**
 * Renders a chart once for each job, all in one process.
 * @param chart path of its folder
 * @throws Error if the chart cannot be read at all
 */
export async function renderJobs(chart: string, jobs: readonly RenderJob[]): Promise<RenderResult[]> {
  const child = spawn(renderer(), { stdio: ['pipe', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const problems: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => problems.push(chunk));
  child.stdin.end(JSON.stringify({ chart, jobs }));
  const code = await new Promise<number | null>((done, fail) => child.on('error', fail).on('close', done));
  if (code !== 0) throw new Error(Buffer.concat(problems).toString());
  return JSON.parse(Buffer.concat(out).toString()) as RenderResult[];
}

/** The built program, which is kept: it is built again when its sources or Go change. */
function renderer(): string {
  const key = createHash('sha256').update(goVersion() ?? '');
  for (const file of readdirSync(SOURCES).sort()) key.update(readFileSync(join(SOURCES, file)));
  const kept = join(CACHE, `render-${key.digest('hex').slice(0, 16)}`);
  if (existsSync(kept)) return kept;

  mkdirSync(CACHE, { recursive: true });
  const workspace = mkdtempSync(join(tmpdir(), 'rookery-helm-'));
  const partial = join(CACHE, `building-${randomUUID()}`);
  try {
    const { status, stderr } = spawnSync('go', ['build', '-o', partial, '.'], {
      cwd: SOURCES,
      encoding: 'utf8',
      env: {
        ...process.env,
        GO111MODULE: 'off',
        GOFLAGS: '',
        GOPATH: `${workspace}:${LIBRARIES}`,
        GOCACHE: join(workspace, 'cache'),
      },
    });
    if (status !== 0) throw new Error(`The renderer does not build:\n${stderr}`);
    // Several test files may build it at a time; any of the results will do.
    renameSync(partial, kept);
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
  return kept;
}

function goVersion(): string | undefined {
  const { stdout } = spawnSync('go', ['version'], { encoding: 'utf8' });
  return stdout?.startsWith('go version') ? stdout : undefined;
}
