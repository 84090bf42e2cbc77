import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { CallListener, ClientAnswer } from '../../../src/mcp/session/mailbox.port.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedisServer } from '../../support/redis/redis-server.js';
import { type Replica, Replicas } from './replicas.js';

/** Its own: these tests stop it, and let nobody in. */
let redis: RedisServer;

const NEVER = new AbortController().signal;
const ANSWER: ClientAnswer = {
  result: { action: 'accept', content: { list: [], text: 'ä/"\u{1f600}', number: 1e21 } },
};

/** A running call that keeps what it heard. */
class Call implements CallListener {
  readonly heard: string[] = [];

  cancelled(reason: string | undefined): void {
    this.heard.push(`cancelled: ${reason ?? 'no reason'}`);
  }

  ended(): void {
    this.heard.push('ended');
  }
}

async function listening({ mailbox }: Replica, sessionId: string, requestId: string | number): Promise<Call> {
  const call = new Call();
  mailbox.listen(sessionId, requestId, call);
  return call;
}

/** Lets the rejection of an ask be looked at later. */
function outcomeOf(asked: Promise<ClientAnswer>): Promise<unknown> {
  return asked.catch((error: unknown) => error);
}

describe.skipIf(inject('redisUrl') === null)('the mailbox on Redis', () => {
  beforeAll(async () => {
    redis = await startRedisServer({ appendOnly: true });
  });
  afterAll(() => redis.close());

  describe('a question', () => {
    it('may be answered as soon as it was asked: its registration is on the way by then', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add();

      const asked = here.mailbox.expect('s1', 'ask', NEVER);

      expect(await here.mailbox.answer('s1', 'ask', ANSWER)).toBe(true);
      expect(await asked).toEqual(ANSWER);
    });

    it('takes one of twenty answers that come at once on two replicas', async () => {
      await using replicas = new Replicas(redis.url);
      const [asker, ...others] = [await replicas.add(), await replicas.add(), await replicas.add()];
      const asked = asker.mailbox.expect('s1', 'ask', NEVER);
      await eventually(async () => expect(await replicas.sessionKeys()).toEqual(['{s1}:asks']));

      const answers = Array.from({ length: 20 }, (_, number) => ({ result: { number } }));
      const taken = await Promise.all(answers.map((answer, i) => others[i % 2]!.mailbox.answer('s1', 'ask', answer)));

      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await asked).toEqual(answers[taken.indexOf(true)]);
    });

    it('brings its answer to a replica that hears nothing, if it was given there', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add();
      await here.deafen();

      const asked = here.mailbox.expect('s1', 'ask', NEVER);
      await here.mailbox.answer('s1', 'ask', ANSWER);

      expect(await asked).toEqual(ANSWER);
    });

    it('brings its answer by a message only from another replica', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      const heard: (readonly string[])[] = [];
      here.link.on('answered', (fields) => heard.push(fields));

      const asked = ['here', 'there'].map((askId) => here.mailbox.expect('s1', askId, NEVER));
      await here.mailbox.answer('s1', 'here', ANSWER);
      await there.mailbox.answer('s1', 'there', ANSWER);
      await Promise.all(asked);

      expect(heard).toEqual([['s1', 'there']]);
    });

    it('is kept for as long as the longest retention says', async () => {
      await using replicas = new Replicas(redis.url);
      const long = await replicas.add({ askRetentionMs: 60_000 });
      const short = await replicas.add({ askRetentionMs: 1_000 });
      const abort = new AbortController();

      const asked = [long.mailbox.expect('s1', 'long', abort.signal)].map(outcomeOf);
      await eventually(async () => expect(await replicas.sessionKeys()).toHaveLength(1));
      asked.push(outcomeOf(short.mailbox.expect('s1', 'short', abort.signal)));
      await eventually(async () => expect(await replicas.admin.hlen(short.link.keys.asks('s1'))).toBe(2));

      const left = await replicas.admin.pttl(short.link.keys.asks('s1'));
      expect(left).toBeGreaterThan(50_000);
      expect(left).toBeLessThanOrEqual(60_000);
      abort.abort();
      await Promise.all(asked);
    });

    it('that cannot be registered is refused, and may be asked again', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add({ patienceMs: 300 });
      await redis.kill();

      try {
        const asked = here.mailbox.expect('s1', 'ask', NEVER);
        await expect(asked).rejects.toMatchObject({ name: 'McpError', reason: 'UNAVAILABLE' });
        const refused = { name: 'McpError', reason: 'UNAVAILABLE' };
        await expect(here.mailbox.answer('s1', 'ask', ANSWER)).rejects.toMatchObject(refused);
        await expect(here.mailbox.cancel('s1', 1, undefined)).rejects.toMatchObject(refused);
        await expect(here.mailbox.end('s1')).rejects.toMatchObject(refused);
      } finally {
        await redis.restart();
      }

      await eventually(async () => expect(await here.mailbox.answer('s1', 'ask', ANSWER)).toBe(false));
      const again = here.mailbox.expect('s1', 'ask', NEVER);
      expect(await here.mailbox.answer('s1', 'ask', ANSWER)).toBe(true);
      expect(await again).toEqual(ANSWER);
    });

    it('that was answered before, unnoticed, is settled by the next try to answer it', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add();
      const asked = here.mailbox.expect('s1', 'ask', NEVER);
      await eventually(async () => expect(await replicas.sessionKeys()).toEqual(['{s1}:asks']));

      await replicas.admin.hset(here.link.keys.asks('s1'), 'ask', `a${JSON.stringify(ANSWER)}`);
      expect(await here.mailbox.answer('s1', 'ask', { result: {} })).toBe(false);

      expect(await asked).toEqual(ANSWER);
    });

    it('with an id that is pending is a fault of the caller', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add();

      const asked = here.mailbox.expect('s1', 'ask', NEVER);
      await expect(here.mailbox.expect('s1', 'ask', NEVER)).rejects.toThrow('pending');
      await here.mailbox.answer('s1', 'ask', ANSWER);

      expect(await asked).toEqual(ANSWER);
    });
  });

  describe('what a sweep finds', () => {
    it('is an answer whose message was lost', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      await here.deafen();
      const asked = here.mailbox.expect('s1', 'ask', NEVER);

      await eventually(async () => expect(await there.mailbox.answer('s1', 'ask', ANSWER)).toBe(true));
      await here.link.sweep();

      expect(await asked).toEqual(ANSWER);
      await eventually(async () => expect(await replicas.sessionKeys()).toEqual([]));
    });

    it('is a cancellation whose message was lost, of the call it was meant for, once', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      await replicas.createSession('s1', 1, '1');
      const [number, text] = [await listening(here, 's1', 1), await listening(here, 's1', '1')];
      await here.deafen();

      await there.mailbox.cancel('s1', 1, 'changed my mind');
      await here.link.sweep();
      expect([number.heard, text.heard]).toEqual([['cancelled: changed my mind'], []]);
      await there.mailbox.cancel('s1', '1', undefined);
      await here.link.sweep();
      await here.link.sweep();

      expect([number.heard, text.heard]).toEqual([['cancelled: changed my mind'], ['cancelled: no reason']]);
    });

    it('is not a cancellation that was heard', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      const session = await replicas.createSession('s1', 1);
      const call = await listening(here, 's1', 1);

      await there.mailbox.cancel('s1', 1, 'x');
      await eventually(() => expect(call.heard).toEqual(['cancelled: x']));
      await here.link.sweep();

      expect(call.heard).toEqual(['cancelled: x']);
      expect(await replicas.admin.hget(session, 'c:1')).toBe('"x"');
    });

    it('is the end of a session whose message was lost', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      const session = await replicas.createSession('s1', 1);
      const [call, other] = [await listening(here, 's1', 1), await listening(here, 's2', 1)];
      const asked = outcomeOf(here.mailbox.expect('s1', 'ask', NEVER));
      await here.deafen();

      await replicas.admin.del(session);
      await there.mailbox.end('s1');
      await here.link.sweep();
      await here.link.sweep();

      expect([call.heard, other.heard]).toEqual([['ended'], []]);
      expect(await asked).toMatchObject({ name: 'McpError', reason: 'SESSION_NOT_FOUND' });
      await eventually(async () => expect(await replicas.sessionKeys()).toEqual([]));
    });

    it('is a question that Redis lost, which can then be answered', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      const asked = here.mailbox.expect('s1', 'ask', NEVER);
      await eventually(async () => expect(await replicas.sessionKeys()).toContain('{s1}:asks'));

      await replicas.admin.del(here.link.keys.asks('s1'));
      expect(await there.mailbox.answer('s1', 'ask', ANSWER)).toBe(false);
      await here.link.sweep();

      expect(await there.mailbox.answer('s1', 'ask', ANSWER)).toBe(true);
      expect(await asked).toEqual(ANSWER);
    });

    it('is everything that was told while no message came through', async () => {
      await using replicas = new Replicas(redis.url);
      const options = { beatMs: 50, sweepMs: 200 };
      const [here, there] = [await replicas.add(options), await replicas.add(options)];
      await replicas.createSession('s1', 1);
      const gone = await replicas.createSession('s2', 1);
      const calls = [await listening(here, 's1', 1), await listening(here, 's2', 1)];
      const asked = here.mailbox.expect('s1', 'ask', NEVER);
      await eventually(async () => expect(await replicas.sessionKeys()).toContain('{s1}:asks'));

      await replicas.withoutSubscribers(async () => {
        await there.mailbox.cancel('s1', 1, 'x');
        await there.mailbox.answer('s1', 'ask', ANSWER);
        await replicas.admin.del(gone);
        await there.mailbox.end('s2');
      });

      expect(await asked).toEqual(ANSWER);
      await eventually(() => expect(calls.map(({ heard }) => heard)).toEqual([['cancelled: x'], ['ended']]));
    });
  });

  describe('a cancellation', () => {
    it('reaches a call on the replica it was posted to, even if that hears nothing', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add();
      const call = await listening(here, 's1', 1);
      await here.deafen();

      await here.mailbox.cancel('s1', 1, 'x');

      expect(call.heard).toEqual(['cancelled: x']);
    });

    it('leaves nothing behind for a request that is not running', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add();
      const session = await replicas.createSession('s1', 1);

      await here.mailbox.cancel('s1', 2, 'x');
      await here.mailbox.cancel('s2', 1, 'x');

      expect(await replicas.sessionKeys()).toEqual([]);
      expect(await replicas.admin.hkeys(session)).toEqual(['owner', 'r:1']);
    });
  });

  describe('the end of a session', () => {
    it('is heard by the message of the store, too, and once', async () => {
      await using replicas = new Replicas(redis.url);
      const [here, there] = [await replicas.add(), await replicas.add()];
      const [call, other] = [await listening(here, 's1', 1), await listening(here, 's2', 1)];
      await replicas.createSession('s2', 1);

      await replicas.admin.publish(here.link.keys.everyone, JSON.stringify(['gone', 's1', '17']));
      await eventually(() => expect(call.heard).toEqual(['ended']));
      await there.mailbox.end('s1');
      await there.mailbox.cancel('s2', 1, undefined);

      await eventually(() => expect(other.heard).toEqual(['cancelled: no reason']));
      expect(call.heard).toEqual(['ended']);
    });

    it('is heard on the replica it was posted to, even if that hears nothing', async () => {
      await using replicas = new Replicas(redis.url);
      const here = await replicas.add();
      const call = await listening(here, 's1', 1);
      await here.deafen();

      await here.mailbox.end('s1');

      expect(call.heard).toEqual(['ended']);
    });
  });

  it('nothing is left in Redis of questions that were answered, given up, or ended with their session', async () => {
    await using replicas = new Replicas(redis.url);
    const [here, there] = [await replicas.add(), await replicas.add()];
    const abort = new AbortController();
    const ask = (askId: string): Promise<unknown> => outcomeOf(here.mailbox.expect('s1', askId, abort.signal));

    const answered = ask('answered');
    await eventually(async () => expect(await there.mailbox.answer('s1', 'answered', ANSWER)).toBe(true));
    await answered;
    await eventually(async () => expect(await replicas.sessionKeys()).toEqual([]));

    const given = [ask('given up'), ask('given up too')];
    abort.abort();
    await Promise.all(given);
    await eventually(async () => expect(await replicas.sessionKeys()).toEqual([]));

    await replicas.admin.hset(here.link.keys.asks('s1'), 'of a replica that is gone', 'pgone');
    const ended = [outcomeOf(here.mailbox.expect('s1', 'ended', NEVER))];
    await eventually(async () => expect(await replicas.sessionKeys()).toEqual(['{s1}:asks']));
    await there.mailbox.end('s1');
    await Promise.all(ended);
    await eventually(async () => expect(await replicas.sessionKeys()).toEqual([]));
  });

  it('a call costs nothing, a question three commands, an answer one; what is over costs no sweep', async () => {
    await using replicas = new Replicas(redis.url);
    // No sweep comes by itself: two are due soon after a start, and would be counted.
    const [here, there] = [await replicas.add(), await replicas.add()];
    const [asker, answerer] = [vi.spyOn(here.link, 'send'), vi.spyOn(there.link, 'send')];
    const abort = new AbortController();

    const stop = here.mailbox.listen('s1', 1, new Call());
    const asked = here.mailbox.expect('s1', 'ask', abort.signal);
    await eventually(async () => expect(await replicas.sessionKeys()).toEqual(['{s1}:asks']));
    stop();
    await there.mailbox.answer('s1', 'ask', ANSWER);
    await asked;
    const stopAnother = here.mailbox.listen('s2', 1, new Call());
    stopAnother();
    await eventually(async () => expect(await replicas.sessionKeys()).toEqual([]));
    expect([asker.mock.calls.length, answerer.mock.calls.length]).toEqual([3, 1]);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);

    await here.link.sweep();
    // The bus looks.
    expect(asker).toHaveBeenCalledTimes(4);
  });
});
