import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { McpError } from '../../../src/mcp/protocol/errors.js';
import type { LuaScript } from '../../../src/mcp/session/redis/lua-script.js';
import {
  RedisSessionStore,
  type RedisSessionStoreOptions,
} from '../../../src/mcp/session/redis/redis-session-store.js';
import { ReplicaLink } from '../../../src/mcp/session/redis/replica-link.js';
import type { SessionRecord } from '../../../src/mcp/session/session-record.js';
import { eventually } from '../../support/eventually.js';
import { type TestReplicas, testReplicas } from '../../support/redis/test-replicas.js';

const url = inject('redisUrl') ?? '';

describe.skipIf(url === '')('the session store on Redis', () => {
  let replicas: TestReplicas;
  let time: number;
  let here: RedisSessionStore;
  let there: RedisSessionStore;

  beforeEach(async () => {
    // Those of the tests are enough; one that comes by itself would come in between.
    replicas = await testReplicas(url, 2);
    time = Date.UTC(2026, 0, 1);
    [here, there] = [storeOf(0), storeOf(1)];
  });
  afterEach(() => replicas.close());

  const link = (index = 0): ReplicaLink => replicas.links[index]!;
  const keys = () => link().keys;
  const sweep = (index = 0): Promise<void> => link(index).sweep();
  const storeOf = (index: number, options: RedisSessionStoreOptions = {}): RedisSessionStore =>
    new RedisSessionStore(link(index), { now: () => time, ...options });

  const record = (fields: Partial<SessionRecord> = {}): SessionRecord => ({
    id: 's1',
    owner: 'ada',
    revision: '2025-11-25',
    clientInfo: { name: 'client', version: '1' },
    clientCapabilities: {},
    logLevel: undefined,
    subscriptions: [],
    seen: 'c0',
    createdAt: time,
    ...fields,
  });

  /** Names of all keys but those that say who is alive. */
  const allKeys = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const batch of replicas.redis.scanStream({ match: `${replicas.keyPrefix}*`, count: 1_000 })) {
      for (const key of batch as string[]) found.push(key.slice(replicas.keyPrefix.length));
    }
    return found.filter((key) => !key.startsWith('alive:')).sort();
  };

  /** What the scripts of one name were run with by a replica, from now on. */
  const runsOf = (index: number, name: string): unknown[] => {
    const runs: unknown[] = [];
    const run = ReplicaLink.prototype.run.bind(link(index));
    vi.spyOn(link(index), 'run').mockImplementation(async (script: LuaScript, ...rest) => {
      if (script.name === name) runs.push(rest);
      return run(script, ...rest);
    });
    return runs;
  };

  const unavailable = (): Promise<never> => Promise.reject(new McpError('UNAVAILABLE', 'away'));

  describe('a replica that was killed', () => {
    it('does not block the ids of the requests that it ran', async () => {
      await here.create(record());
      await here.enter('s1', 'ada', 7);
      await replicas.crash(0);

      await eventually(async () => expect(await there.enter('s1', 'ada', 7)).toMatchObject({ status: 'ok' }));
      expect(await there.enter('s1', 'ada', 7)).toEqual({ status: 'in-flight' });
      expect(await replicas.redis.hget(keys().session('s1'), 'r:7')).toBe(link(1).id);
    });

    it('does not have its requests run by two others', async () => {
      await replicas.add();
      const third = storeOf(2);
      await here.create(record());
      await here.enter('s1', 'ada', 7);
      await replicas.crash(0);
      await eventually(async () => expect(await link(1).isGone(link(0).id)).toBe(true));
      await eventually(async () => expect(await link(2).isGone(link(0).id)).toBe(true));

      const entries = await Promise.all([there.enter('s1', 'ada', 7), third.enter('s1', 'ada', 7)]);
      expect(entries.map(({ status }) => status).sort()).toEqual(['in-flight', 'ok']);
    });

    it('does not leave its cancellations to those who run a request with the same id', async () => {
      await here.create(record());
      await here.enter('s1', 'ada', 7);
      await replicas.redis.hset(keys().session('s1'), 'c:7', 'null');
      await replicas.crash(0);

      await eventually(async () => expect(await there.enter('s1', 'ada', 7)).toMatchObject({ status: 'ok' }));
      expect(await replicas.redis.hexists(keys().session('s1'), 'c:7')).toBe(0);
    });
  });

  it('forgets with a request that has finished whether it was cancelled', async () => {
    await here.create(record());
    await here.enter('s1', 'ada', 7);
    await replicas.redis.hset(keys().session('s1'), 'c:7', 'null');
    await here.leave('s1', 7);
    expect(await replicas.redis.hmget(keys().session('s1'), 'r:7', 'c:7')).toEqual([null, null]);
  });

  describe('a lost answer', () => {
    it('leaves no mark behind', async () => {
      await here.create(record());
      const run = ReplicaLink.prototype.run.bind(link());
      vi.spyOn(link(), 'run').mockImplementationOnce(async (...all) => {
        await run(...all);
        return unavailable();
      });

      await expect(here.enter('s1', 'ada', 7)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
      await eventually(async () => expect(await there.enter('s1', 'ada', 7)).toMatchObject({ status: 'ok' }));
    });

    it('does not keep the same replica from trying again', async () => {
      await here.create(record());
      await replicas.redis.hset(keys().session('s1'), 'r:7', link().id);
      expect(await here.enter('s1', 'ada', 7)).toMatchObject({ status: 'ok' });
      expect(await here.enter('s1', 'ada', 7)).toEqual({ status: 'in-flight' });
    });

    it('to leave is made up for by a sweep', async () => {
      await here.create(record());
      await here.enter('s1', 'ada', 7);
      vi.spyOn(link(), 'send').mockImplementationOnce(unavailable);
      vi.spyOn(link(), 'run').mockImplementationOnce(unavailable);
      await expect(here.leave('s1', 7)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
      expect(await there.enter('s1', 'ada', 7)).toEqual({ status: 'in-flight' });

      await sweep();
      expect(await there.enter('s1', 'ada', 7)).toMatchObject({ status: 'ok' });
    });

    it('does not take the mark from those who have got it since', async () => {
      await here.create(record());
      vi.spyOn(link(), 'run').mockImplementationOnce(unavailable).mockImplementationOnce(unavailable);
      await expect(here.enter('s1', 'ada', 7)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
      await here.enter('s1', 'ada', 7);

      await sweep();
      expect(await there.enter('s1', 'ada', 7)).toEqual({ status: 'in-flight' });
    });
  });

  describe('round trips', () => {
    /** Commands that a replica sends while something is done, save that it is alive. */
    const sentDuring = async (work: () => Promise<unknown>): Promise<string[]> => {
      const sent: string[] = [];
      const commands = replicas.clients[0]!.commands as Redis;
      const send = commands.sendCommand.bind(commands);
      vi.spyOn(commands, 'sendCommand').mockImplementation((command, ...rest) => {
        if (!command.args.some((arg) => String(arg).includes(':alive:'))) sent.push(command.name);
        return send(command, ...rest);
      });
      await work();
      return sent;
    };

    beforeEach(async () => {
      await here.create(record());
      await here.enter('s1', 'ada', 1);
    });

    it.each<[string, () => Promise<unknown>, string]>([
      ['enter', () => here.enter('s1', 'ada'), 'evalsha'],
      ['enter with a request', () => here.enter('s1', 'ada', 2), 'evalsha'],
      ['enter by a stranger', () => here.enter('s1', 'eve', 2), 'evalsha'],
      ['leave', () => here.leave('s1', 1), 'hdel'],
      ['update', () => here.update('s1', { subscribe: 'a://1' }), 'evalsha'],
      ['watch', () => here.watch('s1', () => undefined), 'evalsha'],
    ])('%s is one', async (_name, work, command) => {
      expect(await sentDuring(work)).toEqual([command]);
    });

    it('create is three', async () => {
      const sent = await sentDuring(() => here.create(record({ id: 's2' })));
      expect(sent).toEqual(['evalsha', 'evalsha', 'evalsha']);
    });

    it('delete is two, the second of them in two slots', async () => {
      expect(await sentDuring(() => here.delete('s1'))).toEqual(['evalsha', 'zrem', 'zrem']);
    });
  });

  describe('delete', () => {
    it('leaves no key behind', async () => {
      await here.create(record({ subscriptions: ['a://1'] }));
      await here.enter('s1', 'ada', 1);
      await replicas.redis.hset(keys().watchers('s1'), 'another replica', '1');
      await replicas.redis.hset(keys().asks('s1'), 'a1', 'p');
      for (const stream of ['x', 'y']) {
        await replicas.redis.zadd(keys().streams('s1'), 1, stream);
        await replicas.redis.xadd(keys().stream('s1', stream), '*', 'd', 'data');
        await replicas.redis.hset(keys().streamMeta('s1', stream), 'pos', '1');
      }
      expect((await allKeys()).length).toBe(11);

      expect(await there.delete('s1')).toBe(true);
      expect(await allKeys()).toEqual([]);
    });

    it('tells everyone, and first, and whoever reads a stream', async () => {
      const told: string[][] = [];
      for (const kind of ['gone', 'displaced']) link(1).on(kind, (fields) => told.push([kind, ...fields]));
      await here.create(record());
      const epoch = await replicas.redis.hget(keys().session('s1'), 'epoch');
      await replicas.redis.zadd(keys().streams('s1'), 1, 'x', 2, 'y');
      await replicas.redis.hset(keys().streamMeta('s1', 'x'), 'holder', link(1).id, 'reader', 'reader 1');

      await here.delete('s1');
      await eventually(() =>
        expect(told).toEqual([
          ['gone', 's1', epoch],
          ['displaced', 's1', 'x', 'reader 1', '', ''],
        ]),
      );
    });

    it('removes what an expired session has left, though it is gone', async () => {
      await here.create(record());
      time += 30 * 60_000;
      expect(await here.delete('s1')).toBe(false);
      expect(await allKeys()).toEqual([]);
    });
  });

  describe('by the clock of Redis', () => {
    const timed = (options: RedisSessionStoreOptions): RedisSessionStore => new RedisSessionStore(link(), options);

    it('everything of a session lapses when it has been idle for too long, by itself', async () => {
      const store = timed({ idleMs: 1_500, absoluteMs: 2_000 });
      await store.create(record({ createdAt: Date.now() }));
      await store.update('s1', { subscribe: 'a://1' });
      await store.watch('s1', () => undefined);
      expect((await allKeys()).length).toBe(5);

      await eventually(async () => expect(await allKeys()).toEqual([]));
    });

    it('an entry renews all of it, but not beyond the greatest age', async () => {
      const store = timed({ idleMs: 60_000, absoluteMs: 3_600_000 });
      const createdAt = Date.now() - 3_590_000;
      await store.create(record({ createdAt: Date.now(), subscriptions: ['a://1'] }));
      await store.create(record({ id: 's2', createdAt: Date.now() }));
      await replicas.redis.hset(keys().session('s2'), 'created', createdAt);
      await store.watch('s1', () => undefined);
      const own = [keys().session('s1'), keys().subscriptions('s1'), keys().watchers('s1')];
      for (const key of own) await replicas.redis.pexpire(key, 5_000);
      await store.enter('s1', 'ada');
      await store.enter('s2', 'ada');

      for (const key of own) expect(await replicas.redis.pttl(key)).toBeGreaterThan(55_000);
      expect(await replicas.redis.pttl(keys().session('s2'))).toBeLessThanOrEqual(10_000);
    });

    it('a session ends, whenever its keys may lapse', async () => {
      const store = timed({ idleMs: 60_000 });
      await store.create(record({ createdAt: Date.now() }));
      await replicas.redis.hset(keys().session('s1'), 'entered', Date.now() - 50_000);
      expect(await store.update('s1', { seen: 'c1' })).toBe(true);
      await replicas.redis.hset(keys().session('s1'), 'entered', Date.now() - 60_000);
      expect(await store.enter('s1', 'ada')).toEqual({ status: 'unknown' });
    });
  });

  describe('caps', () => {
    const refused = { reason: 'UNAVAILABLE', status: 503 };
    /** @returns how many could be made */
    const createMany = async (store: RedisSessionStore, count: number, name = 's'): Promise<number> => {
      const all = Array.from({ length: count }, (_, i) => store.create(record({ id: `${name}${i}` })));
      const outcomes = await Promise.allSettled(all);
      return outcomes.filter(({ status }) => status === 'fulfilled').length;
    };

    it('hold among replicas that create at once', async () => {
      const limits = { maxSessions: 5 };
      const [one, other] = [storeOf(0, limits), storeOf(1, limits)];
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 === 0 ? one : other).create(record({ id: `s${i}`, owner: `owner ${i % 3}` })).then(
            () => 'created',
            (error: McpError) => error.reason,
          ),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === 'created').length).toBe(5);
      expect(outcomes.filter((outcome) => outcome === 'UNAVAILABLE').length).toBe(15);
      expect((await allKeys()).filter((key) => key.endsWith(':session')).length).toBe(5);
    });

    it('count what was refused nowhere', async () => {
      const store = storeOf(0, { maxSessions: 2 });
      await createMany(store, 2);
      await expect(store.create(record({ id: 'x', owner: 'bob' }))).rejects.toMatchObject(refused);
      expect(await replicas.redis.exists(keys().sessionsOf('bob'))).toBe(0);
      expect(await replicas.redis.zcard(keys().sessions)).toBe(2);
    });

    it('count the first when an id is taken', async () => {
      await here.create(record());
      await expect(there.create(record({ owner: 'bob' }))).rejects.toThrow('A session with this id exists');
      expect(await replicas.redis.zcard(keys().sessions)).toBe(1);
      expect(await replicas.redis.zcard(keys().sessionsOf('ada'))).toBe(1);
      expect(await replicas.redis.exists(keys().sessionsOf('bob'))).toBe(0);
    });

    it('do not count per owner for the one that is many', async () => {
      const store = storeOf(0, { maxSessionsPerOwner: 2, maxSessions: 4, uncappedOwner: 'ada' });
      expect(await createMany(store, 4)).toBe(4);
      await expect(store.create(record({ id: 'x' }))).rejects.toMatchObject(refused);
    });

    it('do not count for one owner a session that another one made with its id', async () => {
      const store = storeOf(0, { maxSessionsPerOwner: 1, idleMs: 10_000 });
      await store.create(record({ owner: 'ada' }));
      time += 11_000;
      await store.create(record({ owner: 'bob' }));
      await store.create(record({ id: 's2', owner: 'ada' }));
      await expect(store.create(record({ id: 's3', owner: 'bob' }))).rejects.toMatchObject(refused);
    });

    it('find room among more expired sessions than are looked at in one go', async () => {
      const limits = { maxSessions: 250, maxSessionsPerOwner: 250, idleMs: 10_000 };
      const store = storeOf(0, limits);
      await createMany(store, 250);
      time += 9_000;
      await store.enter('s0', 'ada');
      time += 5_000;

      expect(await createMany(storeOf(1, limits), 260, 't')).toBe(249);
      expect(await store.enter('s0', 'ada')).toMatchObject({ status: 'ok' });
    });

    it('look at a session that lives no more often than it could have expired', async () => {
      const store = storeOf(0, { maxSessions: 3, idleMs: 10_000, absoluteMs: 60_000 });
      await createMany(store, 3);
      time += 9_000;
      for (const id of ['s0', 's1', 's2']) await store.enter(id, 'ada');
      time += 2_000;
      const looks = runsOf(0, 'rookerySessionEnding');

      for (let i = 0; i < 3; i += 1) await expect(store.create(record({ id: 'x' }))).rejects.toMatchObject(refused);
      expect(looks.length).toBe(3);
      expect(await replicas.redis.zscore(keys().sessions, 's0')).toBe(String(time + 8_000));
    });

    it('forget expired sessions in a sweep, a hundred at a time', async () => {
      await createMany(here, 130);
      time += 29 * 60_000;
      await here.enter('s7', 'ada');
      time += 2 * 60_000;
      await sweep();
      expect(await replicas.redis.zcard(keys().sessions)).toBeLessThanOrEqual(31);
      await sweep();
      expect(await replicas.redis.zrange(keys().sessions, '0', '-1')).toEqual(['s7']);
    });
  });

  describe('watch', () => {
    const watching = async (store = there): Promise<{ readonly seen: string[]; stop(): void }> => {
      const seen: string[] = [];
      return { seen, stop: await store.watch('s1', (changed) => seen.push(changed.seen)) };
    };
    const watchers = (): Promise<string[]> => replicas.redis.hkeys(keys().watchers('s1'));

    beforeEach(() => here.create(record()));

    it('hears in a sweep of a change whose message was lost, once', async () => {
      const { seen } = await watching();
      await replicas.muteSubscriber(1);
      await here.update('s1', { seen: 'c1' });
      await sweep(1);
      await sweep(1);
      expect(seen).toEqual(['c1']);
    });

    it('hears nothing in a sweep if nothing has changed', async () => {
      await here.update('s1', { subscribe: 'a://1' });
      const { seen } = await watching();
      await sweep(1);
      expect(seen).toEqual([]);
    });

    it('hears of changes again after Redis forgot who watches', async () => {
      const { seen } = await watching();
      await replicas.redis.del(keys().watchers('s1'));
      await sweep(1);
      await here.update('s1', { seen: 'c1' });
      await eventually(() => expect(seen).toEqual(['c1']));
    });

    it('looks once more for all the messages that come while it looks', async () => {
      const { seen } = await watching();
      const run = ReplicaLink.prototype.run.bind(link(1));
      let letGo!: () => void;
      const held = new Promise<void>((resolve) => (letGo = resolve));
      let looks = 0;
      vi.spyOn(link(1), 'run').mockImplementation(async (script, ...rest) => {
        if (script.name !== 'rookerySessionWatch') return run(script, ...rest);
        looks += 1;
        const answer = await run(script, ...rest);
        await held;
        return answer;
      });
      let messages = 0;
      link(1).on('record', () => (messages += 1));
      await here.update('s1', { seen: 'c1' });
      await eventually(() => expect(looks).toBe(1));
      for (const cursor of ['c2', 'c3', 'c4']) await here.update('s1', { seen: cursor });
      await eventually(() => expect(messages).toBe(4));
      letGo();

      await eventually(() => expect(seen.at(-1)).toBe('c4'));
      expect(looks).toBe(2);
      expect(seen.length).toBeLessThanOrEqual(2);
    });

    it('has Redis tell this replica for as long as anyone here watches', async () => {
      const [one, other] = [await watching(), await watching()];
      expect(await watchers()).toEqual([link(1).id]);
      one.stop();
      await here.update('s1', { seen: 'c1' });
      await eventually(() => expect(other.seen).toEqual(['c1']));
      other.stop();
      await eventually(async () => expect(await watchers()).toEqual([]));
    });

    it('stays told when one begins as the last one stops', async () => {
      const last = await watching();
      const beginning = watching();
      last.stop();
      const next = await beginning;
      await here.update('s1', { seen: 'c1' });
      await eventually(() => expect(next.seen).toEqual(['c1']));
    });

    it('has Redis tell no more, even if it was away when that was said', async () => {
      const { stop } = await watching();
      vi.spyOn(link(1), 'send').mockImplementationOnce(unavailable);
      stop();
      await here.update('s1', { seen: 'c1' });
      await eventually(async () => expect(await watchers()).toEqual([]));
    });

    it('looks no more at a session that has ended', async () => {
      await watching();
      const looks = runsOf(1, 'rookerySessionWatch');
      time += 30 * 60_000;
      await sweep(1);
      expect(looks.length).toBe(1);
      await sweep(1);
      expect(looks.length).toBe(1);
    });

    it('looks no more at a session that was deleted', async () => {
      await watching();
      let gone = false;
      link(1).on('gone', () => (gone = true));
      const looks = runsOf(1, 'rookerySessionWatch');
      await here.delete('s1');
      await eventually(() => expect(gone).toBe(true));
      await sweep(1);
      expect(looks).toEqual([]);
    });

    it('rejects without a trace when Redis is away', async () => {
      vi.spyOn(link(1), 'run').mockImplementationOnce(unavailable);
      await expect(watching()).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
      const looks = runsOf(1, 'rookerySessionWatch');
      await sweep(1);
      expect(looks).toEqual([]);
    });
  });

  it('says that it is unavailable, whatever is asked of it, when Redis is away', async () => {
    replicas.clients[0]!.commands.disconnect();
    const calls: Promise<unknown>[] = [
      here.create(record()),
      here.enter('s1', 'ada'),
      here.enter('s1', 'ada', 1),
      here.leave('s1', 1),
      here.update('s1', { seen: 'c1' }),
      here.watch('s1', () => undefined),
      here.delete('s1'),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ reason: 'UNAVAILABLE', status: 503 });
  });
});
