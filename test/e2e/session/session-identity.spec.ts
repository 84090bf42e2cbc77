import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { ANONYMOUS, type Authenticator, McpCall, McpTool } from '../../../src/index.js';
import { WireSession, initialize, post } from '../../support/wire.js';
import { EventStream, SessionApp, errorFrame, resultFrame, textResult } from './session-app.js';

const NOT_FOUND = 'No such session. Send initialize to open a new one.';
const ID_REQUIRED = 'The Mcp-Session-Id header is required. Send initialize first.';
const METHODS = ['POST', 'GET', 'DELETE'] as const;

/** Believes the `x-user` header. */
const byHeader: Authenticator = {
  authenticate: ({ headers }) => ({ ...ANONYMOUS, issuer: 'test', subject: String(headers['x-user']) }),
};

@Injectable()
class WaitingTools {
  stopped = false;

  @McpTool()
  async wait(call: McpCall) {
    call.progress(1);
    await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    this.stopped = true;
  }
}

/** The same harmless request by each HTTP method. */
function send(
  session: WireSession,
  method: (typeof METHODS)[number],
  headers: Record<string, string | undefined> = {},
): Promise<Response> {
  if (method === 'GET') return session.get(headers);
  if (method === 'DELETE') return session.delete(headers);
  return session.post({ jsonrpc: '2.0', id: 1, method: 'ping' }, headers);
}

/** Only the error about a request can carry an id. */
function idOf(method: (typeof METHODS)[number]): number | undefined {
  return method === 'POST' ? 1 : undefined;
}

describe('the session id', () => {
  it('is made of visible ASCII and of at least 128 bits, and never the same twice', async () => {
    await using app = await SessionApp.boot([]);

    const sessions = await Promise.all(Array.from({ length: 20 }, () => WireSession.open(app.url)));

    const ids = sessions.map(({ id }) => id);
    expect(new Set(ids).size).toBe(20);
    for (const id of ids) {
      expect(id).toMatch(/^[\x21-\x7e]+$/);
      expect(Buffer.from(id, 'base64url').length).toBeGreaterThanOrEqual(16);
    }
  });

  it.each(METHODS)('is required on %s', async (method) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const response = await send(session, method, { 'mcp-session-id': undefined });

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(errorFrame(idOf(method), -32600, ID_REQUIRED));
  });

  it.each(METHODS)('is answered with 404 on %s when nobody was given it', async (method) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const response = await send(session, method, { 'mcp-session-id': 'made-up' });

    expect(response.status).toBe(404);
    expect(await response.json()).toEqual(errorFrame(idOf(method), 404, NOT_FOUND));
  });

  it.each(METHODS)('is answered with 404 on %s once the session was deleted', async (method) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);
    const deleted = await session.delete();

    const response = await send(session, method);

    expect(deleted.status).toBe(204);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual(errorFrame(idOf(method), 404, NOT_FOUND));
  });

  it('is answered with 404 for a notification of a deleted session', async () => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);
    await session.delete();

    const response = await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' });

    expect(response.status).toBe(404);
    expect(await response.json()).toEqual(errorFrame(undefined, 404, NOT_FOUND));
  });

  it('is of no use to delete another session', async () => {
    await using app = await SessionApp.boot([]);
    const [one, other] = [await WireSession.open(app.url), await WireSession.open(app.url)];

    await one.delete();

    const response = await other.request('ping');
    expect(response.status).toBe(200);
  });

  it.each(METHODS)('is answered with 404 on %s for a principal that it does not belong to', async (method) => {
    await using app = await SessionApp.boot([], { authenticator: byHeader });
    const alice = { 'x-user': 'alice' };
    const opened = await post(app.url, JSON.stringify(initialize('2025-11-25')), alice);
    const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const session = await WireSession.open(app.url);

    const foreign = await send(session, method, { ...headers, 'x-user': 'mallory' });
    const own = await send(session, 'POST', { ...headers, ...alice });

    expect(foreign.status).toBe(404);
    expect(await foreign.json()).toEqual(errorFrame(idOf(method), 404, NOT_FOUND));
    expect(own.status).toBe(200);
  });
});

