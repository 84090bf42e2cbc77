import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Json, WireSession } from '../../support/wire.js';
import type { Replica } from '../../support/cluster/replica.js';
import { deferred } from '../clients/fixtures.js';
import { CLIENTS, type RealClient } from '../clients/real-clients.js';
import { EventStream, errorFrame } from '../session/session-app.js';
import { Load } from './load.js';
import { inShort, listening, read, streamIn, subscribe, subscribed, upTo, upToEnd } from './streaming.js';
import { CAN_CLUSTER, TestCluster, at, callAt, callIn } from './test-cluster.js';

vi.setConfig({ testTimeout: 90_000 });

const SESSION_CLIENTS = CLIENTS.filter(({ era }) => era === 'session');
const ORPHANED =
  'The server that ran this request was lost, and the request was not run again. Repeat it if that does no harm.';

describe.skipIf(!CAN_CLUSTER)('three replicas', () => {
  let app: TestCluster;
  beforeAll(async () => {
    app = await TestCluster.start();
  }, 120_000);
  afterAll(() => app?.[Symbol.asyncDispose]());
  afterEach(async () => {
    while (app.cluster.replicas.length < 3) await app.cluster.addReplica();
  });

  describe('SIGTERM to a replica', () => {
    it('fails nothing: calls are finished, streams go on elsewhere, listeners are told, and it exits with 0', async () => {
      const [leaving] = app.cluster.replicas;
      const url = leaving?.url ?? '';
      const session = await WireSession.open(url);
      for (const uri of ['notes://told', 'notes://end']) await subscribe(session, uri);
      const stays = await streamIn(session, 'steps', { to: 30, everyMs: 100 }, 'stays');
      const moves = await streamIn(session, 'steps', { to: 30, everyMs: 100 }, 'moves');
      const moved = await read(moves, 3);
      const changes = await listening(session);
      const listener = await subscribed(url, { resourceSubscriptions: ['notes://told'] });
      const load = [
        new Load((n) => callAt(app.url, 'echo', { text: `${n}` }), { loops: 2 }),
        new Load((n) => callIn(at(app.url, session), 'echo', { text: `${n}` }), { loops: 2 }),
        new Load(async () => (await WireSession.open(app.url)).delete()),
      ];

      const stopped = leaving && app.cluster.stop(leaving);
      await expect.poll(async () => (await leaving?.health('ready'))?.status).toBe(503);
      const live = await leaving?.health('live');
      moves.cut();
      const resumed = await EventStream.listen(at(app.url, session), moves.lastEventId);
      const goodbye = [await changes.next(), await changes.next()];
      const changesElsewhere = await listening(at(app.url, session), changes.lastEventId);
      await callAt(app.url, 'touch', { uris: ['notes://told', 'notes://end'] });
      moved.push(...(await resumed.messages()));
      const stayed = await stays.messages();
      const exit = await stopped;
      for (const each of load) await each.stop();

      expect(live?.status).toBe(200);
      expect(inShort(stayed)).toEqual([...upTo(30), 'result']);
      expect(inShort(moved)).toEqual([...upTo(30), 'result']);
      expect(goodbye).toEqual([{ retry: expect.stringMatching(/^\d+$/), data: '', comments: [] }, undefined]);
      expect(await upToEnd(changesElsewhere)).toEqual(['notes://told']);
      expect((await listener.messages()).at(-1)).toMatchObject({ id: 'sub', result: { resultType: 'complete' } });
      expect(exit).toEqual({ code: 0, signal: null });
      expect(load.flatMap(({ failures }) => failures)).toEqual([]);
      expect(load.filter(({ done }) => done < 5)).toEqual([]);
    });
  });

  describe('SIGKILL of a replica', () => {
    it('ends each call that it ran with an error for whoever resumes it, frees the ids, and harms no session', async () => {
      const [lost, b, c] = app.cluster.replicas as [Replica, Replica, Replica];
      const session = await WireSession.open(lost.url);
      const cut = await streamIn(session, 'steps', { to: 1_000, everyMs: 50 }, 'cut');
      const moved = await streamIn(session, 'hang', { name: 'moved' }, 'moved');
      await read(moved, 1);
      const reading = await EventStream.listen(at(b.url, session), moved.lastEventId);
      const unattended = await streamIn(session, 'hang', { name: 'unattended' }, 'unattended');
      await read(unattended, 1);
      // Not a stream yet, so that there is nothing to resume.
      const silent = session.request('tools/call', { name: 'hang', arguments: { name: 'silent' } }, 'silent');
      const silentBroke = silent.then(String, String);
      await expect.poll(() => callAt(lost.url, 'hangs')).toContain('"silent":"running"');
      const clients = await Promise.all(SESSION_CLIENTS.map(async ({ connect }) => connect(app.url)));
      const calls = await Promise.all(clients.map((client) => hangingAt(lost, client)));
      const told = await read(cut, 3);

      const killedAt = Date.now();
      await app.cluster.kill(lost);
      told.push(...(await untilItBreaks(cut)));
      const resumed = await EventStream.listen(at(b.url, session), cut.lastEventId);
      const [ofCut, ofMoved, ...ofClients] = await Promise.all([
        resumed.messages(),
        reading.messages(),
        ...calls.map(({ rejected }) => rejected),
      ]);
      const late = await EventStream.listen(at(c.url, session), unattended.lastEventId);
      const ofUnattended = await late.messages();
      const tookMs = Date.now() - killedAt;

      const said = inShort([...told, ...ofCut.slice(0, -1)]);
      expect(said).toEqual(upTo(said.length));
      expect(ofCut.at(-1)).toEqual(errorFrame('cut', -32603, ORPHANED));
      expect(ofMoved).toEqual([errorFrame('moved', -32603, ORPHANED)]);
      expect(ofUnattended).toEqual([errorFrame('unattended', -32603, ORPHANED)]);
      expect(ofClients).toEqual(ofClients.map(() => expect.stringContaining(ORPHANED)));
      expect(await silentBroke).toBe('TypeError: fetch failed');
      expect(tookMs).toBeLessThan(15_000);
      for (const id of ['cut', 'moved', 'unattended', 'silent']) {
        await expect.poll(async () => (await at(c.url, session).request('ping', {}, id)).status).toBe(200);
      }
      for (const client of clients) {
        expect(await client.call('echo', { text: 'on' })).toMatchObject({
          content: [{ text: expect.stringMatching(/ on$/) }],
        });
        await client[Symbol.asyncDispose]();
      }
    });
  });

  describe('a rolling restart', () => {
    it('is not noticed by clients of either era, beyond which replica answers', async () => {
      const clients = await Promise.all(
        CLIENTS.slice(1).map(async (kind) => ({ kind, client: await kind.connect(app.url) })),
      );
      const listeners = clients.filter(({ kind }) => kind.era === 'session').map(({ client }) => client);
      const uris = upTo(10).map((n) => `notes://${n}`);
      for (const client of listeners) for (const uri of uris) await client.subscribe(uri);

      const load = clients.flatMap(({ client }) => [
        new Load((n) => client.call('echo', { text: `${n}` })),
        new Load(() => stepThrough(client)),
      ]);
      const published: string[] = [];
      const touches = new Load(
        async (n) => {
          const uri = uris[n % uris.length] as string;
          await callAt(app.url, 'touch', { uris: [uri] });
          published.push(uri);
        },
        { everyMs: 50 },
      );
      const exits = await app.cluster.roll();
      for (const each of [...load, touches]) await each.stop();

      expect(exits).toEqual(exits.map(() => ({ code: 0, signal: null })));
      expect(load.flatMap(({ failures }) => failures)).toEqual([]);
      expect(touches.failures).toEqual([]);
      for (const { notifications } of listeners) {
        await expect.poll(() => notifications.map(({ params }) => params['uri'])).toEqual(published);
      }
      for (const { client } of clients) await client[Symbol.asyncDispose]();
    });
  });
});

/** What comes over a connection until it breaks. */
async function untilItBreaks(stream: EventStream): Promise<Json[]> {
  const got: Json[] = [];
  for (;;) {
    const message = await stream.message().catch(() => undefined);
    if (!message) return got;
    got.push(message);
  }
}

/** Has a client call `hang` until one of the calls runs on a replica. `rejected` is what that call is rejected with. */
async function hangingAt(replica: Replica, client: RealClient): Promise<{ rejected: Promise<string> }> {
  for (;;) {
    const begun = deferred<unknown>();
    const elsewhere = new AbortController();
    const options = { onprogress: ({ message }: Json) => begun.resolve(message), signal: elsewhere.signal };
    const rejected = client.call('hang', { name: 'client' }, options).then(String, String);
    if ((await begun.promise) === String(replica.pid)) return { rejected };
    elsewhere.abort();
    await rejected;
  }
}

/** @throws Error when the progress of a call is not complete and in order */
async function stepThrough(client: RealClient): Promise<void> {
  const heard: unknown[] = [];
  await client.call('steps', { to: 10, everyMs: 50 }, { onprogress: ({ progress }) => heard.push(progress) });
  if (heard.join() !== upTo(10).join()) throw new Error(`Progress was heard as ${heard.join()}.`);
}
