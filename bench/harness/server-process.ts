import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Contestant } from './contestant.js';
import { BENCH, NODE, ROOT, onServerCore } from './machine.js';

export interface Usage {
  /** Microseconds. */
  readonly cpu: { readonly user: number; readonly system: number };
  readonly memory: { readonly rss: number; readonly heapUsed: number };
  readonly collections: number;
}

interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

const START_MS = 60_000;
const STOP_MS = 5_000;
/** A server is idle when it was at work for less than a twentieth of so long. */
const LOOK_MS = 20;
const IDLE_WITHIN_MS = 3_000;
/** Memory is given back until less than so many bytes came of it. */
const RELEASED = 512 * 1_024;
const RELEASES = 10;
const RELEASE_MS = 500;

let nextPort: number | undefined;

/** Servers get ports one after the other from here on. */
export function firstPort(port: number): void {
  nextPort = port;
}

export function takePort(): number {
  nextPort = (nextPort ?? 4200) + 1;
  return nextPort - 1;
}

/** A server that is measured, in a process of its own on a core of its own. */
export class ServerProcess {
  private asked = 0;
  private readonly answers = new Map<number, (answer: Answer) => void>();

  private constructor(
    readonly contestant: Contestant,
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {
    child.on('message', ({ id, ...answer }: Answer & { id: number }) => {
      this.answers.get(id)?.(answer);
      this.answers.delete(id);
    });
    child.once('exit', () => {
      for (const answer of this.answers.values()) answer({ error: `${contestant.name} has ended: ${this.log()}` });
    });
  }

  /** Returns at once; the server may not listen yet. */
  static spawn(contestant: Contestant): ServerProcess {
    const port = takePort();
    const folder = mkdtempSync(join(tmpdir(), 'rookery-bench-'));
    const log = openSync(join(folder, 'log'), 'a');
    const probe = join(BENCH, 'servers/probe.js');
    const nodeArgs = [...(contestant.nodeArgs ?? []), '--import', probe, join(ROOT, contestant.file)];
    const [command, args] = onServerCore(NODE, nodeArgs);
    const child = spawn(command, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'], NODE_ENV: 'production', PORT: String(port), ...contestant.env },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    return new ServerProcess(contestant, port, child, folder);
  }

  /** Resolves when the server takes connections. @throws Error with its log when it does not */
  static async start(contestant: Contestant): Promise<ServerProcess> {
    const server = ServerProcess.spawn(contestant);
    await server.listening(50);
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}${this.contestant.path ?? '/mcp'}`;
  }

  async listening(everyMs: number): Promise<void> {
    const deadline = Date.now() + START_MS;
    while (!(await accepts(this.port))) {
      if (this.isOver() || Date.now() > deadline) {
        const log = this.log();
        await this.stop();
        throw new Error(`${this.contestant.name} did not start:\n${log}`);
      }
      await delay(everyMs);
    }
  }

  usage(): Promise<Usage> {
    return this.ask('usage') as Promise<Usage>;
  }

  /** CPU of all its threads so far, microseconds. Read from outside where that can be, which costs the server nothing. */
  async cpuMicros(): Promise<number> {
    const micros = cpuMicrosOf(this.child.pid);
    if (micros !== undefined) return micros;
    const { cpu } = await this.usage();
    return cpu.user + cpu.system;
  }

  /** Resolves when nothing is left to do, such as for clients that have gone without waiting for their answers. */
  async idle(): Promise<void> {
    const deadline = Date.now() + IDLE_WITHIN_MS;
    for (let before = await this.cpuMicros(); Date.now() < deadline;) {
      await delay(LOOK_MS);
      const now = await this.cpuMicros();
      if (now - before < (LOOK_MS * 1_000) / 20) return;
      before = now;
    }
  }

  /** Collects the garbage; the server needs `--expose-gc`. */
  async collect(): Promise<void> {
    await this.ask('collect');
  }

  /** Memory once the garbage is gone, and what V8 keeps for later has been given back; needs `--expose-gc`. */
  async leastMemory(): Promise<Usage['memory']> {
    let { memory } = await this.usage();
    for (let tries = 0, given = Infinity; tries < RELEASES && given > RELEASED; tries += 1) {
      await this.ask('release');
      await delay(RELEASE_MS);
      const before = memory.rss;
      ({ memory } = await this.usage());
      given = Math.abs(before - memory.rss);
    }
    return memory;
  }

  /** Runs what the server itself put among its actions. */
  async ask(action: string, given?: unknown): Promise<unknown> {
    const id = (this.asked += 1);
    const answer = new Promise<Answer>((resolve) => this.answers.set(id, resolve));
    this.child.send({ id, action, given });
    const { value, error } = await answer;
    if (error !== undefined) throw new Error(error);
    return value;
  }

  isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8').slice(-4_000);
  }

  async stop(): Promise<void> {
    if (!this.isOver()) {
      this.child.kill();
      const killer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
      await once(this.child, 'exit');
      clearTimeout(killer);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Undefined where the kernel doesn't say: the first figure of `schedstat` is the time of a thread on a core, nanoseconds. */
function cpuMicrosOf(pid: number | undefined): number | undefined {
  try {
    const tasks = `/proc/${pid}/task`;
    const nanos = readdirSync(tasks).map((task) => parseInt(readFileSync(`${tasks}/${task}/schedstat`, 'utf8'), 10));
    return nanos.reduce((sum, one) => sum + one, 0) / 1_000;
  } catch {
    return undefined;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
