import { setTimeout as delay } from 'node:timers/promises';
import { Balancer } from './balancer.js';
import { type Exit, Replica } from './replica.js';
import { until } from './until.js';

/** How often the endpoints loop asks each replica. */
const POLL_MS = 100;

export interface ClusterOptions {
  /** A compiled server. */
  readonly script: string;
  /** How many to start; default 3. */
  readonly replicas?: number;
  readonly redisUrl: string;
  /** What else each of them gets. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Replicas of a server behind a balancer, over one Redis. A loop asks each of them whether it is ready, and tells the
 * balancer who is: what kubelet and an endpoints controller do in Kubernetes.
 */
export class Cluster implements AsyncDisposable {
  private readonly members: Replica[] = [];
  private inRotation: readonly string[] = [];
  private closed = false;
  private loop: Promise<void> | undefined;

  private constructor(
    private readonly options: ClusterOptions,
    private readonly balancer: Balancer,
  ) {}

  /** Resolves when all replicas are ready and in rotation. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options, await Balancer.start());
    try {
      const { replicas = 3 } = options;
      const started = await Promise.allSettled(Array.from({ length: replicas }, () => cluster.spawn()));
      const failed = started.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      cluster.loop = cluster.watchEndpoints();
      for (const replica of cluster.members) await cluster.joined(replica);
      return cluster;
    } catch (cause) {
      await cluster.close();
      throw cause;
    }
  }

  /** URL of the MCP endpoint, through the balancer. */
  get url(): string {
    return `${this.balancer.url}/mcp`;
  }

  /** Those that have not been stopped or killed by this cluster. */
  get replicas(): readonly Replica[] {
    return this.members;
  }

  /** What nginx has logged. */
  get balancerLog(): string {
    return this.balancer.log;
  }

  /** Starts another one. Resolves when requests are sent to it. */
  async addReplica(): Promise<Replica> {
    const replica = await this.spawn();
    await this.joined(replica);
    return replica;
  }

  /** Stops one in good order (SIGTERM) and does not replace it. */
  async stop(replica: Replica): Promise<Exit> {
    const exit = await replica.stop();
    this.members.splice(this.members.indexOf(replica), 1);
    return exit;
  }

  /** Kills one (SIGKILL) and does not replace it. */
  async kill(replica: Replica): Promise<void> {
    await replica.kill();
    this.members.splice(this.members.indexOf(replica), 1);
  }

  /** Replaces all, one after the other: stops one, waits for its end, starts another and waits until it is ready. */
  async roll(): Promise<Exit[]> {
    const exits: Exit[] = [];
    for (const replica of [...this.members]) {
      exits.push(await this.stop(replica));
      await this.addReplica();
    }
    return exits;
  }

  /** Kills whatever still runs. */
  async close(): Promise<void> {
    this.closed = true;
    await this.loop;
    await Promise.all(this.members.map((replica) => replica.kill()));
    await this.balancer.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async spawn(): Promise<Replica> {
    const { script, redisUrl, env } = this.options;
    const replica = await Replica.start(script, { REDIS_URL: redisUrl, ...env });
    this.members.push(replica);
    return replica;
  }

  private joined(replica: Replica): Promise<unknown> {
    return until(`replica ${replica.pid} is in rotation`, () => {
      if (!replica.running) throw new Error(`Replica ${replica.pid} has ended. It said:\n${replica.log}`);
      return this.inRotation.includes(replica.address);
    });
  }

  private async watchEndpoints(): Promise<void> {
    while (!this.closed) {
      const asked = await Promise.all(this.members.map(async (replica) => [replica, await replica.ready()] as const));
      const ready = asked.filter(([, is]) => is).map(([replica]) => replica.address);
      if (ready.join() !== this.inRotation.join()) {
        await this.balancer.setReplicas(ready);
        this.inRotation = ready;
      }
      await delay(POLL_MS);
    }
  }
}
