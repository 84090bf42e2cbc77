import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { onLoadCore } from './machine.js';
import { takePort } from './server-process.js';

/** A Redis of our own, beside the load, so that the core of the server is the server's. */
export class RedisProcess {
  private constructor(
    readonly url: string,
    private readonly client: Redis,
    private readonly close: () => Promise<void>,
  ) {}

  static async start(): Promise<RedisProcess> {
    const port = takePort();
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const [command, args] = onLoadCore('redis-server', options);
    const child = spawn(command, args, { stdio: 'ignore' });
    const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 100 });
    client.on('error', () => undefined);
    while ((await client.ping().catch(() => undefined)) !== 'PONG') await delay(100);
    return new RedisProcess(`redis://127.0.0.1:${port}`, client, async () => {
      client.disconnect();
      child.kill();
      await once(child, 'exit');
    });
  }

  /** Times that Redis has read from clients, without the reading of this question. */
  async reads(): Promise<number> {
    return Number(/total_reads_processed:(\d+)/.exec(await this.client.info('stats'))?.[1]);
  }

  /** How often each command was called, those within scripts too. */
  async commands(): Promise<Map<string, number>> {
    const lines = (await this.client.info('commandstats')).matchAll(/cmdstat_([^:]+):calls=(\d+)/g);
    return new Map([...lines].map(([, name = '', calls]) => [name, Number(calls)]));
  }

  stop(): Promise<void> {
    return this.close();
  }
}
