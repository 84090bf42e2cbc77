import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** Every server of the project says where it serves, on a line that ends like this, or with the end of a JSON line after it. */
const SERVED_ON = / served on (http[^\s"]+)/;
const START_LIMIT_MS = 30_000;
/** Beyond the grace period of any test. */
const STOP_LIMIT_MS = 45_000;

/** What became of a process. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A compiled server in a process of its own, on a port that is free. */
export class Replica {
  private output = '';
  private readonly death: Promise<Exit>;

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    const killChild = (): void => void child.kill('SIGKILL');
    process.once('exit', killChild);
    this.death = once(child, 'exit').then(([code, signal]) => {
      process.off('exit', killChild);
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  /**
   * Starts a script and resolves once it serves. The script sees the end of this process as the `disconnect` event of
   * its own.
   * @throws Error with what it printed, when it ends first or takes too long
   */
  static async start(script: string, env: NodeJS.ProcessEnv = {}): Promise<Replica> {
    const child = fork(script, {
      env: { ...process.env, PORT: '0', HOST: '127.0.0.1', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const replica = new Replica(child);
    await replica.serves();
    return replica;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** URL of its MCP endpoint. */
  get url(): string {
    return SERVED_ON.exec(this.output)?.[1] ?? '';
  }

  /** Host and port. */
  get address(): string {
    return new URL(this.url).host;
  }

  /** Everything it has printed. */
  get log(): string {
    return this.output;
  }

  /** Resolves when the process has ended, however it did. */
  get exited(): Promise<Exit> {
    return this.death;
  }

  /** True until the process has ended. */
  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Whether it says that requests may be sent to it; one that does not answer in time says no. */
  async ready(): Promise<boolean> {
    try {
      return (await this.health('ready')).status === 200;
    } catch {
      return false;
    }
  }

  /** @throws Error when it does not answer in time */
  health(probe: 'live' | 'ready'): Promise<Response> {
    return fetch(new URL(`/health/${probe}`, this.url), {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(2_000),
    });
  }

  /** Sends SIGTERM, and resolves when it has ended. @throws Error when it had to be killed instead */
  async stop(): Promise<Exit> {
    this.child.kill('SIGTERM');
    const killer = setTimeout(() => this.child.kill('SIGKILL'), STOP_LIMIT_MS);
    const exit = await this.death;
    clearTimeout(killer);
    if (exit.signal === 'SIGKILL')
      throw new Error(`Replica ${this.pid} did not stop on SIGTERM. It said:\n${this.log}`);
    return exit;
  }

  /** Sends SIGKILL, and resolves when it has ended. */
  async kill(): Promise<Exit> {
    this.child.kill('SIGKILL');
    return this.death;
  }

  /** Lets the process stand still (SIGSTOP) until the function returned is called: it is slow, not gone. */
  pause(): () => void {
    this.child.kill('SIGSTOP');
    return () => void this.child.kill('SIGCONT');
  }

  private async serves(): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.child.kill('SIGKILL');
    }, START_LIMIT_MS);
    const { stdout } = this.child;
    try {
      while (this.url === '') {
        const ended = await Promise.race([once(stdout as NodeJS.ReadableStream, 'data'), this.death]);
        if ('code' in ended && this.url === '') {
          const why = late ? `did not serve within ${START_LIMIT_MS} ms` : 'ended';
          throw new Error(`A replica ${why} (${ended.signal ?? `exit code ${ended.code}`}). It said:\n${this.log}`);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
