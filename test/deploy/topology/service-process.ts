import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/cluster/until.js';

/**
 * Runs a program until its own standard input ends: with the process that started it, however that dies. `$0` is the
 * signal that ends the program; the rest is its command.
 */
const LEASH = '"$@" & echo $! > pid; read -r _; kill -CONT $!; kill -"$0" $!; wait $!';
/** What a program says of itself when it does not start; waiting for it is of no use then. */
const GIVES_UP = /\[emerg\]|did not start|Fatal error/;

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;

export interface ServiceOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** Nothing else is inherited but PATH. Default: nothing. */
  readonly env?: Readonly<Record<string, string>>;
  /** A folder that exists. The service gets one of its own in there, with its log. */
  readonly dir: string;
  /** Default TERM. */
  readonly stopSignal?: 'TERM' | 'KILL' | 'QUIT';
  /** Answers with a status below 500 as soon as the service serves; or says itself whether it does. */
  readonly answers: string | (() => Promise<boolean>);
}

/** What would be a container: a process in a session of its own, so that Ctrl-C reaches it by its leash alone. */
export class ServiceProcess {
  private readonly ended: Promise<unknown>;

  private constructor(
    readonly name: string,
    private readonly leash: ChildProcess,
    private readonly dir: string,
  ) {
    this.ended = once(leash, 'exit');
  }

  /** Starts it and waits until it serves. @throws Error with what it said, when it does not in time */
  static async start({ env = {}, stopSignal = 'TERM', ...options }: ServiceOptions): Promise<ServiceProcess> {
    const dir = join(options.dir, options.name);
    mkdirSync(dir, { recursive: true });
    const log = openSync(join(dir, 'log'), 'a');
    const leash = spawn('sh', ['-c', LEASH, stopSignal, ...options.command], {
      cwd: dir,
      detached: true,
      env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`, ...env },
      stdio: ['pipe', log, log],
    });
    closeSync(log);
    const service = new ServiceProcess(options.name, leash, dir);
    const { answers } = options;
    const serves = typeof answers === 'string' ? () => serving(answers) : answers;
    try {
      const begun = async (): Promise<boolean> => {
        if (await serves()) return true;
        if (GIVES_UP.test(service.log)) throw new Error(`${options.name} gives up.`);
        return false;
      };
      await until(`${options.name} serves`, begun, { withinMs: START_LIMIT_MS, everyMs: 50 });
      return service;
    } catch (cause) {
      await service.stop();
      throw new Error(`${options.name} does not start. It said:\n${service.log}`, { cause });
    }
  }

  get pid(): number {
    return Number(readFileSync(join(this.dir, 'pid'), 'utf8'));
  }

  /** Everything it has printed. */
  get log(): string {
    return readFileSync(join(this.dir, 'log'), 'utf8');
  }

  /** Lets the process stand still (SIGSTOP) until the function returned is called. */
  stall(): () => void {
    const { pid } = this;
    process.kill(pid, 'SIGSTOP');
    return () => void process.kill(pid, 'SIGCONT');
  }

  /** Ends it, and resolves when it is gone. */
  async stop(): Promise<void> {
    this.leash.stdin?.destroy();
    const killer = setTimeout(() => {
      process.kill(this.pid, 'SIGKILL');
      this.leash.kill('SIGKILL');
    }, STOP_LIMIT_MS);
    if (this.leash.exitCode === null && this.leash.signalCode === null) await this.ended;
    clearTimeout(killer);
  }
}

async function serving(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return status < 500;
  } catch {
    return false;
  }
}
