import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../free-port.js';
import { nginxConfig } from './nginx-config.js';
import { until } from './until.js';

/** Ends nginx when the end of its standard input comes: with this process, however that dies. */
const LEASH = '"$@" & read -r _; kill -TERM $!; wait $!';

/** Path of the nginx binary; undefined where there is none. Debian keeps it where only root looks. */
export function findNginx(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, 'nginx')).find((path) => existsSync(path));
}

/**
 * A real nginx before some replicas. It picks one at random for each request, with no stickiness of any kind, and
 * passes a request on to another one only when it is certain that nothing has been done; see `nginx-config.ts`.
 */
export class Balancer implements AsyncDisposable {
  private generation = 0;
  private changing: Promise<void> = Promise.resolve();
  private readonly ended: Promise<unknown>;

  private constructor(
    private readonly dir: string,
    private readonly port: number,
    private readonly nginx: ChildProcess,
  ) {
    this.ended = once(nginx, 'exit');
  }

  /**
   * @param replicas addresses (host and port)
   * @throws Error when nginx is not installed or does not start
   */
  static async start(replicas: readonly string[] = []): Promise<Balancer> {
    const binary = findNginx();
    if (binary === undefined) throw new Error('nginx is not installed. On Debian: apt-get install nginx-light.');
    const dir = mkdtempSync(join(tmpdir(), 'rookery-nginx-'));
    const port = await freePort();
    writeFileSync(join(dir, 'nginx.conf'), nginxConfig({ port, replicas, generation: 0 }));
    const args = [binary, '-p', dir, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;'];
    const nginx = spawn('sh', ['-c', LEASH, 'sh', ...args], { stdio: ['pipe', 'ignore', 'inherit'] });
    const balancer = new Balancer(dir, port, nginx);
    try {
      await until('nginx serves', () => balancer.serves(0));
    } catch (cause) {
      const { log } = balancer;
      await balancer.close();
      throw new Error(`nginx did not start. It said:\n${log}`, { cause });
    }
    return balancer;
  }

  /** Where clients are to go; no path. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What it has logged: its processes, and requests that could not be passed on. */
  get log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  /**
   * Sends requests to these replicas from now on. Resolves when no request that comes can get to another one any more;
   * those that are under way go on where they are.
   */
  setReplicas(replicas: readonly string[]): Promise<void> {
    this.changing = this.changing.then(() => this.reload(replicas));
    return this.changing;
  }

  async close(): Promise<void> {
    this.nginx.stdin?.end();
    await this.ended;
    rmSync(this.dir, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async reload(replicas: readonly string[]): Promise<void> {
    const generation = (this.generation += 1);
    const before = this.acceptingWorkers();
    writeFileSync(join(this.dir, 'nginx.conf'), nginxConfig({ port: this.port, replicas, generation }));
    // What `nginx -s reload` does, without another process.
    process.kill(Number(readFileSync(join(this.dir, 'nginx.pid'), 'utf8')), 'SIGHUP');
    await until('nginx has taken up its configuration', () => this.serves(generation));
    // The workers of the former configuration accept connections for a moment longer.
    await until('the former workers accept nothing', () => {
      const accepting = this.acceptingWorkers();
      return accepting.length > 0 && !accepting.some((pid) => before.includes(pid));
    });
  }

  private async serves(generation: number): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/-/generation`, { signal: AbortSignal.timeout(1_000) });
      return (await response.text()) === String(generation);
    } catch {
      return false;
    }
  }

  private acceptingWorkers(): string[] {
    const { log } = this;
    const pids = (pattern: RegExp): string[] => [...log.matchAll(pattern)].map(([, pid]) => pid as string);
    const closing = pids(/ (\d+)#\d+: gracefully shutting down/g);
    return pids(/start worker process (\d+)/g).filter((pid) => !closing.includes(pid));
  }

  private get logFile(): string {
    return join(this.dir, 'error.log');
  }
}
