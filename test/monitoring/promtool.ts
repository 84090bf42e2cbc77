import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { versionOf } from '../support/redis/find-redis-server.js';

/** The rules under test. */
export const RULES_FILE = fileURLToPath(new URL('../../helm/rookery/files/rules.yaml', import.meta.url));

/**
 * Whether promtool, of Debian's prometheus, is there. Suites that need it are skipped without.
 * @throws Error if it is missing where everything must be there (REQUIRE_REDIS)
 */
export function hasPromtool(): boolean {
  if (versionOf('promtool', '--version', /version (\d[^\s,]*)/) !== undefined) return true;
  const advice = "Install Debian's prometheus to run the tests of rules and dashboard.";
  if (process.env['REQUIRE_REDIS']) throw new Error(`REQUIRE_REDIS is set, but there is no promtool. ${advice}`);
  process.stderr.write(`promtool: not installed, some tests are skipped. ${advice}\n`);
  return false;
}

/** Runs promtool. @returns what it complained about; '' if it was content */
export function promtool(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { encoding: 'utf8' });
  if (error) throw error;
  return status === 0 ? '' : `${stdout}${stderr}`;
}

/** Runs promtool on a file that is made for it and gone afterwards. @param content what is written as YAML */
export function promtoolOn(command: 'check' | 'test', content: object): string {
  const dir = mkdtempSync(join(tmpdir(), 'rookery-promtool-'));
  try {
    const file = join(dir, 'file.yaml');
    writeFileSync(file, stringify(content, { lineWidth: 0 }));
    return promtool(command, 'rules', file);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
