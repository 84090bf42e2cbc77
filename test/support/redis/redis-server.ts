import { writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Certificates } from './certificates.js';
import { findRedisServer } from './find-redis-server.js';
import { freePort } from '../free-port.js';
import { ServerProcess, makeDirectory, removeDirectory } from './server-process.js';

export interface RedisServerOptions {
  /** What else to give the server, as `['--requirepass', 'secret']`. */
  readonly args?: readonly string[];
  /** Lines of a configuration file; a sentinel will not start without one. */
  readonly config?: readonly string[];
  /** Default: what {@link findRedisServer} finds. */
  readonly binary?: string;
  /** Keeps the data over a restart. Default false. */
  readonly appendOnly?: boolean;
  /** Speaks TLS only, with these. */
  readonly tls?: Certificates;
}

export interface RedisServer {
  /** Without credentials. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dir: string;
  /** What else a client needs, as ioredis calls it. */
  readonly clientOptions: { readonly tls?: { readonly ca: string } };
  /** Resolves once the process is gone; at once for a signal that it survives (SIGSTOP, SIGCONT). Default SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends the server if need be, and starts it on the same port and directory; options replace those of the start. */
  restart(options?: Pick<RedisServerOptions, 'args' | 'appendOnly'>): Promise<void>;
  close(): Promise<void>;
}

/** Somebody may take a free port before the server does. */
const ATTEMPTS = 5;

/** Starts a Redis server on 127.0.0.1, without persistence, in a directory of its own. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    const server = new StartedRedisServer(await freePort(), await makeDirectory(), options);
    try {
      if (options.config) await writeFile(join(server.dir, 'conf'), `${options.config.join('\n')}\n`);
      await server.start();
      return server;
    } catch (error) {
      await server.close();
      if (attempt === ATTEMPTS || !/Address already in use/i.test(String(error))) throw error;
    }
  }
}

class StartedRedisServer implements RedisServer {
  readonly url: string;
  #process: ServerProcess | undefined;

  constructor(
    readonly port: number,
    readonly dir: string,
    private options: RedisServerOptions,
  ) {
    this.url = `${options.tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`;
  }

  get clientOptions(): RedisServer['clientOptions'] {
    const { tls } = this.options;
    return tls ? { tls: { ca: tls.ca } } : {};
  }

  get pid(): number {
    return this.#process!.pid;
  }

  async start(): Promise<void> {
    const binary = this.options.binary ?? findRedisServer()?.binary;
    if (binary === undefined) throw new Error('There is no Redis server to start: skip this suite.');
    this.#process = await ServerProcess.start([binary, ...this.#args()], this.dir, () => this.#answers());
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#process?.kill(signal);
  }

  async restart(options: Pick<RedisServerOptions, 'args' | 'appendOnly'> = {}): Promise<void> {
    await this.kill();
    this.options = { ...this.options, ...options };
    await this.start();
  }

  async close(): Promise<void> {
    await this.kill();
    await removeDirectory(this.dir);
  }

  #args(): string[] {
    const { args = [], appendOnly = false, tls, config } = this.options;
    const port = String(this.port);
    return [
      ...(config ? [join(this.dir, 'conf')] : []),
      ...(tls
        ? ['--port', '0', '--tls-port', port, '--tls-auth-clients', 'no', '--tls-ca-cert-file', tls.caFile]
        : ['--port', port]),
      ...(tls ? ['--tls-cert-file', tls.certificateFile, '--tls-key-file', tls.keyFile] : []),
      ...['--bind', '127.0.0.1', '--save', '', '--appendonly', appendOnly ? 'yes' : 'no', '--dir', this.dir],
      // The directory is private; a sync for every write would only slow the tests down.
      ...['--appendfsync', 'no', '--daemonize', 'no'],
      ...args,
    ];
  }

  /** Whether PING is answered: by a PONG, or by a demand for a password. */
  #answers(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const to = { host: '127.0.0.1', port: this.port, timeout: 1_000 };
      const { tls } = this.options;
      const socket: Socket = tls ? connectTls({ ...to, ca: tls.ca }) : connectTcp(to);
      socket.once('error', reject);
      socket.once('timeout', () => socket.destroy(new Error('PING was not answered.')));
      socket.once('close', () => resolve(false));
      socket.once('data', (data) => {
        resolve(/^(\+PONG|-NOAUTH)/.test(data.toString()));
        socket.destroy();
      });
      socket.write('PING\r\n');
    });
  }
}
