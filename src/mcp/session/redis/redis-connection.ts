import type { Cluster, Redis } from 'ioredis';

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;
/** A connection that lasted this long was a good one: the next attempt need not wait. */
const STABLE_MS = 5_000;
/** How long a server may take to answer QUIT. */
const QUIT_MS = 500;

export interface RedisConnectionOptions {
  /** Milliseconds between PINGs. A dead connection on which nothing is asked would go unnoticed for many minutes. */
  readonly heartbeatMs: number;
  /** Called before each attempt to connect. */
  readonly beforeConnect?: () => void;
}

/**
 * Keeps a client connected until it is closed. ioredis' own retrying gives up for good when no sentinel answers, and
 * cannot be stopped while it waits; so the client is told not to retry, and is connected again whenever it has ended.
 */
export class RedisConnection {
  readonly #client: Redis | Cluster;
  readonly #options: RedisConnectionOptions;
  #failures = 0;
  #readyAt = Infinity;
  #retry: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;

  constructor(client: Redis | Cluster, options: RedisConnectionOptions) {
    this.#client = client;
    this.#options = options;
    client.on('ready', () => (this.#readyAt = performance.now()));
    client.on('end', () => this.#retryLater());
  }

  /** Resolves when the client is ready or the first attempt has failed; goes on trying then. Never rejects. */
  async connect(): Promise<void> {
    if (this.#closed) return;
    this.#heartbeat ??= setInterval(() => this.#beat(), this.#options.heartbeatMs).unref();
    // A command that came before this has connected it already, and connecting twice fails.
    if (this.#client.status === 'ready') return;
    if (this.#client.status === 'connecting' || this.#client.status === 'connect') return this.#readyOrEnded();
    this.#options.beforeConnect?.();
    // The client's 'error' event has told why it cannot.
    const attempt = this.#client.connect().catch(() => undefined);
    await Promise.race([attempt, this.#readyOrEnded()]);
  }

  /** Never rejects; waits for about a second at most. */
  close(): Promise<void> {
    this.#closed = true;
    return (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#retry);
    // Commands under way are answered first.
    if (this.#client.status === 'ready') await atMost(QUIT_MS, this.#client.quit());
    if (this.#client.status === 'end') return;
    const ended = new Promise<void>((resolve) => void this.#client.once('end', resolve));
    // A TLS handshake that is cut short can fail twice, and ioredis listens once.
    for (const { stream } of this.#connections()) stream?.on('error', () => undefined);
    this.#client.disconnect();
    await atMost(QUIT_MS, ended);
  }

  /** The promise of a Cluster's connect() stays pending for ever when the cluster turns out to be in no good state. */
  #readyOrEnded(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#client.off('ready', settle).off('end', settle);
        resolve();
      };
      this.#client.on('ready', settle).on('end', settle);
    });
  }

  #retryLater(): void {
    if (this.#closed) return;
    if (performance.now() - this.#readyAt > STABLE_MS) this.#failures = 0;
    this.#readyAt = Infinity;
    const limit = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, MAX_RETRY_MS);
    this.#failures += 1;
    clearTimeout(this.#retry);
    // Full jitter: the replicas must not all come back at the same moment.
    this.#retry = setTimeout(() => void this.connect(), Math.random() * limit);
  }

  /** An answer that does not come lets the client's socketTimeout end the connection. */
  #beat(): void {
    for (const connection of this.#connections()) {
      if (connection.status === 'ready') connection.ping().catch(() => undefined);
    }
  }

  #connections(): Redis[] {
    return 'nodes' in this.#client ? this.#client.nodes() : [this.#client];
  }
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}
