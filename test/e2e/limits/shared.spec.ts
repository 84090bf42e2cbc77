import { randomUUID } from 'node:crypto';
import { Injectable, type LoggerService } from '@nestjs/common';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { type McpOptions, McpTool, RateLimit } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { RedisMonitor } from '../../support/redis/redis-monitor.js';
import { type RedisServer, startRedisServer } from '../../support/redis/redis-server.js';
import { Caller, ERAS, refusalOf, refusedBy } from './caller.js';

@Injectable()
class Shop {
  @McpTool()
  @RateLimit({ perHour: 5 })
  stamp(): string {
    return 'stamped';
  }

  @McpTool()
  @RateLimit({ perHour: 50 })
  @RateLimit({ perHour: 60, per: 'tenant' })
  @RateLimit({ perHour: 70, per: 'everyone' })
  much(): string {
    return 'done';
  }

  @McpTool()
  free(): string {
    return 'done';
  }
}

async function boot(options: McpOptions, logger: LoggerService | false = false): Promise<McpTestApp> {
  class ShopModule {}
  const app = await createMcpTestApp({ module: ShopModule, providers: [Shop] }, { options, logger });
  onTestFinished(() => app.close());
  return app;
}

const principal = { subject: 'ada', tenant: 'acme' };
const url = inject('redisUrl') ?? '';

describe.skipIf(url === '')('limits of several replicas', () => {
  const ownKeys = () => ({ redis: { url, keyPrefix: `test:limits:${randomUUID()}:` } });

  it.each(ERAS)('let so many calls pass in all, in the %s era', async (era) => {
    const options = ownKeys();
    const apps = await Promise.all([1, 2, 3].map(() => boot(options)));
    const callers = await Promise.all(apps.map((app) => Caller.open(app.url, { era, principal })));
    const calls = callers.flatMap((caller) => [1, 2, 3, 4, 5].map((id) => caller.call('stamp', {}, { id })));
    const statuses = (await Promise.all(calls)).map(({ status }) => status).sort();

    expect(statuses).toEqual([200, 200, 200, 200, 200, ...Array<number>(10).fill(429)]);
  });

  it('count a principal on all of them', async () => {
    const options = { ...ownKeys(), limits: { principal: { perHour: 3 } } };
    const [one, two] = await Promise.all([boot(options), boot(options)]);
    const [here, there] = [
      await Caller.open(one.url, { era: 'stateless', principal }),
      await Caller.open(two.url, { era: 'stateless', principal }),
    ];

    expect([...(await here.statuses(2, 'free')), ...(await there.statuses(2, 'free'))]).toEqual([200, 200, 200, 429]);
    expect(await refusalOf(await here.request('tools/list'))).toEqual(refusedBy('rate:principal'));
  });

  it.each(ERAS)('cost one command a call, however many there are, and none without, in the %s era', async (era) => {
    const { redis } = ownKeys();
    const app = await boot({ redis, limits: { principal: { perHour: 90 }, tenant: { perHour: 90 } } });
    const unlimited = await boot({ redis });
    const [caller, free] = [
      await Caller.open(app.url, { era, principal }),
      await Caller.open(unlimited.url, { era, principal }),
    ];
    const seen = await commandsOn(`${redis.keyPrefix}{limits}:`);
    await caller.statuses(10, 'much');
    await seen.until(10);
    await free.statuses(10, 'free');
    await free.statuses(1, 'much');
    await seen.until(11);

    // Of all the buckets of a call, in one.
    expect(
      seen
        .commands()
        .slice(0, 10)
        .every((keys) => keys.length === 5),
    ).toBe(true);
    expect(seen.commands()[10]).toHaveLength(3);
  });

  it('keep nothing of a person in the names of their keys', async () => {
    const { redis } = ownKeys();
    const app = await boot({ redis, limits: { principal: { perHour: 90 }, tenant: { perHour: 90 } } });
    const seen = await commandsOn(redis.keyPrefix);
    const caller = await Caller.open(app.url, {
      era: 'stateless',
      principal: { subject: 'ada@acme.example', tenant: 'acme' },
    });
    await caller.statuses(1, 'much');
    await eventually(() => expect(seen.commands().flat().join()).toContain('{limits}:principal:'));

    expect(seen.commands().flat().join()).not.toMatch(/ada@|acme/);
  });
});

/** What clients send to Redis about keys with a prefix: of each command these keys. */
async function commandsOn(prefix: string) {
  const monitor = await RedisMonitor.start(url);
  onTestFinished(() => monitor[Symbol.dispose]());
  const commands = (): string[][] =>
    monitor.sentByClients
      .map(({ args }) => args.filter((arg) => arg.startsWith(prefix)))
      .filter((keys) => keys.length > 0);
  return { commands, until: (count: number) => eventually(() => expect(commands()).toHaveLength(count)) };
}

describe.skipIf(url === '')('limits while Redis is away', () => {
  async function withRedis() {
    const redis = await startRedisServer();
    onTestFinished(() => redis.close());
    const lines: string[] = [];
    const take = (message: unknown): void => void lines.push(String(message));
    const logger = { log: take, warn: take, error: take };
    const app = await boot({ redis: { url: redis.url } }, logger);
    const caller = await Caller.open(app.url, { era: 'stateless', principal });
    return { redis, caller, linesOfLimits: () => lines.filter((line) => line.startsWith('Rate limits')) };
  }

  it.each<[string, (redis: RedisServer) => Promise<void>, (redis: RedisServer) => Promise<void>]>([
    ['hangs', (redis) => redis.kill('SIGSTOP'), (redis) => redis.kill('SIGCONT')],
    ['was killed', (redis) => redis.kill('SIGKILL'), (redis) => redis.restart()],
  ])('go on in each replica when it %s, and one line is logged each way', async (_how, leave, comeBack) => {
    const { redis, caller, linesOfLimits } = await withRedis();
    expect(await caller.statuses(2, 'stamp')).toEqual([200, 200]);
    await leave(redis);

    // What was let in before counts.
    expect(await caller.statuses(5, 'stamp')).toEqual([200, 200, 200, 429, 429]);
    expect(await refusalOf(await caller.call('stamp', {}, { id: 'away' }))).toEqual(refusedBy('rate:tool', 'away'));
    expect(linesOfLimits()).toEqual([
      'Rate limits cannot be shared at the moment: until they can, each replica has its own.',
    ]);
    await comeBack(redis);
    await eventually(async () => {
      await caller.statuses(1, 'much');
      expect(linesOfLimits()).toHaveLength(2);
    });
    expect(linesOfLimits()[1]).toBe('Rate limits are shared by all replicas again.');
  });

  it('answer many at once after one timeout', async () => {
    const { redis, caller, linesOfLimits } = await withRedis();
    await redis.kill('SIGSTOP');
    const calls = Array.from({ length: 9 }, (_each, id) => caller.call('stamp', {}, { id }));
    const statuses = (await Promise.all(calls)).map(({ status }) => status).sort();

    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429, 429]);
    expect(linesOfLimits()).toHaveLength(1);
    await redis.kill('SIGCONT');
  });
});
