import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { Change, ChangeRead, LoggedChange } from '../../../src/mcp/session/change-bus.port.js';
import { PUBLISH } from '../../../src/mcp/session/redis/change-scripts.js';
import { RedisKeys } from '../../../src/mcp/session/redis/redis-keys.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedisServer } from '../../support/redis/redis-server.js';
import { type Replica, Replicas } from './replicas.js';

/** Its own: these tests stop it, and let nobody in. */
let redis: RedisServer;

const changed = (uri: string): Change => ({ kind: 'resource', uri });
const nameOf = ({ change }: LoggedChange): string => (change.kind === 'resource' ? change.uri : change.kind);

/** What the listeners of a replica hear, in order: the name of a change, or that changes were lost. */
function heardBy({ bus }: Replica): string[] {
  const heard: string[] = [];
  bus.subscribe(
    (change) => heard.push(nameOf(change)),
    (cursor) => heard.push(`lost, now at ${cursor}`),
  );
  return heard;
}

async function publish({ bus }: Replica, ...uris: string[]): Promise<void> {
  for (const uri of uris) await bus.publish(changed(uri));
}

function namesIn(read: ChangeRead): readonly string[] | string {
  return read.status === 'ok' ? read.changes.map(nameOf) : read.status;
}

/** Lets the server forget what it was told after a moment in the past, as a failover to a late replica does. */
async function rollBack({ admin, keyPrefix }: Replicas, work: () => Promise<void>): Promise<void> {
  const { changes, changesMeta } = new RedisKeys(keyPrefix);
  const [log, books] = [await admin.dumpBuffer(changes), await admin.dumpBuffer(changesMeta)];
  await work();
  await admin.restore(changes, 0, log, 'REPLACE');
  await admin.restore(changesMeta, 0, books, 'REPLACE');
}

