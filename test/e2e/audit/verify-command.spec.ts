import { spawn } from 'node:child_process';
import { type KeyObject, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { AuditTrail } from '../../../src/mcp/audit/audit-trail.js';
import { CALL, SILENT } from '../../support/audit/audit-events.js';
import { MemorySink } from '../../support/audit/memory-sink.js';
import { CompiledServer } from '../../support/compiled-server.js';

let compiled: CompiledServer;
beforeAll(() => void (compiled = new CompiledServer([])));
afterAll(() => compiled[Symbol.dispose]());

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519').publicKey;
const pem = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }));

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in a folder that has these files. */
async function run(args: readonly string[], files: Record<string, string>, stdin = ''): Promise<Run> {
  const cwd = await mkdtemp(join(tmpdir(), 'rookery-verify-'));
  onTestFinished(() => rm(cwd, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, name), content);
  const child = spawn(process.execPath, [compiled.script('src/audit-verify.ts'), ...args], { cwd });
  child.stdin.end(stdin);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await exited, stdout, stderr };
}

/** A start, three calls and an end. */
async function log(): Promise<string[]> {
  const sink = new MemorySink();
  const trail = new AuditTrail({
    sinks: [sink],
    onFailure: 'continue',
    replica: 'r1',
    signingKey: privateKey,
    logger: SILENT,
  });
  await trail.start();
  for (let i = 0; i < 3; i++) void trail.record(CALL);
  await trail.close();
  return sink.lines;
}

const asFile = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

it('exits with 0 when nothing is wrong, over files in their order and stdin', async () => {
  const lines = await log();
  const files = { 'audit.log.1': asFile(lines.slice(0, 2)), 'key.pem': pem(publicKey), 'old.pem': pem(stranger) };
  const args = ['--key', 'old.pem', '--key', 'key.pem', '--ended', 'audit.log.1', '-'];
  expect(await run(args, files, asFile(lines.slice(2)))).toEqual({
    code: 0,
    stdout: '5 entries in 1 chains: 0 problems, 0 warnings; the servers lost 0 operations.\n',
    stderr: '',
  });
});

it('exits with 1 and says file, line and what is wrong', async () => {
  const lines = await log();
  const { chain } = JSON.parse(lines[0]!) as { chain: string };
  const content = asFile(lines.with(1, lines[1]!.replace('ada', 'mal')).toSpliced(3, 1));
  const { code, stdout } = await run(['--key', 'key.pem', 'a.log'], { 'a.log': content, 'key.pem': pem(publicKey) });
  expect(code).toBe(1);
  expect(stdout).toBe(
    `a.log:2: problem: altered: chain ${chain}: entry 1 is not what was written\n` +
      `a.log:4: problem: removed: chain ${chain}: entry 3 is missing before entry 4\n` +
      '4 entries in 1 chains: 2 problems, 0 warnings; the servers lost 0 operations.\n',
  );
});

it('says that a log without a key vouches for itself only', async () => {
  const { code, stdout } = await run(['a.log'], { 'a.log': asFile(await log()) });
  expect(code).toBe(0);
  expect(stdout).toContain('No --key was given: whoever could write the log could also have made it anew.\n');
});

it('exits with 1 for a log of another key, and for a line that nobody signed, also in part', async () => {
  const lines = await log();
  const files = { 'a.log': asFile(lines), 'line.log': asFile(lines.slice(1, 2)), 'other.pem': pem(stranger) };
  const forged = await run(['--partial', '--key', 'other.pem', 'a.log'], files);
  expect([forged.code, forged.stdout]).toEqual([1, expect.stringContaining('a.log:1: problem: untrusted-key: chain ')]);
  const unsigned = await run(['--partial', '--key', 'other.pem', 'line.log'], files);
  expect([unsigned.code, unsigned.stdout]).toEqual([
    1,
    expect.stringContaining('line.log:1: problem: unsigned: chain '),
  ]);
});

it('exits with 1 if the log does not hold what was kept elsewhere', async () => {
  const lines = await log();
  const { chain, hash } = JSON.parse(lines[4]!) as { chain: string; hash: string };
  const anchor = `${chain}:4:${hash}`;
  const files = { 'whole.log': asFile(lines), 'cut.log': asFile(lines.slice(0, 1)) };
  expect((await run([`--expect=${anchor}`, 'whole.log'], files)).code).toBe(0);
  const { code, stdout } = await run([`--expect=${anchor}`, 'cut.log'], files);
  expect(code).toBe(1);
  expect(stdout).toContain(`--expect:1: problem: unmet: ${anchor} is not in the log: it was cut back or replaced`);
});

it.each([
  [[], 'There is no file to verify.'],
  [['--nonsense', 'a.log'], "Unknown option '--nonsense'"],
  [['--expect=x', 'a.log'], 'An entry to expect is <chain>:<seq>:<hash>, as the server logs it when it stops.'],
  [['missing.log'], 'ENOENT: no such file or directory'],
  [['--key', 'a.log', 'a.log'], 'a.log holds no Ed25519 key as PEM. Make one with: openssl pkey'],
])('exits with 2 for %j', async (args, message) => {
  const { code, stderr } = await run(args, { 'a.log': '' });
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

it('exits with 2 for a log without an entry, which proves nothing', async () => {
  const { code, stdout } = await run(['a.log'], { 'a.log': '\n' });
  expect(code).toBe(2);
  expect(stdout).toContain('There is no entry in it.\n');
});

it('says how it is used', async () => {
  const { code, stdout } = await run(['--help'], {});
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: npm run audit:verify -- \[options\] file\.\.\. \| -\n/);
});
