import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, WireSession, initialize, post } from '../../support/wire.js';
import { EventStream } from '../session/session-app.js';
import { inShort, listening, read, streamIn, subscribe, upTo, upToEnd } from './streaming.js';
import { CAN_CLUSTER, TestCluster, at, callAt, callIn } from './test-cluster.js';

/** How Redis goes away, and how it comes back with its data. */
const OUTAGES = [
  {
    how: 'stands still (SIGSTOP)',
    away: ({ redis }: TestCluster) => redis.kill('SIGSTOP'),
    back: ({ redis }: TestCluster) => redis.kill('SIGCONT'),
  },
  {
    how: 'was killed (SIGKILL)',
    away: ({ redis }: TestCluster) => redis.kill('SIGKILL'),
    back: ({ redis }: TestCluster) => redis.restart(),
  },
] as const;

describe.skipIf(!CAN_CLUSTER)('three replicas', () => {
  let app: TestCluster;
  let urls: [a: string, b: string, c: string];
  beforeAll(async () => {
    app = await TestCluster.start();
    urls = app.urls;
  }, 120_000);
  afterAll(() => app?.[Symbol.asyncDispose]());

  it.each(OUTAGES)('whose Redis $how refuse what needs a session, and nothing is lost', async ({ away, back }) => {
    const [a, b, c] = urls;
    const session = await WireSession.open(a);
    for (const uri of ['notes://told', 'notes://end']) await subscribe(session, uri);
    const changes = await listening(at(c, session));
    const running = await streamIn(session, 'gated', { gate: 'outage', until: 3, to: 6 }, 'running');
    const told = await read(running, 3);

    await away(app);
    const stateless = await Promise.all(urls.map((url) => callAt(url, 'echo', { text: 'stateless' })));
    const refused = await Promise.all([
      session.request('ping'),
      at(b, session).request('tools/list'),
      at(c, session).get(),
      at(b, session).delete(),
      at(c, session).post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'x' } }),
      at(app.url, session).request('tools/call', { name: 'echo', arguments: { text: 'x' } }),
      post(a, JSON.stringify(initialize('2025-11-25'))),
    ]);
    const probes = await Promise.all(
      app.cluster.replicas.flatMap((replica) => [replica.health('live'), replica.health('ready')]),
    );
    // What happens now must not be lost: it waits.
    await callAt(a, 'open', { name: 'outage' });
    await callAt(b, 'touch', { uris: ['notes://told'] });
    await back(app);

    expect(stateless).toEqual(app.cluster.replicas.map(({ pid }) => `${pid} stateless`));
    expect(refused.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503, 503, 503]);
    for (const { headers } of refused) expect(headers.get('retry-after')).toMatch(/^[1-9]\d?$/);
    expect(probes.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);

    for (const url of urls) {
      await expect.poll(async () => (await at(url, session).request('ping')).status).toBe(200);
    }
    told.push(...(await rest(running, at(b, session))));
    expect(inShort(told)).toEqual([...upTo(6), 'result']);
    expect(inShort([await changes.message()])).toEqual(['notes://told']);
    await callAt(a, 'touch', { uris: ['notes://end'] });
    expect(await upToEnd(changes)).toEqual([]);
    expect(await callIn(at(c, session), 'echo', { text: 'back' })).toMatch(/ back$/);
  });
});

/** What a stream still says, up to the result; if its connection breaks, it is resumed. */
async function rest(stream: EventStream, elsewhere: WireSession): Promise<Json[]> {
  const got: Json[] = [];
  let [current, lastEventId] = [stream, stream.lastEventId];
  while (got.at(-1)?.['result'] === undefined) {
    const message = await current.message().catch(() => undefined);
    lastEventId = current.lastEventId || lastEventId;
    if (message) got.push(message);
    else current = await EventStream.listen(elsewhere, lastEventId);
  }
  return got;
}
