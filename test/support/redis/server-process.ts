import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A server in a process of its own, with a directory of its own. It goes when the process that started it goes, however
 * that ends: a shell beside it waits for the end of its input, which only that process holds open.
 */
export class ServerProcess {
  readonly dir: string;
  readonly #child: ChildProcess;
  readonly #guard: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(child: ChildProcess, dir: string) {
    this.#child = child;
    this.dir = dir;
    const script = 'cat >/dev/null; kill -9 "$0"; rm -rf "$1"';
    this.#guard = spawn('sh', ['-c', script, String(child.pid), dir], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // Ctrl-C reaches the whole group, and must not take the guard away first.
      detached: true,
    });
    // Nothing here keeps this process alive.
    child.unref();
    this.#guard.unref();
    (this.#guard.stdin as Socket).unref();
    // The number may soon be another process's.
    this.#exited = once(child, 'exit').then(() => this.#guard.kill('SIGKILL'));
  }

  /** Starts a program in its directory and waits until it answers. */
  static async start(command: readonly string[], dir: string, answers: () => Promise<boolean>): Promise<ServerProcess> {
    const [binary = '', ...args] = command;
    const log = openSync(join(dir, 'log'), 'a');
    const child = spawn(binary, args, { cwd: dir, stdio: ['ignore', log, log] });
    closeSync(log);
    await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error as Error))]);
    const server = new ServerProcess(child, dir);
    try {
      await until(answers, `an answer of ${binary}`, () => server.#checkRunning());
      return server;
    } catch (error) {
      await server.kill('SIGKILL');
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves once the process is gone; at once for a signal that it survives. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.running) return;
    this.#child.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await this.#exited;
  }

  #checkRunning(): void {
    if (!this.running) throw new Error(`The server has ended:\n${readFileSync(join(this.dir, 'log'), 'utf8')}`);
  }
}

export function makeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'rookery-redis-'));
}

export function removeDirectory(dir: string): Promise<void> {
  return rm(dir, { recursive: true, force: true });
}

const WAIT_MS = 15_000;

/** Waits for a condition; one that throws is not met yet. */
export async function until(
  condition: () => Promise<boolean>,
  what: string,
  check: () => void = () => undefined,
): Promise<void> {
  const giveUp = performance.now() + WAIT_MS;
  let last: unknown;
  while (performance.now() < giveUp) {
    check();
    const met = await condition().catch((error: unknown) => void (last = error));
    if (met) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Waited in vain for ${what}.`, { cause: last });
}