describe('the expiry of a session', () => {
  const MINUTE = 60_000;

  function clock(): { now: () => number; pass: (ms: number) => void } {
    let time = Date.now();
    return { now: () => time, pass: (ms) => void (time += ms) };
  }

  it.each(METHODS)('is answered with 404 on %s when nobody used the session for too long', async (method) => {
    const { now, pass } = clock();
    await using app = await SessionApp.boot([], { sessions: { now, store: { idleMs: 10 * MINUTE } } });
    const session = await WireSession.open(app.url);
    pass(10 * MINUTE);

    const response = await send(session, method);

    expect(response.status).toBe(404);
    expect(await response.json()).toEqual(errorFrame(idOf(method), 404, NOT_FOUND));
  });

  it('is put off by every request', async () => {
    const { now, pass } = clock();
    await using app = await SessionApp.boot([], { sessions: { now, store: { idleMs: 10 * MINUTE } } });
    const session = await WireSession.open(app.url);

    const statuses: number[] = [];
    for (let round = 0; round < 5; round++) {
      pass(9 * MINUTE);
      statuses.push((await session.request('ping')).status);
    }

    expect(statuses).toEqual([200, 200, 200, 200, 200]);
  });

  it('comes at the latest when the session is as old as a session may get', async () => {
    const { now, pass } = clock();
    const store = { idleMs: 10 * MINUTE, absoluteMs: 25 * MINUTE };
    await using app = await SessionApp.boot([], { sessions: { now, store } });
    const session = await WireSession.open(app.url);

    const statuses: number[] = [];
    for (let round = 0; round < 3; round++) {
      pass(9 * MINUTE);
      statuses.push((await session.request('ping')).status);
    }

    expect(statuses).toEqual([200, 200, 404]);
  });

  it('stops the calls of the session and ends its streams', async () => {
    const { now, pass } = clock();
    await using app = await SessionApp.boot([WaitingTools], { sessions: { now, store: { idleMs: 10 * MINUTE } } });
    const session = await WireSession.open(app.url);
    const running = await EventStream.open((signal) =>
      session.request('tools/call', { name: 'wait', _meta: { progressToken: 'p' } }, 7, signal),
    );
    const listening = await EventStream.listen(session);
    pass(10 * MINUTE);

    const response = await session.request('ping');

    expect(response.status).toBe(404);
    expect(await running.messages()).toEqual([
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } },
    ]);
    expect(await listening.messages()).toEqual([]);
    expect(app.get(WaitingTools).stopped).toBe(true);
  });
});

describe('the version header', () => {
  it.each(['2024-11-05', '2026-07-28', '1999-01-01', 'latest', ''])('is refused as "%s"', async (version) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const response = await session.post({ jsonrpc: '2.0', id: 3, method: 'ping' }, { 'mcp-protocol-version': version });

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(
      errorFrame(3, -32022, 'Unsupported protocol version', {
        supported: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'],
        requested: version,
      }),
    );
  });

  it.each(['GET', 'DELETE'] as const)('is refused on %s too, and the session goes on', async (method) => {
    await using app = await SessionApp.boot([]);
    const session = await WireSession.open(app.url);

    const response = await send(session, method, { 'mcp-protocol-version': '1999-01-01' });
    const later = await session.request('ping');

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32022, data: { requested: '1999-01-01' } } });
    expect(later.status).toBe(200);
  });

  it.each(['2025-03-26', '2025-06-18', '2025-11-25'])(
    'may be left out: the session of revision %s stays what it was negotiated to be',
    async (revision) => {
      await using app = await SessionApp.boot([RevisionTools]);
      const session = await WireSession.open(app.url, revision);

      const response = await session.post(
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'revision' } },
        { 'mcp-protocol-version': undefined },
      );

      expect(await response.json()).toEqual(resultFrame(1, textResult(revision)));
    },
  );
});

@Injectable()
class RevisionTools {
  @McpTool()
  revision(call: McpCall) {
    return call.revision;
  }
}

it('is ended by a client that names a type for the body that it does not send', async () => {
  await using app = await SessionApp.boot([]);
  const session = await WireSession.open(app.url);

  const ended = await session.delete({ 'content-type': 'application/json', 'content-length': '0' });

  expect(ended.status).toBe(204);
});
