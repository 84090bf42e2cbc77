import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { ReplicaLink } from '../../../src/mcp/session/redis/replica-link.js';
import { eventually } from '../../support/eventually.js';
import { type TestReplicas, testReplicas } from '../../support/redis/test-replicas.js';

const url = inject('redisUrl') ?? '';

describe.skipIf(url === '')('the link between replicas', () => {
  let replicas: TestReplicas;

  beforeEach(async () => {
    replicas = await testReplicas(url, 2, { sweepMs: 600_000 });
  });
  afterEach(() => replicas.close());

  const tell = (channel: string, ...fields: string[]): Promise<number> =>
    replicas.redis.publish(channel, JSON.stringify(fields));

  /** Resolves when the key of the replica lives longer again. */
  const nextBeat = async ({ keys, id }: ReplicaLink): Promise<void> => {
    let left = Infinity;
    await eventually(async () => {
      const before = left;
      left = await replicas.redis.pttl(keys.alive(id));
      expect(left).toBeGreaterThan(before);
    });
  };

  it('hears what is told to everyone, and what is told to it alone', async () => {
    const [here, there] = [replicas.links[0]!, replicas.links[1]!];
    const heard: string[] = [];
    here.on('word', ([word]) => heard.push(`here ${word}`));
    there.on('word', ([word]) => heard.push(`there ${word}`));
    await tell(here.keys.inbox(here.id), 'word', 'one');
    await tell(here.keys.everyone, 'word', 'two');
    await eventually(() => expect(heard.toSorted()).toEqual(['here one', 'here two', 'there two']));
  });

  it('goes on after a message that is none of its own, and after a handler that throws', async () => {
    const [here] = replicas.links;
    const heard: string[] = [];
    here!.on('word', () => {
      throw new Error('handler failed');
    });
    here!.on('word', ([word = '']) => heard.push(word));
    for (const strange of ['', 'nonsense', '{}', '["word", 7]', 'null']) {
      await replicas.redis.publish(here!.keys.everyone, strange);
    }
    await tell(here!.keys.everyone, 'word', 'one');
    await eventually(() => expect(heard).toEqual(['one']));
  });

  it('notices that messages were lost, and has everyone look', async () => {
    const sweeper = vi.fn(async () => undefined);
    replicas.links[0]!.onSweep(sweeper);
    // The sweeps of the start are over by then.
    for (let i = 0; i < 2; i += 1) await nextBeat(replicas.links[0]!);
    const before = sweeper.mock.calls.length;
    await replicas.muteSubscriber(0);
    await nextBeat(replicas.links[0]!);
    await replicas.unmuteSubscriber(0);
    await eventually(() => expect(sweeper.mock.calls.length).toBeGreaterThan(before));
  });

  it('subscribes again when it does not hear itself', async () => {
    const [here] = replicas.links;
    const heard: string[] = [];
    here!.on('word', ([word = '']) => heard.push(word));
    await replicas.muteSubscriber(0);
    await eventually(async () => {
      await tell(here!.keys.everyone, 'word', 'one');
      expect(heard).toContain('one');
    });
  });

  it('is alive until it says goodbye, or has not been heard of for a while', async () => {
    const [here, there] = [replicas.links[0]!, replicas.links[1]!];
    expect(await here.isGone(there.id)).toBe(false);
    await there.close();
    await eventually(async () => expect(await here.isGone(there.id)).toBe(true));
    expect(await here.isGone(here.id)).toBe(false);
  });

  it('hears that a replica it depends on is gone', async () => {
    const [here, there] = [replicas.links[0]!, replicas.links[1]!];
    const gone = vi.fn();
    here.onGone({ replicas: () => [there.id], gone });
    await replicas.crash(1);
    await eventually(() => expect(gone).toHaveBeenCalledWith(there.id));
  });

  it('says so when Redis cannot be reached', async () => {
    const [here] = replicas.links;
    expect(here).toMatchObject({ reached: true, available: true, failure: '' });
    replicas.clients[0]!.commands.disconnect();
    await eventually(() => expect(here!.available).toBe(false));
    expect(here!.reached).toBe(true);
    await expect(here!.send((client) => client.ping())).rejects.toMatchObject({ reason: 'UNAVAILABLE', status: 503 });
  });

  it('refuses a key prefix that would tear sessions apart', async () => {
    await expect(testReplicas(url, 1, { keyPrefix: 'a{b}' })).rejects.toThrow('must not hold braces');
  });
});
