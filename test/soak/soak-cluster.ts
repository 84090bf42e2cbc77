import { fileURLToPath } from 'node:url';
import { Cluster } from '../support/cluster/cluster.js';
import type { Exit, Replica } from '../support/cluster/replica.js';

const SERVER = fileURLToPath(new URL('server/server.js', import.meta.url));
/** Keys of the sealed state of the stateless era, which any replica must be able to open. */
const STATE_KEYS = `soak:${Buffer.alloc(32, 7).toString('base64')}`;
/** How long a replica that stops goes on taking connections: until the balancer has heard of it. */
export const DRAIN_DELAY_MS = 1_000;

/** A cluster that keeps what its replicas have logged, those that are gone included. */
export class SoakCluster implements AsyncDisposable {
  private readonly ever: Replica[];

  private constructor(private readonly cluster: Cluster) {
    this.ever = [...cluster.replicas];
  }

  static async start(redisUrl: string, replicas: number): Promise<SoakCluster> {
    const env = { MCP_REQUEST_STATE_KEYS: STATE_KEYS, MCP_DRAIN_DELAY_MS: String(DRAIN_DELAY_MS), NO_COLOR: '1' };
    return new SoakCluster(await Cluster.start({ script: SERVER, redisUrl, replicas, env }));
  }

  get url(): string {
    return this.cluster.url;
  }

  /** Those that run now. */
  get replicas(): readonly Replica[] {
    return [...this.cluster.replicas];
  }

  get balancerLog(): string {
    return this.cluster.balancerLog;
  }

  /** What each has logged, by process id. */
  get logs(): ReadonlyMap<number, string> {
    return new Map(this.ever.map(({ pid, log }) => [pid, log]));
  }

  async add(): Promise<Replica> {
    const replica = await this.cluster.addReplica();
    this.ever.push(replica);
    return replica;
  }

  stop(replica: Replica): Promise<Exit> {
    return this.cluster.stop(replica);
  }

  kill(replica: Replica): Promise<void> {
    return this.cluster.kill(replica);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster.close();
  }
}
