import { afterEach, describe, expect, it } from 'vitest';
import { ANONYMOUS, type Authenticator } from '../../../src/index.js';
import { WireSession, initialize, post, statelessRequest } from '../../support/wire.js';
import { SessionApp } from '../session/session-app.js';

/** Believes the `x-user` header; whoever sends none is anonymous. */
const byHeader: Authenticator = {
  authenticate: ({ headers }) =>
    headers['x-user'] === undefined ? ANONYMOUS : { ...ANONYMOUS, issuer: 'test', subject: String(headers['x-user']) },
};

const stop: AbortController[] = [];
afterEach(() => {
  for (const controller of stop.splice(0)) controller.abort();
});

function signal(): AbortSignal {
  const controller = new AbortController();
  stop.push(controller);
  return controller.signal;
}

/** Opens a `subscriptions/listen`, as a user or as nobody. */
async function listen(url: string, user?: string): Promise<number> {
  const options = { signal: signal(), headers: { 'x-user': user } };
  return (await statelessRequest(url, 'subscriptions/listen', { notifications: {} }, options)).status;
}

/** Opens a session and its GET stream, as a user or as nobody. */
async function stream(url: string, user?: string): Promise<Response> {
  const headers = { 'x-user': user };
  const opened = await post(url, JSON.stringify(initialize('2025-11-25')), headers);
  const id = opened.headers.get('mcp-session-id') ?? '';
  const sent = { accept: 'text/event-stream', 'mcp-session-id': id, ...(user !== undefined && { 'x-user': user }) };
  return fetch(url, { headers: sent, signal: signal() });
}

describe('streams of one principal', () => {
  it('are bounded, whatever their era, and leave those of others alone', async () => {
    await using app = await SessionApp.boot([], { authenticator: byHeader, http: { maxStreamsPerPrincipal: 2 } });

    const mine = [await listen(app.url, 'ada'), (await stream(app.url, 'ada')).status];
    const refused = [await listen(app.url, 'ada'), (await stream(app.url, 'ada')).status];

    expect(mine).toEqual([200, 200]);
    expect(refused).toEqual([503, 503]);
    expect(await listen(app.url, 'bob')).toBe(200);
  });

  it('make room when one of them is closed', async () => {
    await using app = await SessionApp.boot([], { authenticator: byHeader, http: { maxStreamsPerPrincipal: 1 } });
    expect(await listen(app.url, 'ada')).toBe(200);
    const refused = await stream(app.url, 'ada');

    stop[0]?.abort();

    expect(refused.headers.get('retry-after')).toMatch(/^[123]$/);
    expect(await refused.json()).toMatchObject({ error: { code: 503 } });
    await expect.poll(() => listen(app.url, 'ada')).toBe(200);
  });

  it('are not counted together for all who are anonymous', async () => {
    await using app = await SessionApp.boot([], { http: { maxStreamsPerPrincipal: 1, maxStreams: 3 } });

    const statuses = [await listen(app.url), await listen(app.url), (await stream(app.url)).status];

    expect(statuses).toEqual([200, 200, 200]);
    expect(await listen(app.url)).toBe(503);
  });
});

describe('sessions', () => {
  const open = async (url: string, user?: string): Promise<number> =>
    (await post(url, JSON.stringify(initialize('2025-11-25')), { 'x-user': user })).status;

  it('of one principal are bounded, and leave those of others alone', async () => {
    const sessions = { store: { maxSessionsPerOwner: 1 } };
    await using app = await SessionApp.boot([], { authenticator: byHeader, sessions });

    expect([await open(app.url, 'ada'), await open(app.url, 'ada'), await open(app.url, 'bob')]).toEqual([
      200, 503, 200,
    ]);
  });

  it('of anonymous callers are bound by the number of all sessions alone', async () => {
    await using app = await SessionApp.boot([], { sessions: { store: { maxSessionsPerOwner: 1, maxSessions: 2 } } });
    const first = await WireSession.open(app.url);

    expect([await open(app.url), await open(app.url)]).toEqual([200, 503]);
    expect((await first.request('ping')).status).toBe(200);
  });
});
