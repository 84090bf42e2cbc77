import { Cluster } from '../../../support/cluster/cluster.js';
import { CompiledServer } from '../../../support/compiled-server.js';
import { TEST_RESOURCE, TestIssuer } from '../../../support/oauth/test-issuer.js';
import { type RedisServer, startRedisServer } from '../../../support/redis/redis-server.js';

const FIXTURE = 'test/e2e/security/cluster/server.fixture.ts';

/** The tools of `cluster.tools.ts` on three replicas that take the tokens of one issuer, over a Redis of their own. */
export class GuardedCluster implements AsyncDisposable {
  private constructor(
    readonly issuer: TestIssuer,
    private readonly compiled: CompiledServer,
    private readonly redis: RedisServer,
    private readonly cluster: Cluster,
  ) {}

  static async start(): Promise<GuardedCluster> {
    const issuer = await TestIssuer.start({ algs: ['ES256'] });
    const redis = await startRedisServer();
    const compiled = new CompiledServer([FIXTURE, 'test/e2e/cluster/cluster.tools.ts']);
    try {
      const cluster = await Cluster.start({
        script: compiled.script(FIXTURE),
        redisUrl: redis.url,
        env: { AUTH_ISSUERS: issuer.issuer, AUTH_RESOURCE: TEST_RESOURCE, AUTH_TENANT_CLAIM: 'tenant' },
      });
      return new GuardedCluster(issuer, compiled, redis, cluster);
    } catch (cause) {
      compiled[Symbol.dispose]();
      await redis.close();
      await issuer[Symbol.asyncDispose]();
      throw cause;
    }
  }

  /** The MCP endpoints of the replicas. */
  get urls(): [a: string, b: string, c: string] {
    const [a = '', b = '', c = ''] = this.cluster.replicas.map(({ url }) => url);
    return [a, b, c];
  }

  /** All that the replicas have logged. */
  get log(): string {
    return this.cluster.replicas.map(({ log }) => log).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
    await this.redis.close();
    await this.issuer[Symbol.asyncDispose]();
    this.compiled[Symbol.dispose]();
  }
}
