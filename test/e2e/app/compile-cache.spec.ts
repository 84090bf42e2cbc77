import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { CompiledServer } from '../../support/compiled-server.js';

/** Node keeps what it compiles from 22 on. */
const [major = 0] = process.versions.node.split('.').map(Number);
/** The machine that runs the tests may be busy. */
const START_MS = 90_000;

let compiled: CompiledServer;
/** Where the compiled server has packages of its own: none, so Node goes on to those of the project. */
let packages: string;
beforeAll(() => {
  compiled = new CompiledServer([]);
  packages = join(compiled.script('src/main.ts'), '../../node_modules');
}, START_MS);
afterEach(() => rmSync(packages, { recursive: true, force: true }));
afterAll(() => compiled[Symbol.dispose]());

/** Starts the platform and stops it, which is what `--try` is for. */
function tryOut(env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiled.script('src/main.ts'), '--try'], {
    env: { PATH: process.env['PATH'], PORT: '0', ...env },
    encoding: 'utf8',
    timeout: START_MS / 2,
  });
  return { status, log: stdout + stderr };
}

/** How many files Node has left for the next start. */
function kept(): number {
  const folder = join(packages, '.cache/rookery');
  return existsSync(folder) ? readdirSync(folder, { recursive: true }).length : 0;
}

it('starts and stops to be tried', { timeout: START_MS }, () => {
  const { status, log } = tryOut();

  expect(log).toMatch(/MCP is served on [^]*Stopping, because of SIGTERM/);
  expect(status).toBe(0);
});

it('says that it cannot start when it is tried', { timeout: START_MS }, () => {
  const { status, log } = tryOut({ MCP_PATH: 'mcp' });

  expect(log).toContain('MCP_PATH: must begin with');
  expect(status).toBe(1);
});

it.skipIf(major < 22)('leaves what was compiled to the next start, unless told not to', { timeout: START_MS }, () => {
  tryOut({ NODE_DISABLE_COMPILE_CACHE: '1' });
  expect(kept()).toBe(0);

  tryOut();
  expect(kept()).toBeGreaterThan(500);
});

it('starts where nothing can be written', { timeout: START_MS }, () => {
  writeFileSync(packages, 'A file, where a folder would have to be.');

  expect(tryOut().status).toBe(0);
});
