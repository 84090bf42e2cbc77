import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { JsonLinesFileSink } from './json-lines-file.sink.js';

const isPosix = process.platform !== 'win32';
const PLACE = { chain: 'c', seq: 0 };

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'rookery-audit-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

function refusalOf(path: string): string {
  try {
    new JsonLinesFileSink({ path });
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}

describe('JsonLinesFileSink, when it is made', () => {
  it('refuses a file whose folder does not exist', async () => {
    const dir = join(await folder(), 'log');
    expect(refusalOf(join(dir, 'audit.log'))).toBe(
      `The audit cannot go to the file ${dir}/audit.log: its folder does not exist. Make the folder ${dir}, or name another file.`,
    );
  });

  it('refuses a file whose folder is a file', async () => {
    const file = join(await folder(), 'log');
    await writeFile(file, '');
    expect(refusalOf(join(file, 'audit.log'))).toBe(
      `The audit cannot go to the file ${file}/audit.log: ENOTDIR. Name a file that this process may make and write, in a folder that exists.`,
    );
  });

  it('refuses a folder', async () => {
    const dir = await folder();
    expect(refusalOf(dir)).toBe(
      `The audit cannot go to the file ${dir}: it is a folder. Name a file in it, such as ${dir}/audit.log.`,
    );
  });

  it.skipIf(!isPosix)('refuses a pipe, and does not wait for its reader', async () => {
    const path = join(await folder(), 'pipe');
    execFileSync('mkfifo', [path]);
    expect(refusalOf(path)).toBe(
      `The audit cannot go to the file ${path}: it is no regular file. Name one, or \`stdout\` for standard output.`,
    );
  });

  it.skipIf(!isPosix)('refuses a device, also behind a link', async () => {
    const link = join(await folder(), 'audit.log');
    await symlink('/dev/null', link);
    for (const path of ['/dev/null', link]) expect(refusalOf(path)).toContain(`${path}: it is no regular file.`);
  });

  it.skipIf(!isPosix)('refuses a folder in which no file can be made', () => {
    // Also root may make none there.
    expect(refusalOf('/proc/self/audit.log')).toMatch(
      /^The audit cannot go to the file \/proc\/self\/audit\.log: E[A-Z]+\. Name a file that this process may make/,
    );
  });

  it('takes a file that is there and leaves it as it is', async () => {
    const path = join(await folder(), 'audit.log');
    await writeFile(path, 'a', { mode: 0o640 });
    expect(refusalOf(path)).toBe('none');
    expect(await readFile(path, 'utf8')).toBe('a');
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  it('makes a file that is not there, for its owner alone', async () => {
    const path = join(await folder(), 'audit.log');
    expect(refusalOf(path)).toBe('none');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});

describe('JsonLinesFileSink, later', () => {
  it('fails while its folder is gone, and writes once it is back', async () => {
    const dir = join(await folder(), 'log');
    await mkdir(dir);
    const sink = new JsonLinesFileSink({ path: join(dir, 'audit.log') });
    await rm(dir, { recursive: true });
    await expect(sink.write(['{}'], PLACE)).rejects.toThrow('ENOENT');
    await mkdir(dir);
    await sink.write(['{}'], PLACE);
    await sink.close();
    expect(await readFile(join(dir, 'audit.log'), 'utf8')).toBe('{}\n');
  });

  it.skipIf(process.platform !== 'linux')('fails while the disk is full', async () => {
    const path = join(await folder(), 'audit.log');
    const sink = new JsonLinesFileSink({ path });
    await rm(path);
    await symlink('/dev/full', path);
    await expect(sink.write(['{}'], PLACE)).rejects.toThrow('ENOSPC');
  });
});
