import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';

/** The folder of the project; this file runs in `dist-bench/harness`. */
export const ROOT = resolve(import.meta.dirname, '../..');
export const BENCH = join(ROOT, 'bench');

/** The Node that servers run on. */
export const NODE = process.env['BENCH_NODE'] ?? process.execPath;

const SERVER_CORE = 0;
const LOAD_CORE = 1;

/** Whether servers and load get a core each. */
export const PINNED = availableParallelism() > 1 && has('taskset', '--version');
export const HAS_WRK = has('wrk', '--version');
export const HAS_REDIS = has('redis-server', '--version');

export function onServerCore(command: string, args: readonly string[]): [string, string[]] {
  return onCore(SERVER_CORE, command, args);
}

export function onLoadCore(command: string, args: readonly string[]): [string, string[]] {
  return onCore(LOAD_CORE, command, args);
}

/** This process makes load too, or waits for who does. */
export function stayOffServerCore(): void {
  if (PINNED) spawnSync('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)]);
}

function onCore(core: number, command: string, args: readonly string[]): [string, string[]] {
  return PINNED ? ['taskset', ['-c', String(core), command, ...args]] : [command, [...args]];
}

function has(command: string, argument: string): boolean {
  return spawnSync(command, [argument]).error === undefined;
}

/** What the figures belong to. */
export function describeMachine(): Record<string, unknown> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release().split('-')[0],
    node: execFileSync(NODE, ['--version'], { encoding: 'utf8' }).trim(),
    pinned: PINNED,
    guestHaltPollNs: guestHaltPollNs(),
    load: HAS_WRK ? (spawnSync('wrk', ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ?? 'wrk') : 'Node.js',
    revision: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' and changes'),
    versions: versions(),
  };
}

/** How long an idle core of a virtual machine looks for work before it is given back, nanoseconds. */
function guestHaltPollNs(): number | 'unknown' {
  try {
    return Number(readFileSync('/sys/module/haltpoll/parameters/guest_halt_poll_ns', 'utf8'));
  } catch {
    return 'unknown';
  }
}

function git(...args: string[]): string {
  const { stdout } = spawnSync('git', ['-c', 'safe.directory=*', ...args], { cwd: ROOT, encoding: 'utf8' });
  return stdout.trim();
}

function versions(): Record<string, string> {
  const read = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package;
  return { rookery: read(ROOT).version, ...read(BENCH).dependencies };
}

interface Package {
  readonly version: string;
  readonly dependencies: Record<string, string>;
}
