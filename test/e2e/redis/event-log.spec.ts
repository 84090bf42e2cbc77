import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { McpError } from '../../../src/mcp/protocol/errors.js';
import type { AttachmentListener } from '../../../src/mcp/session/event-log.port.js';
import { RedisEventLog } from '../../../src/mcp/session/redis/redis-event-log.js';
import type { ReplicaLink } from '../../../src/mcp/session/redis/replica-link.js';
import { eventually } from '../../support/eventually.js';
import { type TestReplicas, testReplicas } from '../../support/redis/test-replicas.js';

const url = inject('redisUrl') ?? '';

/** A connection that counts what it is told. */
class Reader implements AttachmentListener {
  wakes = 0;
  displacements = 0;
  /** What letting go takes. */
  letGo: Promise<void> = Promise.resolve();

  wake(): void {
    this.wakes += 1;
  }

  async displaced(): Promise<void> {
    this.displacements += 1;
    await this.letGo;
  }
}

describe.skipIf(url === '')('the event log on Redis', () => {
  let replicas: TestReplicas;
  let here: RedisEventLog;
  let there: RedisEventLog;

  beforeEach(async () => {
    replicas = await testReplicas(url, 2);
    [here, there] = replicas.links.map((link) => new RedisEventLog(link, { patienceMs: 5_000 })) as [
      RedisEventLog,
      RedisEventLog,
    ];
    await replicas.createSession('s1');
  });
  afterEach(() => replicas.close());

  const keysOf = (sessionId: string): Promise<string[]> =>
    replicas.redis.keys(`${replicas.links[0]!.keys.ofSession(sessionId).replaceAll(/[{}]/g, '?')}*`);

  it('writes nothing for a session that is gone', async () => {
    await expect(here.append('s2', 'a', 'x')).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
    await expect(here.attach('s2', 'a', new Reader())).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
    expect(await keysOf('s2')).toEqual([]);
  });

  it('leaves no key behind when a session is cleared, and none after the last reader of an empty stream', async () => {
    await here.append('s1', 'a', 'x');
    const attachment = await there.attach('s1', 'b', new Reader());
    attachment.detach();
    await here.clear('s1');
    await eventually(async () => expect(await keysOf('s1')).toEqual([expect.stringMatching(/:session$/)]));
  });

  it('lets all keys of a stream lapse', async () => {
    await here.append('s1', 'a', 'x');
    await there.attach('s1', 'b', new Reader());
    for (const key of await keysOf('s1')) {
      if (!key.endsWith(':session')) expect([key, (await replicas.redis.pttl(key)) > 0]).toEqual([key, true]);
    }
  });

  it('keeps the keys of a stream that is read, at each sweep', async () => {
    await here.append('s1', 'a', 'x');
    await here.attach('s1', 'a', new Reader());
    const keys = (await keysOf('s1')).filter((key) => !key.endsWith(':session'));
    for (const key of keys) await replicas.redis.pexpire(key, 5_000);
    await replicas.links[0]!.sweep();
    for (const key of keys) expect([key, (await replicas.redis.pttl(key)) > 60_000]).toEqual([key, true]);
  });

  it('writes an event once, however often it had to be tried', async () => {
    const link = replicas.links[0]!;
    // The reply of the first try is lost: the server has done it all the same.
    vi.spyOn(link, 'run').mockImplementationOnce(async (...step) => {
      await link.run(...step);
      throw new McpError('UNAVAILABLE', 'Connection is closed.');
    });
    await here.append('s1', 'a', 'one');
    await here.append('s1', 'a', 'two');
    expect(await there.read('s1', 'a', '', 10)).toMatchObject({ events: [{ data: 'one' }, { data: 'two' }] });
  });

  it('wakes the reader of an event that had to be tried twice', async () => {
    const [link, reader] = [replicas.links[0]!, new Reader()];
    await here.attach('s1', 'a', reader);
    vi.spyOn(link, 'run').mockImplementationOnce(async (...step) => {
      await link.run(...step);
      throw new McpError('UNAVAILABLE', 'Command timed out');
    });
    await here.append('s1', 'a', 'one');
    expect(reader.wakes).toBeGreaterThan(0);
  });

  it('keeps no more of a session than it may, dropping what was written least recently', async () => {
    const small = new RedisEventLog(replicas.links[0]!, { maxSessionBytes: 100 });
    await small.append('s1', 'old', 'x'.repeat(60));
    await small.attach('s1', 'read', new Reader());
    await small.append('s1', 'read', 'x'.repeat(30));
    await small.append('s1', 'new', 'x'.repeat(60));

    expect(await there.read('s1', 'old', '', 10)).toEqual({ status: 'unknown' });
    expect(await there.read('s1', 'read', '', 10)).toMatchObject({ status: 'ok' });
    expect(await there.read('s1', 'new', '', 10)).toMatchObject({ status: 'ok' });
  });

  it('believes in a replica again that was held for gone', async () => {
    const cursor = await here.append('s1', 'a', 'x');
    await there.attach('s1', 'a', new Reader());
    await there.read('s1', 'a', cursor, 10);
    const isGone = vi.spyOn(replicas.links[1]!, 'isGone').mockResolvedValue(true);
    await eventually(async () => expect(await there.read('s1', 'a', cursor, 10)).toEqual({ status: 'orphaned' }));
    isGone.mockRestore();
    expect(await there.read('s1', 'a', cursor, 10)).toEqual({ status: 'ok', events: [] });
  });

  it('reports a gap when the log lost its tail, even if it has since grown past it', async () => {
    const { redis, links } = replicas;
    const [meta, stream] = [links[0]!.keys.streamMeta('s1', 'a'), links[0]!.keys.stream('s1', 'a')];
    await here.append('s1', 'a', '1');
    const [savedMeta, savedStream] = await Promise.all([redis.dumpBuffer(meta), redis.dumpBuffer(stream)]);
    await here.append('s1', 'a', '2');
    const lost = await here.append('s1', 'a', '3');

    await redis.restore(meta, 0, savedMeta, 'REPLACE');
    await redis.restore(stream, 0, savedStream, 'REPLACE');
    expect(await there.read('s1', 'a', lost, 10)).toEqual({ status: 'gap' });
    for (const data of ['2b', '3b', '4b']) await here.append('s1', 'a', data);
    expect(await there.read('s1', 'a', lost, 10)).toEqual({ status: 'gap' });
  });

  it('wakes a reader whose wake-up was lost', async () => {
    const reader = new Reader();
    const deaf = new RedisEventLog(await replicas.add({ sweepMs: 600_000 }));
    await deaf.attach('s1', 'a', reader);
    replicas.clients[2]!.subscriber.disconnect(true);
    await here.append('s1', 'a', 'x');
    await eventually(() => expect(reader.wakes).toBeGreaterThan(0));
  });

  it('takes a stream over once the former reader has let go', async () => {
    const [former, order] = [new Reader(), [] as string[]];
    let letGo: () => void = () => undefined;
    former.letGo = new Promise<void>((resolve) => (letGo = resolve)).then(() => void order.push('let go'));
    await here.attach('s1', 'a', former);
    // It does not take it all the same before this test goes on, however busy the machine is.
    const patient = new RedisEventLog(replicas.links[1]!, { handoverMs: 20_000 });
    const taken = patient.attach('s1', 'a', new Reader()).then(() => order.push('taken'));
    await eventually(() => expect(former.displacements).toBe(1));
    letGo();
    await taken;
    expect(order).toEqual(['let go', 'taken']);
  });

  it('takes it over no sooner because a sweep has found out before the message came', async () => {
    const own = await testReplicas(url, 2);
    onTestFinished(() => own.close());
    await own.createSession('s2');
    const [link, other] = own.links as [ReplicaLink, ReplicaLink];
    let deliver: (() => unknown) | undefined;
    const on = link.on.bind(link);
    vi.spyOn(link, 'on').mockImplementation((kind, hear) => {
      on(kind, kind === 'displaced' ? (message) => void (deliver = () => hear(message)) : hear);
    });
    const [first, second] = [new RedisEventLog(link), new RedisEventLog(other, { handoverMs: 20_000 })];
    const [former, order, reader] = [new Reader(), [] as string[], new Reader()];
    let letGo: () => void = () => undefined;
    former.letGo = new Promise<void>((resolve) => (letGo = resolve)).then(() => void order.push('let go'));
    await first.attach('s2', 'a', former);
    await second.attach('s2', 'b', reader);

    const taken = second.attach('s2', 'a', new Reader()).then(() => order.push('taken'));
    await eventually(() => expect(deliver).toBeDefined());
    const swept = link.sweep();
    await eventually(() => expect(former.displacements).toBe(1));
    deliver?.();
    // Whatever was said to the other replica meanwhile has come when this has.
    await first.append('s2', 'b', 'x');
    await eventually(() => expect(reader.wakes).toBeGreaterThan(0));
    letGo();
    await Promise.all([taken, swept]);
    expect(order).toEqual(['let go', 'taken']);
  });

  it('takes a stream over from a replica that is gone', async () => {
    await here.attach('s1', 'a', new Reader());
    await replicas.crash(0);
    await expect(there.attach('s1', 'a', new Reader())).resolves.toBeDefined();
  });

  it('tells a reader that the replica that wrote is gone, after all that it wrote', async () => {
    const cursor = await here.append('s1', 'a', 'x');
    await there.attach('s1', 'a', new Reader());
    expect(await there.read('s1', 'a', cursor, 10)).toEqual({ status: 'ok', events: [] });
    await replicas.crash(0);

    await eventually(async () => expect(await there.read('s1', 'a', cursor, 10)).toEqual({ status: 'orphaned' }));
    expect(await there.read('s1', 'a', '', 10)).toMatchObject({ status: 'ok', events: [{ data: 'x' }] });
  });

  it('wakes the reader of a replica that is gone', async () => {
    const reader = new Reader();
    const cursor = await here.append('s1', 'a', 'x');
    await there.attach('s1', 'a', reader);
    await there.read('s1', 'a', cursor, 10);
    await replicas.links[1]!.sweep();
    const before = reader.wakes;
    await replicas.crash(0);
    await eventually(() => expect(reader.wakes).toBeGreaterThan(before));
  });

  it('does not take a replica for gone while Redis is only just back', async () => {
    await here.append('s1', 'a', 'x');
    const late = await replicas.add({ aliveMs: 60_000 });
    await replicas.redis.del(late.keys.alive(replicas.links[0]!.id));
    expect(await late.isGone(replicas.links[0]!.id)).toBe(false);
  });
});
