import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('../server.js', import.meta.url));
const START_LIMIT_MS = 30_000;
/** A server that streams are open on has to end them, and then itself, within this time. */
const STOP_LIMIT_MS = 10_000;
const READY = /^Conformance fixtures are served on (\S+)$/m;

/** The fixture server, as a process of its own on a port that is free. */
export class FixtureServer {
  private readonly child: ChildProcess;
  private readonly death = new AbortController();
  private output = '';
  private stopping = false;

  constructor() {
    const env = { ...process.env, PORT: '0', HOST: '127.0.0.1' };
    this.child = fork(SERVER, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.child.once('exit', (code, signal) => {
      if (!this.stopping) this.death.abort(new Error(`The server died (${signal ?? `exit code ${code}`}).`));
    });
  }

  /** Resolves once it serves. @throws Error when it dies first, or takes too long */
  async started(): Promise<void> {
    const late = AbortSignal.timeout(START_LIMIT_MS);
    const given = AbortSignal.any([this.died, late]);
    while (this.url === '') {
      await once(this.child.stdout as NodeJS.ReadableStream, 'data', { signal: given }).catch(() => {
        throw late.aborted ? new Error(`The server did not start in ${START_LIMIT_MS} ms.`) : this.died.reason;
      });
    }
  }

  /** URL of its MCP endpoint. */
  get url(): string {
    return READY.exec(this.output)?.[1] ?? '';
  }

  /** What it printed besides that it is ready. */
  get complaints(): string {
    return this.output.replace(READY, '').trim();
  }

  /** Aborts when the server ends before it is told to. */
  get died(): AbortSignal {
    return this.death.signal;
  }

  /** Stops it in good order, or else kills it. @returns false if it had to be killed */
  async stop(): Promise<boolean> {
    this.stopping = true;
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return true;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await exited;
    clearTimeout(killer);
    return child.signalCode !== 'SIGKILL';
  }
}
