import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, WireSession, initialize, post, responseOf } from '../../support/wire.js';
import { CLIENTS } from '../clients/real-clients.js';
import { EventStream, errorFrame, resultFrame, textResult } from '../session/session-app.js';
import { streamIn } from './streaming.js';
import { CAN_CLUSTER, TestCluster, at, callAt, callIn, textOf } from './test-cluster.js';

/** Functional bounds: the tests share their machine, and say that something happens, not how fast. */

const NO_SESSION = errorFrame('eve', 404, 'No such session. Send initialize to open a new one.');

describe.skipIf(!CAN_CLUSTER)('a session on three replicas', () => {
  let app: TestCluster;
  let urls: [a: string, b: string, c: string];
  beforeAll(async () => {
    app = await TestCluster.start();
    urls = app.urls;
  }, 120_000);
  afterAll(() => app?.[Symbol.asyncDispose]());

  describe('any replica', () => {
    it.each([1, 2])('serves every method of a session that another one opened (%i)', async (other) => {
      const session = at(urls[other] as string, await WireSession.open(urls[0]));
      const ask = async (method: string, params: Json = {}): Promise<unknown> =>
        (await responseOf(await session.request(method, params, randomUUID())))['result'];

      expect(await ask('ping')).toEqual({});
      expect(await ask('tools/list')).toMatchObject({ tools: expect.arrayContaining([expect.anything()]) });
      expect(await ask('tools/call', { name: 'echo', arguments: { text: 'hi' } })).toMatchObject({
        content: [{ text: `${app.cluster.replicas[other]?.pid} hi` }],
      });
      expect(await ask('resources/list')).toMatchObject({ resources: [{ uri: 'notes://first' }] });
      expect(await ask('resources/templates/list')).toMatchObject({
        resourceTemplates: [{ uriTemplate: 'notes://{name}' }],
      });
      expect(await ask('resources/read', { uri: 'notes://one' })).toMatchObject({
        contents: [{ text: 'the note one' }],
      });
      expect(await ask('resources/subscribe', { uri: 'notes://one' })).toEqual({});
      expect(await ask('resources/unsubscribe', { uri: 'notes://one' })).toEqual({});
      expect(await ask('prompts/list')).toMatchObject({ prompts: [{ name: 'explain' }] });
      expect(await ask('prompts/get', { name: 'explain', arguments: { topic: 'redis' } })).toMatchObject({
        messages: [{ content: { text: 'Explain redis.' } }],
      });
      expect(
        await ask('completion/complete', {
          ref: { type: 'ref/prompt', name: 'explain' },
          argument: { name: 'topic', value: 're' },
        }),
      ).toMatchObject({ completion: { values: ['redis', 'replicas'] } });
      expect(await ask('logging/setLevel', { level: 'error' })).toEqual({});
    });

    it('answers when requests of one session go wherever chance sends them', async () => {
      const session = await WireSession.open(app.url);

      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, n) => callIn(session, 'echo', { text: `${n}` })),
      );

      expect(answers.map((answer) => answer.split(' ')[1])).toEqual(Array.from({ length: 60 }, (_, n) => String(n)));
      expect(new Set(answers.map((answer) => answer.split(' ')[0])).size).toBe(3);
    });

    it('knows at once what was said to another one', async () => {
      const [a, b, c] = urls;
      const session = await WireSession.open(a);

      await at(b, session).request('logging/setLevel', { level: 'error' }, 'set');
      const stream = await EventStream.call(at(c, session), 'speak');

      expect(await stream.messages()).toEqual([
        { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'error', data: 'heard by all' } },
        resultFrame(1, textResult('said')),
      ]);
    });

    it('refuses the id of a request that runs on another one, and takes it when that has ended', async () => {
      const [a, b, c] = urls;
      const session = await WireSession.open(a);
      const stream = await streamIn(session, 'gated', { gate: 'busy', until: 1, to: 2 }, 'r-1');
      await stream.message();

      const refused = await at(b, session).request('ping', {}, 'r-1');
      await callAt(a, 'open', { name: 'busy' });
      await stream.messages();

      expect(refused.status).toBe(400);
      expect(await refused.json()).toEqual(
        errorFrame('r-1', -32600, 'A request with the id "r-1" is running on this session.'),
      );
      await expect.poll(async () => (await at(c, session).request('ping', {}, 'r-1')).status).toBe(200);
    });
  });

  describe('the principal that opened a session', () => {
    const ADA = { authorization: 'Bearer ada.first-token' };
    const ADA_REFRESHED = { authorization: 'Bearer ada.second-token' };
    const EVE = { authorization: 'Bearer eve.token' };
    const ping = (id: string = randomUUID()) => ({ jsonrpc: '2.0', id, method: 'ping' });

    async function openFor(headers: Record<string, string>): Promise<WireSession> {
      const opened = await post(urls[0], JSON.stringify(initialize('2025-11-25')), headers);
      return at(urls[0], { id: opened.headers.get('mcp-session-id'), revision: '2025-11-25' } as WireSession);
    }

    it('is the only one who can use it, at any replica', async () => {
      const session = await openFor(ADA);

      for (const url of urls) {
        const there = at(url, session);
        const [posted, got, deleted] = [
          await there.post(ping('eve'), EVE),
          await there.get(EVE),
          await there.delete(EVE),
        ];
        const anonymous = await there.post(ping());

        expect([posted.status, got.status, deleted.status, anonymous.status]).toEqual([404, 404, 404, 404]);
        expect(await posted.json()).toEqual(NO_SESSION);
        expect((await there.post(ping(), ADA)).status).toBe(200);
      }
    });

    it('goes on with a refreshed token, and everybody else stays out', async () => {
      const session = await openFor(ADA);

      const statuses: number[] = [];
      for (const url of urls) {
        const there = at(url, session);
        for (const who of [ADA_REFRESHED, EVE, ADA]) statuses.push((await there.post(ping(), who)).status);
      }

      expect(statuses).toEqual([200, 404, 200, 200, 404, 200, 200, 404, 200]);
    });
  });

  const QUESTIONS = [
    {
      tool: 'ask',
      method: 'elicitation/create',
      answer: { action: 'accept', content: { name: 'Ada' } },
      text: 'Hello Ada',
    },
    {
      tool: 'sample',
      method: 'sampling/createMessage',
      answer: { role: 'assistant', model: 'm', content: { type: 'text', text: 'An old silent pond' } },
      text: 'The model says: An old silent pond',
    },
    { tool: 'roots', method: 'roots/list', answer: { roots: [{ uri: 'file:///home' }] }, text: 'file:///home' },
  ] as const;

  describe.each(QUESTIONS)('an answer to $method', ({ tool, method, answer, text }) => {
    /** A call at the first replica that waits for its question to be answered. */
    async function asking() {
      const session = await WireSession.open(urls[0], '2025-11-25', { elicitation: {}, sampling: {}, roots: {} });
      const stream = await EventStream.call(session, tool, {}, 7);
      const question = (await stream.message()) as Json & { id: string };
      return { session, stream, question, response: { jsonrpc: '2.0', id: question.id, result: answer } };
    }

    it('reaches the call from any other replica', async () => {
      const { session, stream, question, response } = await asking();

      const answered = await at(urls[1], session).post(response);

      expect(question).toMatchObject({ jsonrpc: '2.0', method });
      expect([answered.status, await answered.text()]).toEqual([202, '']);
      expect(textOf(await stream.message())).toBe(text);
    });

    it('is taken once, however many come to however many replicas at a time', async () => {
      const { session, stream, response } = await asking();

      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => at(urls[n % 3] as string, session).post(response)),
      );
      const again = await at(urls[2], session).post(response);

      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([202, ...Array.from({ length: 19 }, () => 400)]);
      expect(again.status).toBe(400);
      expect(await again.json()).toEqual(
        errorFrame(undefined, -32600, 'No request of this server waits for this response.'),
      );
      expect(textOf(await stream.message())).toBe(text);
    });

    it('changes nothing when it is foreign or malformed', async () => {
      const { session, stream, response } = await asking();
      const foreign = await WireSession.open(urls[1], '2025-11-25', { elicitation: {}, sampling: {}, roots: {} });

      const refused = [
        await foreign.post(response),
        await at(urls[1], session).post({ ...response, id: `${response.id}x` }),
        await at(urls[1], session).post({ ...response, id: 7 }),
        await at(urls[2], session).post({ ...response, result: 'yes' }),
        await at(urls[2], session).post({ ...response, error: { code: -1, message: 'both' } }),
        await at(urls[1], session).post({ jsonrpc: '2.0', id: response.id }),
      ];
      const answered = await at(urls[2], session).post(response);

      expect(refused.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 400]);
      expect(answered.status).toBe(202);
      expect(textOf(await stream.message())).toBe(text);
    });
  });

  it('cancels a call that runs on another replica', async () => {
    const [a, b] = urls;
    const session = await WireSession.open(a);
    const stream = await streamIn(session, 'hang', { name: 'cancelled' }, 'c-1');
    await stream.message();

    const params = { requestId: 'c-1', reason: 'no longer needed' };
    const posted = await at(b, session).post({ jsonrpc: '2.0', method: 'notifications/cancelled', params });

    expect(posted.status).toBe(202);
    // The call has a second for it; that is measured where nothing else runs.
    await expect.poll(() => callAt(a, 'hangs')).toContain('"cancelled":"aborted"');
    expect(await stream.messages()).toEqual([]);
  });

  describe('DELETE', () => {
    it('ends streams and calls on all replicas, and leaves no key behind', async () => {
      const [a, b, c] = urls;
      const session = await WireSession.open(a, '2025-11-25', { elicitation: {} });
      const listening = await EventStream.listen(session);
      await listening.next();
      const hanging = await streamIn(at(c, session), 'hang', { name: 'deleted' }, 1);
      await hanging.message();
      const asking = await EventStream.call(at(b, session), 'ask', {}, 2);
      const question = await asking.message();
      await at(b, session).request('resources/subscribe', { uri: 'notes://one' }, 3);

      const deleted = await at(b, session).delete();

      expect(deleted.status).toBe(204);
      expect(await listening.messages()).toEqual([]);
      expect(await hanging.messages()).toEqual([]);
      expect(await asking.messages()).toEqual([]);
      await expect.poll(() => callAt(c, 'hangs')).toContain('"deleted":"aborted"');
      const answer = { jsonrpc: '2.0', id: question?.['id'], result: { action: 'decline' } };
      for (const url of urls) {
        const there = at(url, session);
        const late = [await there.request('ping'), await there.get(), await there.delete(), await there.post(answer)];
        expect(late.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
      }
      await expect.poll(() => keysOf(app.redis.url, session.id)).toEqual([]);
    });

    it('of one session leaves the others alone', async () => {
      const [mine, other] = [await WireSession.open(urls[0]), await WireSession.open(urls[0])];
      await other.request('resources/subscribe', { uri: 'notes://one' });
      const listening = await EventStream.listen(at(urls[2], other));
      await listening.next();

      await at(urls[1], mine).delete();
      await callAt(urls[1], 'touch', { uris: ['notes://one'] });

      expect(await listening.message()).toMatchObject({ params: { uri: 'notes://one' } });
    });
  });

  describe.each(CLIENTS)('$name through the balancer', ({ name, connect, revision }) => {
    it('calls, streams, asks and subscribes wherever chance sends it', async () => {
      await using client = await connect(app.url, { elicit: () => ({ action: 'accept', content: { name: 'Ada' } }) });
      const mine = `notes://${encodeURIComponent(name)}`;
      const subscription = await client.subscribe(mine);

      const pids = new Set<string>();
      for (let n = 0; n < 25; n++) {
        const { content } = (await client.call('echo', { text: `${n}` })) as { content: [{ text: string }] };
        pids.add(content[0].text.split(' ')[0] as string);
      }
      const heard: unknown[] = [];
      const onprogress = ({ progress }: Json): void => void heard.push(progress);
      const streamed = await client.call('steps', { to: 5, everyMs: 30 }, { onprogress });
      const asked = await client.call('ask');
      await callAt(app.url, 'touch', { uris: ['notes://other', mine] });

      expect(client.revision).toBe(revision);
      expect(pids.size).toBe(3);
      expect(streamed).toMatchObject({ content: [{ text: expect.stringMatching(/ took 5 steps$/) }] });
      expect(heard).toEqual([1, 2, 3, 4, 5]);
      expect(asked).toMatchObject({ content: [{ text: 'Hello Ada' }] });
      await expect
        .poll(() => client.notifications)
        .toMatchObject([{ method: 'notifications/resources/updated', params: { uri: mine } }]);
      await subscription.close();
    });
  });
});

/** The names of all keys that have a text in them. */
async function keysOf(redisUrl: string, text: string): Promise<string[]> {
  const redis = new Redis(redisUrl);
  try {
    const keys: string[] = [];
    for await (const found of redis.scanStream({ count: 1_000 })) keys.push(...(found as string[]));
    return keys.filter((key) => key.includes(text));
  } finally {
    redis.disconnect();
  }
}