describe.skipIf(inject('redisUrl') === null)('the change bus on Redis', () => {
  beforeAll(async () => {
    redis = await startRedisServer({ appendOnly: true });
  });
  afterAll(() => redis.close());

  describe('several replicas', () => {
    it('hear what all of them publish at once in one order, the order of the bus', async () => {
      await using replicas = new Replicas(redis.url);
      const all = [await replicas.add(), await replicas.add(), await replicas.add()];
      const heard = all.map(heardBy);
      const start = await all[0]!.bus.cursor();

      const uris = Array.from({ length: 50 }, (_, i) => i);
      await Promise.all(all.flatMap(({ bus }, which) => uris.map((i) => bus.publish(changed(`${which}/${i}`)))));

      const order = namesIn(await all[0]!.bus.since(start));
      expect(order).toHaveLength(150);
      await eventually(() => expect(heard).toEqual([order, order, order]));
    });

    it('need one command a change, and none to hear of it', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      const heard = [heardBy(here), heardBy(there)];
      // Where they are to begin is known by then.
      await Promise.all([here.bus.cursor(), there.bus.cursor()]);
      const sent = [vi.spyOn(here.link, 'send'), vi.spyOn(there.link, 'send')];
      await publish(here, '1', '2', '3', '4', '5');
      await eventually(() => expect(heard.map(({ length }) => length)).toEqual([5, 5]));

      expect(sent.map(({ mock }) => mock.calls.length)).toEqual([5, 0]);
    });
  });

  describe('messages that are lost', () => {
    it('are noticed by the next one, and read before it', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      const heard = heardBy(there);

      await there.deafen();
      await publish(here, '1', '2');
      await there.hearAgain();
      await publish(here, '3');

      await eventually(() => expect(heard).toEqual(['1', '2', '3']));
    });

    it('are made up for by a sweep, when no next one comes', async () => {
      await using replicas = new Replicas(redis.url);
      const options = { beatMs: 50, sweepMs: 200 };
      const [here, there] = [await replicas.add(options), await replicas.add(options)];
      const heard = [heardBy(here), heardBy(there)];

      await replicas.withoutSubscribers(() => publish(here, '1', '2'));

      await eventually(() =>
        expect(heard).toEqual([
          ['1', '2'],
          ['1', '2'],
        ]),
      );
    });

    it('are heard of by the time that publish, cursor or since of the same replica resolves', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      const heard = heardBy(there);
      const start = await there.bus.cursor();
      await there.deafen();

      await publish(here, '1');
      await there.bus.publish(changed('2'));
      expect(heard).toEqual(['1', '2']);
      await publish(here, '3');
      await there.bus.cursor();
      expect(heard).toEqual(['1', '2', '3']);
      await publish(here, '4');
      expect(namesIn(await there.bus.since(start))).toEqual(['1', '2', '3', '4']);
      expect(heard).toEqual(['1', '2', '3', '4']);
      await publish(here, '5');
      expect(await there.bus.since('nonsense')).toMatchObject({ status: 'gap' });
      expect(heard).toEqual(['1', '2', '3', '4', '5']);
    });

    it('are reported as lost when the bus does not reach back to them, once', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add({ capacity: 3 }), await replicas.add({ capacity: 3 })];
      const heard = heardBy(there);

      await there.deafen();
      await publish(here, '1', '2', '3', '4');
      await there.hearAgain();
      const cursor = await there.bus.cursor();
      await publish(here, '5');

      await eventually(() => expect(heard).toEqual([`lost, now at ${cursor}`, '5']));
    });

    it('are told to whoever still listens, however others take it', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add({ capacity: 1 }), await replicas.add({ capacity: 1 })];
      const gone = vi.fn();
      const ends: (() => void)[] = [];
      ends.push(
        there.bus.subscribe(
          () => undefined,
          () => ends.forEach((end) => end()),
        ),
      );
      ends.push(there.bus.subscribe(() => undefined, gone));
      there.bus.subscribe(() => undefined);
      const heard = heardBy(there);

      await there.deafen();
      await publish(here, '1', '2');
      const cursor = await there.bus.cursor();

      expect(heard).toEqual([`lost, now at ${cursor}`]);
      expect(gone).not.toHaveBeenCalled();
    });
  });

  describe('a bus that was rolled back', () => {
    it('has a gap after what was lost, even if it has since gone as far, and its listeners hear so', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      await publish(here, '1');
      await there.bus.cursor();
      const heard = [heardBy(here), heardBy(there)];

      let lost = '';
      await rollBack(replicas, async () => {
        await publish(here, 'phantom');
        lost = await here.bus.cursor();
        await eventually(() => expect(heard).toEqual([['phantom'], ['phantom']]));
      });
      await publish(here, '2');

      const cursor = await here.bus.cursor();
      expect(cursor.split('-')[0]).toBe(lost.split('-')[0]);
      expect(await here.bus.since(lost)).toEqual({ status: 'gap', cursor });
      expect(await there.bus.since(lost)).toEqual({ status: 'gap', cursor });
      const all = ['phantom', `lost, now at ${cursor}`];
      await eventually(() => expect(heard).toEqual([all, all]));
      await publish(there, '3');
      await eventually(() => expect(heard.map((names) => names.at(-1))).toEqual(['3', '3']));
    });

    it('is known for another one by a replica that missed the change that took the place of the lost one', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      await publish(here, '0');
      await there.bus.cursor();
      const heard = heardBy(there);
      await rollBack(replicas, async () => {
        await publish(here, 'phantom');
        await eventually(() => expect(heard).toEqual(['phantom']));
      });

      await there.deafen();
      await publish(here, '1');
      await there.hearAgain();
      // Its position is the one that is due here.
      await publish(here, '2');

      const cursor = await here.bus.cursor();
      await eventually(() => expect(heard).toEqual(['phantom', `lost, now at ${cursor}`]));
    });
  });

  describe('a bus whose keys do not hang together', () => {
    it('has a gap after all that it may not have, and goes on', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add();
      const cursors: string[] = [];
      for (const uri of ['1', '2', '3']) {
        await publish(here, uri);
        cursors.push(await here.bus.cursor());
      }
      const heard = heardBy(here);

      await replicas.admin.xdel(here.link.keys.changes, cursors[1]!);
      expect(await here.bus.since(cursors[0]!)).toEqual({ status: 'gap', cursor: cursors[2] });
      expect(await here.bus.since(cursors[2]!)).toEqual({ status: 'ok', changes: [] });
      await publish(here, '4');

      expect(namesIn(await here.bus.since(cursors[2]!))).toEqual(['4']);
      expect(heard).toEqual(['4']);
    });

    it('is another bus, if its books are lost', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add();
      await publish(here, '1', '2');
      const before = await here.bus.cursor();
      const heard = heardBy(here);

      await replicas.admin.del(here.link.keys.changesMeta);
      await publish(here, '3');

      const cursor = await here.bus.cursor();
      expect(cursor).toMatch(/^1-/);
      expect(await here.bus.since(before)).toEqual({ status: 'gap', cursor });
      await publish(here, '4');
      expect(heard).toEqual([`lost, now at ${cursor}`, '4']);
    });
  });

  describe('a cursor', () => {
    it('counts only as it was given out', async () => {
      await using replicas = new Replicas(redis.url);
      const { bus, ...here } = await replicas.add();
      await bus.publish(changed('1'));
      const [position, tag] = (await bus.cursor()).split('-');
      await publish({ bus, ...here } as Replica, '2');
      const present = await bus.cursor();

      expect(namesIn(await bus.since(`${position}-${tag}`))).toEqual(['2']);
      for (const forged of [
        `0${position}-${tag}`,
        `${position}-0${tag}`,
        `${position}-1`,
        position!,
        '18446744073709551616-1',
      ]) {
        expect([forged, await bus.since(forged)]).toEqual([forged, { status: 'gap', cursor: present }]);
      }
    });

    it('reaches back as far as the smallest capacity of the replicas that publish', async () => {
      await using replicas = new Replicas(redis.url);
      const [large, small] = [await replicas.add({ capacity: 10 }), await replicas.add({ capacity: 3 })];
      const cursors: string[] = [];
      for (const uri of ['1', '2', '3', '4', '5']) {
        await publish(large, uri);
        cursors.push(await large.bus.cursor());
      }
      await publish(small, '6');

      expect(namesIn(await large.bus.since(cursors[2]!))).toEqual(['4', '5', '6']);
      expect(namesIn(await large.bus.since(cursors[1]!))).toBe('gap');
      await publish(large, '7');
      expect(namesIn(await large.bus.since(cursors[2]!))).toEqual(['4', '5', '6', '7']);
    });
  });

  it('a change that is published again, since the reply was lost, is on the bus once', async () => {
    await using replicas = new Replicas(redis.url);
    const { bus, link } = await replicas.add();
    const start = await bus.cursor();
    const publishes = async (tag: string, since: string): Promise<string[]> => {
      const args = [link.keys.everyone, tag, '{"kind":"tools"}', 1_000, since];
      return (await link.run(PUBLISH, [link.keys.changes, link.keys.changesMeta], args)) as string[];
    };

    expect(await publishes('17', start)).toEqual(['1-17', start]);
    expect(await publishes('17', start)).toEqual(['1-17', '']);
    expect(await publishes('4', start)).toEqual(['2-4', '1-17']);
    expect(await publishes('17', '-')).toEqual(['1-17', '']);
    expect(await publishes('7', start)).toEqual(['3-7', '2-4']);

    expect(namesIn(await bus.since(start))).toEqual(['tools', 'tools', 'tools']);
  });

  it('a change whose reply comes too late is on the bus once, even if others came meanwhile', async () => {
    await using replicas = new Replicas(redis.url);
    const [here, there] = [await replicas.add(), await replicas.add()];
    const heard = [heardBy(here), heardBy(there)];
    await redis.kill('SIGSTOP');
    try {
      await publish(here, '1');
    } finally {
      await redis.kill('SIGCONT');
    }

    await eventually(() => expect(heard).toEqual([['1'], ['1']]));
    await publish(there, '2');
    await here.link.sweep();
    await publish(here, '3');

    await eventually(() =>
      expect(heard).toEqual([
        ['1', '2', '3'],
        ['1', '2', '3'],
      ]),
    );
  });

  describe('while Redis is away', () => {
    it('changes are kept, one a topic, and told in order when it is back; the rest is refused', async () => {
      await using replicas = new Replicas(redis.url);
      const options = { beatMs: 50, sweepMs: 200 };
      const [here, there] = [await replicas.add(options), await replicas.add(options)];
      const heard = [heardBy(here), heardBy(there)];
      await redis.kill();

      try {
        await publish(here, '1', '2', '1');
        await here.bus.publish({ kind: 'tools' });
        await expect(here.bus.cursor()).rejects.toMatchObject({ name: 'McpError', reason: 'UNAVAILABLE' });
        await expect(here.bus.since('0-0')).rejects.toMatchObject({ name: 'McpError', reason: 'UNAVAILABLE' });
      } finally {
        await redis.restart();
      }

      await eventually(() =>
        expect(heard).toEqual([
          ['1', '2', 'tools'],
          ['1', '2', 'tools'],
        ]),
      );
    });

    it('and empty when it is back, listeners hear of the loss and then of what was kept', async () => {
      await using replicas = new Replicas(redis.url);
      const options = { beatMs: 50, sweepMs: 200 };
      const here = await replicas.add(options);
      await publish(here, '1');
      const heard = heardBy(here);
      await redis.kill();

      try {
        await publish(here, '2');
      } finally {
        await redis.restart({ appendOnly: false });
      }

      await eventually(() => expect(heard).toEqual([expect.stringMatching(/^lost, now at 0-\d+$/), '2']));
      await redis.restart({ appendOnly: true });
    });

    it('no more than 1,000 topics are kept, and the log says so', async () => {
      await using replicas = new Replicas(redis.url);
      const warn = vi.fn();
      const here = await replicas.add({ beatMs: 50, sweepMs: 200, logger: { log: vi.fn(), error: vi.fn(), warn } });
      const heard = heardBy(here);
      await redis.kill();

      const uris = Array.from({ length: 1_002 }, (_, i) => `${i}`);
      try {
        await publish(here, ...uris, '0');
      } finally {
        await redis.restart();
      }

      await eventually(() => expect(heard).toEqual(uris.slice(0, 1_000)));
      await eventually(() => expect(warn).toHaveBeenCalledTimes(2));
      expect(warn.mock.calls.flat()).toEqual([
        expect.stringMatching(/^Redis is away and 1000 changes wait to be told; further ones are dropped\./),
        expect.stringMatching(/^2 changes were dropped while Redis was away: .* Publish a change of the lists/),
      ]);
    });

    it('a replica may begin, and hears all that is published once it has reached Redis', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add();
      await publish(here, 'before');
      await redis.kill();
      const late = replicas.make({ beatMs: 50, sweepMs: 200 });
      const heard = heardBy(late);
      try {
        await late.start();
      } finally {
        await redis.restart();
      }

      await eventually(() => late.bus.cursor());
      await eventually(() => here.bus.cursor());
      await publish(here, '1', '2');

      await eventually(() => expect(heard).toEqual(['1', '2']));
    });
  });

  it('a listener hears nothing from before its subscription, even if others are still being told', async () => {
    await using replicas = new Replicas(redis.url);
    const [here, there] = [await replicas.add(), await replicas.add()];
    const late: string[] = [];
    let subscribed = false;
    there.bus.subscribe(() => {
      if (subscribed) return;
      subscribed = true;
      there.bus.subscribe((change) => late.push(nameOf(change)));
    });

    await there.deafen();
    await publish(here, '1', '2');
    await there.bus.cursor();
    await there.bus.publish(changed('3'));

    expect(late).toEqual(['3']);
  });
});
