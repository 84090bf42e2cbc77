import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';

/** The server as it is deployed; this file is compiled to dist-sizing/test/sizing. */
const MAIN = resolve(import.meta.dirname, '../../../dist/main.js');
/** Lets what is garbage be collected when it is asked to. */
const COLLECTS = ['--expose-gc', '--import', 'data:text/javascript,process.on("SIGUSR2",()=>{gc();gc()})'];
const START_MS = 30_000;
const COLLECT_MS = 2_000;

/** What a replica has used and done since it was started. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Of the heap and of what its objects hold beside it. */
  readonly heldBytes: number;
  readonly logBytes: number;
  /** Calls of tools that succeeded. */
  readonly calls: number;
  /** Commands that it sent to Redis. */
  readonly redisCommands: number;
  /** Of the page that told all this. */
  readonly scrapeBytes: number;
  readonly series: number;
}

interface ReplicaParts {
  readonly management: string;
  readonly server: ChildProcess;
  readonly logger: ChildProcess;
  readonly dir: string;
}

/** One replica in a process of its own, in the configuration of production. Its log goes through a pipe to a file. */
export class Replica {
  private constructor(
    readonly url: string,
    private readonly parts: ReplicaParts,
  ) {}

  static async start(variables: Readonly<Record<string, string>>): Promise<Replica> {
    const [port, managementPort] = [await freePort(), await freePort()];
    const dir = mkdtempSync(join(tmpdir(), 'rookery-sizing-'));
    const pipe = join(dir, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const logger = spawn('sh', ['-c', 'exec cat "$0/pipe" > "$0/log"', dir], { stdio: 'ignore' });
    const stdout = openSync(pipe, 'w');
    const url = `http://127.0.0.1:${port}/mcp`;
    const env = {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      PORT: String(port),
      MANAGEMENT_PORT: String(managementPort),
      ...variables,
    };
    const server = spawn(process.execPath, [...COLLECTS, MAIN], { env, stdio: ['ignore', stdout, 'inherit'] });
    closeSync(stdout);
    const replica = new Replica(url, { management: `http://127.0.0.1:${managementPort}`, server, logger, dir });
    await replica.ready();
    return replica;
  }

  async usage(): Promise<Usage> {
    const text = await (await fetch(`${this.parts.management}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const sum = (start: string, holding = ''): number =>
      lines
        .filter((line) => line.startsWith(start) && line.includes(holding))
        .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
    return {
      cpuSeconds: sum('process_cpu_seconds_total'),
      residentBytes: sum('process_resident_memory_bytes'),
      heldBytes: sum('nodejs_heap_size_used_bytes') + sum('nodejs_external_memory_bytes'),
      logBytes: statSync(join(this.parts.dir, 'log')).size,
      calls: sum('mcp_server_operation_duration_seconds_count{mcp_method_name="tools/call"', 'error_type=""'),
      redisCommands: sum('mcp_server_redis_command_duration_seconds_count'),
      scrapeBytes: Buffer.byteLength(text),
      series: lines.length,
    };
  }

  /** What is used when nothing is left to be collected. */
  async usageWithoutGarbage(): Promise<Usage> {
    this.parts.server.kill('SIGUSR2');
    await delay(COLLECT_MS);
    return this.usage();
  }

  async stop(): Promise<void> {
    const ended = once(this.parts.logger, 'exit');
    this.parts.server.kill('SIGKILL');
    await ended;
    rmSync(this.parts.dir, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const until = Date.now() + START_MS;
    for (;;) {
      const response = await fetch(`${this.parts.management}/health/ready`).catch(() => undefined);
      if (response?.ok) return;
      if (this.parts.server.exitCode !== null || Date.now() > until) {
        throw new Error(`The server did not start:\n${readFileSync(join(this.parts.dir, 'log'), 'utf8')}`);
      }
      await delay(100);
    }
  }
}
