import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { ServerProcess } from '../../support/redis/server-process.js';

/** Path of a program; undefined where there is none. Debian keeps servers where only root looks. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const path = folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
  if (path === undefined && process.env['REQUIRE_REDIS']) throw new Error(`REQUIRE_REDIS is set: install ${name}.`);
  if (path === undefined) process.stderr.write(`${name}: not installed, its tests are skipped.\n`);
  return path;
}

/** Name of the user that runs this. */
export const USER = userInfo().username;
/** Name of the first group of that user. */
export const GROUP = spawnSync('id', ['-gn'], { encoding: 'utf8' }).stdout.trim();

/** A proxy in a process of its own, with a directory of its own. */
export class ProxyProcess implements AsyncDisposable {
  private constructor(
    private readonly server: ServerProcess,
    readonly dir: string,
    /** Where clients are to go; no path. */
    readonly url: string,
  ) {}

  /**
   * Starts a proxy and waits until its port answers anything at all.
   * @param prepare writes the configuration into a directory that is empty, and says what to run there
   */
  static async start(port: number, prepare: (dir: string) => Promise<readonly string[]>): Promise<ProxyProcess> {
    const dir = await mkdtemp(join(tmpdir(), 'rookery-proxy-'));
    const url = `http://127.0.0.1:${port}`;
    const answers = async (): Promise<boolean> => (await fetch(`${url}/health`)).status === 404;
    return new ProxyProcess(await ServerProcess.start(await prepare(dir), dir, answers), dir, url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.kill('SIGTERM');
    await rm(this.dir, { recursive: true, force: true });
  }
}
