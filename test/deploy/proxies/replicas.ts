import { Replica } from '../../support/cluster/replica.js';
import { until } from '../../support/cluster/until.js';
import { CompiledServer } from '../../support/compiled-server.js';
import { freePort } from '../../support/free-port.js';
import { type RedisServer, startRedisServer } from '../../support/redis/redis-server.js';

const FIXTURE = 'test/e2e/cluster/server.fixture.ts';
const PARTS = [FIXTURE, 'test/e2e/cluster/bearer.authenticator.ts', 'test/e2e/cluster/cluster.tools.ts'];

/** Three replicas of the tools of the cluster tests, over a Redis of their own, at addresses that stay. */
export class Replicas implements AsyncDisposable {
  private readonly running: Replica[] = [];

  private constructor(
    private readonly compiled: CompiledServer,
    private readonly redis: RedisServer,
    readonly ports: readonly [number, number, number],
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(env: Readonly<Record<string, string>>): Promise<Replicas> {
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const replicas = new Replicas(new CompiledServer(PARTS), await startRedisServer(), ports, env);
    try {
      await Promise.all(ports.map((_port, index) => replicas.startOne(index)));
      return replicas;
    } catch (cause) {
      await replicas[Symbol.asyncDispose]();
      throw cause;
    }
  }

  get(index: number): Replica {
    const replica = this.running[index];
    if (!replica) throw new Error(`Replica ${index} has not been started.`);
    return replica;
  }

  /** The numbers of the processes. */
  get pids(): number[] {
    return this.running.map(({ pid }) => pid);
  }

  /** Sends SIGTERM, waits for the end, and starts another at the same address. @returns the exit code of the first */
  async replace(index: number): Promise<number | null> {
    const { code } = await this.get(index).stop();
    await this.startOne(index);
    return code;
  }

  /** Starts one at the address of one that has been killed. */
  async revive(index: number): Promise<void> {
    await this.startOne(index);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.running.map((replica) => replica.kill()));
    await this.redis.close();
    this.compiled[Symbol.dispose]();
  }

  private async startOne(index: number): Promise<void> {
    const env = { ...this.env, PORT: String(this.ports[index]), REDIS_URL: this.redis.url };
    const replica = await Replica.start(this.compiled.script(FIXTURE), env);
    this.running[index] = replica;
    await until(`replica ${index} is ready`, () => replica.ready());
  }
}
