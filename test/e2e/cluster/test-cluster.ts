import { randomUUID } from 'node:crypto';
import { findNginx } from '../../support/cluster/balancer.js';
import { Cluster } from '../../support/cluster/cluster.js';
import { CompiledServer } from '../../support/compiled-server.js';
import { findRedisServer } from '../../support/redis/find-redis-server.js';
import { type RedisServer, startRedisServer } from '../../support/redis/redis-server.js';
import { type Json, WireSession, responseOf, statelessRequest } from '../../support/wire.js';

const FIXTURE = 'test/e2e/cluster/server.fixture.ts';
const FIXTURE_PARTS = [
  FIXTURE,
  'test/e2e/cluster/bearer.authenticator.ts',
  'test/e2e/cluster/cluster.tools.ts',
] as const;

/** Keys of the sealed state of the stateless era, which any replica must be able to open. */
const STATE_KEYS = `test:${Buffer.alloc(32, 7).toString('base64')}`;

/** Whether this machine has what a cluster takes. */
export const CAN_CLUSTER = findRedisServer() !== undefined && findNginx() !== undefined;

/** The tools of `cluster.tools.ts` on three replicas behind a balancer, over a Redis of their own. */
export class TestCluster implements AsyncDisposable {
  private constructor(
    private readonly compiled: CompiledServer,
    readonly redis: RedisServer,
    readonly cluster: Cluster,
  ) {}

  static async start(env: Readonly<Record<string, string>> = {}): Promise<TestCluster> {
    const redis = await startRedisServer({ appendOnly: true });
    const compiled = new CompiledServer(FIXTURE_PARTS);
    try {
      const cluster = await Cluster.start({
        script: compiled.script(FIXTURE),
        redisUrl: redis.url,
        // Longer than the endpoints loop and nginx take to hear of it.
        env: { MCP_REQUEST_STATE_KEYS: STATE_KEYS, MCP_DRAIN_DELAY_MS: '1000', MCP_DRAIN_GRACE_MS: '15000', ...env },
      });
      return new TestCluster(compiled, redis, cluster);
    } catch (cause) {
      compiled[Symbol.dispose]();
      await redis.close();
      throw cause;
    }
  }

  /** The MCP endpoint, at a replica of chance for each request. */
  get url(): string {
    return this.cluster.url;
  }

  /** The MCP endpoints of the first three replicas. */
  get urls(): [a: string, b: string, c: string] {
    const [a = '', b = '', c = ''] = this.cluster.replicas.map(({ url }) => url);
    return [a, b, c];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.close();
    await this.redis.close();
    this.compiled[Symbol.dispose]();
  }
}

/** The same session, reached at another address. */
export function at(url: string, session: WireSession): WireSession {
  return Object.assign(Object.create(WireSession.prototype) as WireSession, session, { url });
}

/** Calls a tool without a session, and so without Redis. @returns the text of its result */
export async function callAt(url: string, name: string, args: Json = {}): Promise<string> {
  return textOf(await responseOf(await statelessRequest(url, 'tools/call', { name, arguments: args })));
}

/** Calls a tool in a session. @returns the text of its result */
export async function callIn(session: WireSession, name: string, args: Json = {}): Promise<string> {
  return textOf(await responseOf(await session.request('tools/call', { name, arguments: args }, randomUUID())));
}

/** The text of the result in the response to a call. @throws Error when it is none */
export function textOf(response: Json | undefined): string {
  const { content } = (response?.['result'] ?? {}) as { content?: { text: string }[] };
  const text = content?.[0]?.text;
  if (text === undefined) throw new Error(`Not the result of a call: ${JSON.stringify(response)}`);
  return text;
}
