import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, type WireSession, responseOf, statelessRequest } from '../../../support/wire.js';
import { inShort, streamIn } from '../../cluster/streaming.js';
import { CAN_CLUSTER } from '../../cluster/test-cluster.js';
import { EventStream, errorFrame, resultFrame, textResult } from '../../session/session-app.js';
import { CAPABILITIES } from '../../stateless/requests.js';
import { as, bearer, sessionFor } from '../guarded-app.js';
import { GuardedCluster } from './guarded-cluster.js';

const ELICITS = { elicitation: { form: {} } };
const NOT_FOUND = 'No such session. Send initialize to open a new one.';
const ALICE = { sub: 'alice', client_id: 'cli', tenant: 'acme' };
const FOREIGN: [string, Json][] = [
  ['another user', { ...ALICE, sub: 'mallory' }],
  ['another client', { ...ALICE, client_id: 'other' }],
  ['another tenant', { ...ALICE, tenant: 'evil' }],
];

describe.skipIf(!CAN_CLUSTER)('sessions of callers with tokens on three replicas', () => {
  let app: GuardedCluster;
  let urls: [a: string, b: string, c: string];
  beforeAll(async () => {
    app = await GuardedCluster.start();
    urls = app.urls;
  }, 120_000);
  afterAll(() => app?.[Symbol.asyncDispose]());

  const token = async (claims: Json = ALICE) => bearer(await app.issuer.token(claims));
  const ping = (session: WireSession): Promise<Response> => session.request('ping', {}, randomUUID());
  const call = async (url: string, name: string, args: Json, claims: Json = ALICE): Promise<Json> =>
    responseOf(await statelessRequest(url, 'tools/call', { name, arguments: args }, { headers: await token(claims) }));

  it('go on under a refreshed token wherever it is sent', async () => {
    const [a, b, c] = urls;
    const session = await sessionFor(a, await token());
    const refreshed = await token({ ...ALICE, scope: 'other' });

    const posted = await ping(as(session, refreshed, b));
    const stream = await EventStream.listen(as(session, refreshed, c));
    stream.cut();
    const deleted = await as(session, refreshed, a).delete();

    expect([posted.status, deleted.status, (await ping(session)).status]).toEqual([200, 204, 404]);
  });

  it.each(FOREIGN)('are closed to %s at each of them, and not disturbed', async (_who, claims) => {
    const [a, b] = urls;
    const session = await sessionFor(a, await token());
    await session.request('resources/subscribe', { uri: 'notes://hers' });
    const stream = await EventStream.listen(as(session, await token(), b));
    await stream.next();
    const gate = randomUUID();
    const running = await streamIn(session, 'gated', { gate, until: 1, to: 2 }, 'call');
    await running.message();

    const statuses: number[] = [];
    for (const url of urls) {
      const foreign = as(session, await token(claims), url);
      const answers = [
        await ping(foreign),
        await foreign.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'call' } }),
        await foreign.get(),
        await foreign.get({ 'last-event-id': running.lastEventId }),
        await foreign.delete(),
      ];
      statuses.push(...answers.map(({ status }) => status));
      expect(await answers[4]?.json()).toEqual(errorFrame(undefined, 404, NOT_FOUND));
    }
    await call(a, 'open', { name: gate });
    await call(a, 'touch', { uris: ['notes://hers'] });

    expect(statuses).toEqual(Array.from({ length: 15 }, () => 404));
    expect(inShort(await running.messages())).toEqual([2, 'result']);
    expect(inShort([await stream.message()])).toEqual(['notes://hers']);
    expect((await ping(session)).status).toBe(200);
    stream.cut();
  });

  it('give no events, take no answers and no cancellation through a session of somebody else', async () => {
    const [a, b, c] = urls;
    const hers = await sessionFor(a, await token(), ELICITS);
    const his = await sessionFor(b, await token({ ...ALICE, sub: 'mallory' }), ELICITS);
    const stream = await EventStream.call(hers, 'ask', {}, 'question');
    const question = await stream.message();
    const answer = (name: string): Json => ({
      jsonrpc: '2.0',
      id: question?.['id'],
      result: { action: 'accept', content: { name } },
    });

    const statuses: number[] = [];
    for (const url of urls) {
      const there = as(his, await token({ ...ALICE, sub: 'mallory' }), url);
      statuses.push((await there.get({ 'last-event-id': stream.lastEventId })).status);
      statuses.push((await there.post(answer('Mallory'))).status);
      await there.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'question' } });
    }
    const own = await as(hers, await token(), c).post(answer('Alice'));

    expect(statuses).toEqual([400, 400, 400, 400, 400, 400]);
    expect(own.status).toBe(202);
    expect(await stream.messages()).toEqual([resultFrame('question', textResult('Hello Alice'))]);
  });

  it('share sealed request state, but only with the one it is of', async () => {
    const [a, b, c] = urls;
    const ask = async (url: string, claims: Json, params: Json = {}): Promise<Json> =>
      responseOf(
        await statelessRequest(
          url,
          'tools/call',
          { name: 'ask', ...params },
          { headers: await token(claims), meta: { [CAPABILITIES]: ELICITS } },
        ),
      );
    const { result } = await ask(a, ALICE);
    const { requestState } = result as { requestState: string };
    const inputResponses = { elicitation_1: { action: 'accept', content: { name: 'Alice' } } };

    const refused = [];
    for (const [, claims] of FOREIGN) refused.push(await ask(b, claims, { requestState, inputResponses }));
    const own = await ask(c, ALICE, { requestState, inputResponses });

    for (const answer of refused) expect(answer).toMatchObject({ error: { code: -32602 } });
    expect(own).toMatchObject({ result: textResult('Hello Alice') });
  });

  it('leave no trace of tokens or session ids in what the replicas log', async () => {
    const [a, b] = urls;
    const { authorization } = await token();
    const session = await sessionFor(a, { authorization });
    await ping(as(session, { authorization }, b));
    await ping(as(session, await token({ ...ALICE, sub: 'mallory' }), b));
    await session.delete();

    expect(app.log).toContain('The tools of the tests are served');
    for (const part of authorization.slice(7).split('.').slice(1)) expect(app.log).not.toContain(part);
    expect(app.log).not.toContain(session.id);
  });
});
