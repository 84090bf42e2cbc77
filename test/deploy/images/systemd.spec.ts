import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONFIG_SCHEMA, readConfig } from '../../../src/app/config.js';

const FOLDER = resolve(import.meta.dirname, '../../../deploy/systemd');
const ONE = 'rookery.service';
const SEVERAL = 'rookery@.service';
const settings = (file: string) =>
  readFileSync(join(FOLDER, file), 'utf8')
    .split('\n')
    .filter((line) => /^[A-Z]\w*=/.test(line));

/** Settings that are commented out. */
const PROPOSED = /^#([A-Z]\w*=)/gm;

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasSystemd && process.env['REQUIRE_REDIS']) throw new Error('REQUIRE_REDIS is set: install systemd.');
if (!hasSystemd) process.stderr.write('systemd-analyze: not installed, its tests are skipped.\n');

describe('the systemd units', () => {
  it('are the same but for what a number makes different', () => {
    const different = (file: string) => settings(file).filter((line) => !/^(Description|Environment)=/.test(line));

    expect(different(SEVERAL)).toEqual(different(ONE));
  });

  it.each([ONE, SEVERAL])('%s gives what the platform reads, and time for what a stop waits for', (file) => {
    const pairs = settings(file)
      .filter((line) => line.startsWith('Environment='))
      .flatMap((line) => line.slice('Environment='.length).replaceAll('%i', '1').split(' '))
      .map((pair) => pair.split('=') as [string, string]);
    const config = readConfig(Object.fromEntries(pairs));
    const stop = settings(file).find((line) => line.startsWith('TimeoutStopSec='));

    expect(pairs.filter(([name]) => name !== 'NODE_ENV' && !(name in CONFIG_SCHEMA.shape))).toEqual([]);
    expect(config.MCP_DRAIN_GRACE_MS).toBeGreaterThanOrEqual(config.MCP_CALL_TIMEOUT_MS);
    expect(Number(stop?.split('=')[1]) * 1000).toBeGreaterThanOrEqual(config.MCP_DRAIN_GRACE_MS + 5_000);
  });

  it.each([ONE, SEVERAL])('%s shows how the replica reads a file that is of root', (file) => {
    const text = readFileSync(join(FOLDER, file), 'utf8').replace(PROPOSED, '$1');
    const [, credential] = /^LoadCredential=([^:]+):\/etc\/rookery\//m.exec(text) ?? [];
    const [, variable = '', path] = /^Environment=(\w+)=%d\/(.+)$/m.exec(text) ?? [];

    expect(path).toBe(credential);
    expect(Object.keys(CONFIG_SCHEMA.shape)).toContain(variable);
  });

  it.skipIf(!hasSystemd).each([
    [ONE, ONE],
    [SEVERAL, 'rookery@1.service'],
  ])('%s is one that systemd accepts, with what it proposes too, and exposes little', (file, name) => {
    const dir = mkdtempSync(join(tmpdir(), 'rookery-systemd-'));
    const unit = join(dir, name);
    // There may be no Node where the unit expects it, and systemd looks.
    writeFileSync(unit, readFileSync(join(FOLDER, file), 'utf8').replace(PROPOSED, '$1'));
    const verify = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
    const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit], {
      encoding: 'utf8',
    });
    rmSync(dir, { recursive: true });

    expect(verify.stderr.replace(/^.*Command \/usr\/bin\/node is not executable.*\n/m, '')).toBe('');
    expect(security.stderr).toBe('');
    expect(security.status).toBe(0);
  });
});
