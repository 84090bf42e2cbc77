import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Exit } from '../../support/cluster/replica.js';

/** A process that a kubelet started. It goes with this program, however that ends: its script hears of `disconnect`. */
export class Container {
  private output = '';
  private readonly child: ChildProcess;
  /** Resolves when the process has ended. */
  readonly exited: Promise<Exit>;

  constructor(script: string, env: Readonly<Record<string, string>>) {
    const { PATH = '', HOME = '' } = process.env;
    this.child = fork(script, { env: { PATH, HOME, ...env }, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    const kill = (): void => void this.child.kill('SIGKILL');
    process.once('exit', kill);
    this.exited = once(this.child, 'exit').then(([code, signal]) => {
      process.off('exit', kill);
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Everything it has printed. */
  get log(): string {
    return this.output;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}
