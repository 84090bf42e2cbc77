import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WireSession } from '../../support/wire.js';
import { EventStream, errorFrame } from '../session/session-app.js';
import { inShort, listening, read, streamIn, subscribe, subscribed, upTo, upToEnd } from './streaming.js';
import { CAN_CLUSTER, TestCluster, at, callAt } from './test-cluster.js';

const TOOLS_CHANGED = 'notifications/tools/list_changed';

describe.skipIf(!CAN_CLUSTER)('streams on three replicas', () => {
  let app: TestCluster;
  let urls: [a: string, b: string, c: string];
  beforeAll(async () => {
    app = await TestCluster.start();
    urls = app.urls;
  }, 120_000);
  afterAll(() => app?.[Symbol.asyncDispose]());

  describe('an answer that broke off at one replica', () => {
    it.each([0, 1, 5])('after %i events goes on at another one, replayed and then live', async (cutAfter) => {
      const [a, b] = urls;
      const session = await WireSession.open(a);
      const gate = `live-${cutAfter}`;
      const stream = await streamIn(session, 'gated', { gate, until: 5, to: 10 }, 1);
      await stream.next();
      const before = await read(stream, cutAfter);

      stream.cut();
      const resumed = await EventStream.listen(at(b, session), stream.lastEventId);
      const replayed = await read(resumed, 5 - cutAfter);
      await callAt(a, 'open', { name: gate });

      expect(inShort([...before, ...replayed, ...(await resumed.messages())])).toEqual([...upTo(10), 'result']);
    });

    it('comes back whole and in order when it breaks off again and again', async () => {
      const session = await WireSession.open(urls[0]);
      let stream = await streamIn(session, 'steps', { to: 300 }, 1);
      const got = await read(stream, 1);

      for (let resumption = 1; got.at(-1)?.['result'] === undefined; resumption++) {
        stream.cut();
        stream = await EventStream.listen(at(urls[resumption % 3] as string, session), stream.lastEventId);
        // Further each time: within the first batch of a replay, at its end, and after it.
        for (let message; got.length < 301 && (message = await stream.message());) {
          got.push(message);
          if (stream.events.length >= resumption * 21) break;
        }
      }

      expect(inShort(got)).toEqual([...upTo(300), 'result']);
    });

    it('goes on while the call still runs and reports, wherever it is resumed', async () => {
      const session = await WireSession.open(urls[0]);
      let stream = await streamIn(session, 'steps', { to: 60, everyMs: 20 }, 1);
      const got = await read(stream, 1);

      for (let resumption = 1; got.at(-1)?.['result'] === undefined; resumption++) {
        stream.cut();
        stream = await EventStream.listen(at(urls[resumption % 3] as string, session), stream.lastEventId);
        got.push(...(await read(stream, Math.min(7, 61 - got.length))));
      }

      expect(inShort(got)).toEqual([...upTo(60), 'result']);
    });

    it('belongs to one connection: who resumes it later takes it over, and nothing is sent twice', async () => {
      const [a, b, c] = urls;
      const session = await WireSession.open(a);
      const first = await streamIn(session, 'gated', { gate: 'taken', until: 2, to: 4 }, 1);
      await first.next();
      const got = await read(first, 2);

      const second = await EventStream.listen(at(b, session), first.lastEventId);
      // It answers before it has the stream; once the first has ended, it has.
      const ofTheFirst = await first.messages();
      const third = await EventStream.listen(at(c, session), first.lastEventId);
      const ofTheFormer = [ofTheFirst, await second.messages()];
      await callAt(a, 'open', { name: 'taken' });
      got.push(...(await third.messages()));

      expect(ofTheFormer).toEqual([[], []]);
      expect(inShort(got)).toEqual([...upTo(4), 'result']);
    });

    it.each([0, 2])('is polled for at another one, when its tool let go after %i events', async (until) => {
      const [a, b] = urls;
      const session = await WireSession.open(a);
      const gate = `polled-${until}`;
      const stream = await streamIn(session, 'gated', { gate, until, to: 3, release: true }, 1);

      const before = await stream.messages();
      // Without an id there would be nothing to poll for.
      expect(stream.events[0]).toMatchObject({ id: expect.any(String), retry: '1000', data: '' });
      const polled = await EventStream.listen(at(b, session), stream.lastEventId);
      await callAt(a, 'open', { name: gate });

      expect(inShort([...before, ...(await polled.messages())])).toEqual([1, 2, 3, 'result']);
    });

    it('ends at once when it is resumed after its last event', async () => {
      const session = await WireSession.open(urls[0]);
      const stream = await streamIn(session, 'steps', { to: 2 }, 1);
      await stream.messages();

      const resumed = await EventStream.listen(at(urls[1], session), stream.lastEventId);

      expect(await resumed.messages()).toEqual([]);
    });

    it('is nobody else’s: its event ids mean nothing under another session', async () => {
      const [a] = urls;
      const [mine, foreign] = [await WireSession.open(a), await WireSession.open(a)];
      const stream = await streamIn(foreign, 'steps', { to: 2 }, 'private');
      await stream.messages();
      const ids = stream.events.map(({ id }) => id);

      for (const url of urls) {
        for (const id of ids) {
          const response = await at(url, mine).get({ 'last-event-id': id });
          expect(response.status).toBe(400);
          expect(await response.json()).toEqual(
            errorFrame(undefined, -32600, 'Last-Event-ID names no stream of this session.'),
          );
        }
      }
    });
  });

  describe('a change', () => {
    it('published at one replica reaches the listeners of both eras on the others, once', async () => {
      const [a, b, c] = urls;
      const [one, other] = [await WireSession.open(a), await WireSession.open(b)];
      for (const session of [one, other]) await subscribe(session, 'notes://both');
      await subscribe(one, 'notes://one');
      for (const session of [one, other]) await subscribe(session, 'notes://end');
      const streams = await Promise.all([
        listening(at(b, one)),
        listening(at(c, other)),
        subscribed(b, { toolsListChanged: true, resourceSubscriptions: ['notes://both', 'notes://end'] }),
        subscribed(c, { resourceSubscriptions: ['notes://one', 'notes://end'] }),
      ]);

      await callAt(a, 'addTool', { name: 'late' });
      await callAt(a, 'touch', { uris: ['notes://both', 'notes://one', 'notes://nobody', 'notes://both'] });
      await callAt(a, 'removeTool', { name: 'late' });
      await callAt(a, 'touch', { uris: ['notes://end'] });

      expect(await Promise.all(streams.map((stream) => upToEnd(stream)))).toEqual([
        [TOOLS_CHANGED, 'notes://both', 'notes://one', 'notes://both', TOOLS_CHANGED],
        [TOOLS_CHANGED, 'notes://both', 'notes://both', TOOLS_CHANGED],
        [TOOLS_CHANGED, 'notes://both', 'notes://both', TOOLS_CHANGED],
        ['notes://one'],
      ]);
    });

    it('is told to the stream of a session that has just subscribed to it, however slow its replica is', async () => {
      const [a, b, c] = urls;
      const session = await WireSession.open(a);
      const stream = await listening(at(c, session));

      // The replica of the stream hears of the subscription and of the change in one go.
      const goOn = app.cluster.replicas[2]?.pause();
      await subscribe(session, 'notes://new');
      await callAt(b, 'touch', { uris: ['notes://new'] });
      goOn?.();
      expect(inShort(await read(stream, 1))).toEqual(['notes://new']);

      // And only once: nothing else comes before what comes next.
      await subscribe(session, 'notes://end');
      await callAt(b, 'touch', { uris: ['notes://end'] });
      expect(await upToEnd(stream)).toEqual([]);
    });

    it('that came while a session was away is told on its next GET, wherever that goes, and once', async () => {
      const [a, b, c] = urls;
      const session = await WireSession.open(a);
      await subscribe(session, 'notes://one');
      await subscribe(session, 'notes://end');

      await callAt(b, 'touch', { uris: ['notes://one'] });
      const first = await listening(at(c, session));
      const toldFirst = await read(first, 1);
      first.cut();
      await callAt(a, 'addTool', { name: 'missed' });
      await callAt(a, 'removeTool', { name: 'missed' });
      const second = await listening(at(b, session), first.lastEventId);
      await callAt(c, 'touch', { uris: ['notes://end'] });

      expect(inShort(toldFirst)).toEqual(['notes://one']);
      expect(await upToEnd(second)).toEqual([TOOLS_CHANGED, TOOLS_CHANGED]);
    });

    it('is told once, in order, while the stream is taken over from replica to replica', async () => {
      const session = await WireSession.open(urls[0]);
      const uris = upTo(60).map((n) => `notes://${n}`);
      for (const uri of uris) await subscribe(session, uri);
      const told: unknown[] = [];
      const streams: EventStream[] = [];
      const readers: Promise<void>[] = [];
      const attach = async (): Promise<void> => {
        const stream = await listening(at(urls[streams.length % 3] as string, session));
        streams.push(stream);
        readers.push(
          (async () => {
            for (let message; (message = await stream.message());) told.push(...inShort([message]));
          })(),
        );
      };

      await attach();
      for (const uri of uris) {
        await callAt(urls[Math.floor(Math.random() * 3)] as string, 'touch', { uris: [uri] });
        if (Number(uri.slice(8)) % 10 === 0) await attach();
      }

      await expect.poll(() => told.length).toBeGreaterThanOrEqual(60);
      streams.at(-1)?.cut();
      await Promise.allSettled(readers);
      expect(told).toEqual(uris);
    });
  });

  describe('a second GET stream of a session, at another replica,', () => {
    it('takes the place of the first: no message on both', async () => {
      const [a, b, c] = urls;
      const session = await WireSession.open(a);
      await subscribe(session, 'notes://end');
      const first = await listening(session);
      await callAt(c, 'addTool', { name: 'second' });
      const toldFirst = await read(first, 1);

      const second = await listening(at(b, session));
      await callAt(c, 'removeTool', { name: 'second' });
      await callAt(c, 'touch', { uris: ['notes://end'] });

      expect(inShort(toldFirst)).toEqual([TOOLS_CHANGED]);
      expect(await upToEnd(second)).toEqual([TOOLS_CHANGED]);
      expect(await first.messages()).toEqual([]);
    });
  });
});
