import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startHttp } from '../../../src/app/http.js';
import { eventually } from '../../support/eventually.js';
import { WireSession, statelessRequest } from '../../support/wire.js';

type App = Awaited<ReturnType<typeof startHttp>>;
type Line = Readonly<Record<string, unknown>>;
const MARK = 'Sup3rSecretMarker';
const ANY_MS = expect.any(Number) as number;
const POST = { http_method: 'POST', http_route: '/mcp' };

let app: App | undefined;
let lines: Line[];
beforeEach(() => {
  lines = [];
  const ignore = (): void => undefined;
  const log = (line: unknown, context: unknown): void => {
    if (context === 'Requests') lines.push(line as Line);
  };
  Logger.overrideLogger({ log, warn: ignore, error: ignore });
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose']);
});

async function start(env: Record<string, string> = {}): Promise<string> {
  app = await startHttp({
    PORT: '0',
    METRICS_ENABLED: 'false',
    MCP_DRAIN_GRACE_MS: '0',
    LIMIT_EVENT_LOOP_DELAY_MS: '0',
    ...env,
  });
  return `${await app.getUrl()}/mcp`;
}

/** The lines, once there are so many. */
async function logged(count: number): Promise<Line[]> {
  await eventually(() => expect(lines.length).toBeGreaterThanOrEqual(count));
  return lines;
}

const ADD_NOTE = { name: 'addNote', arguments: { title: MARK, text: MARK } };

it('leaves one line for a call of either era', async () => {
  const url = await start();
  const session = await WireSession.open(url);
  await logged(1);
  lines.length = 0;

  await (await session.request('tools/call', ADD_NOTE)).text();
  await logged(1);
  await statelessRequest(url, 'tools/call', ADD_NOTE);

  const call = {
    msg: 'tools/call addNote: ok',
    mcp_method: 'tools/call',
    capability_kind: 'tool',
    capability: 'addNote',
    outcome: 'ok',
    duration_ms: ANY_MS,
    http_status: 200,
    ...POST,
  };
  expect(await logged(2)).toEqual([
    { ...call, era: 'session', session: expect.stringMatching(/^[\da-f]{12}$/) as string },
    { ...call, era: 'stateless' },
  ]);
});

it('says what did not come to what was wanted, and why', async () => {
  const url = await start();

  await statelessRequest(url, 'tools/call', { name: 'addNote', arguments: { title: 7 } });
  await logged(1);
  await statelessRequest(url, 'tools/call', { name: MARK });
  await logged(2);
  await statelessRequest(url, MARK);

  expect(await logged(3)).toMatchObject([
    { msg: 'tools/call addNote: invalid_arguments', outcome: 'invalid_arguments' },
    { msg: 'tools/call: denied', outcome: 'denied', rule: 'unknown', http_status: 200 },
    { msg: '_other: denied', mcp_method: '_other', outcome: 'denied' },
  ]);
});

it('leaves a line for what is refused before it becomes a call, and for other paths', async () => {
  const url = await start();

  await fetch(url, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } });
  await logged(1);
  await fetch(url, { headers: { origin: `https://${MARK}.example` } });
  await logged(2);
  await fetch(new URL(`/${MARK}?token=${MARK}`, url), { headers: { 'x-request-id': 'abc-1' } });

  expect(await logged(3)).toEqual([
    { msg: 'POST /mcp: 400', duration_ms: ANY_MS, ...POST, http_status: 400 },
    { msg: 'GET /mcp: 403', duration_ms: ANY_MS, http_method: 'GET', http_route: '/mcp', http_status: 403 },
    {
      msg: 'GET _other: 404',
      duration_ms: ANY_MS,
      http_method: 'GET',
      http_route: '_other',
      http_status: 404,
      request_id: 'abc-1',
    },
  ]);
});

it('leaves a line without a method of MCP for a caller who is refused', async () => {
  const url = await start({
    AUTH_ISSUERS: 'https://login.example',
    AUTH_RESOURCE: 'http://127.0.0.1/mcp',
    AUTH_SHARED_SECRET: 'a'.repeat(32),
    AUTH_ANONYMOUS: 'false',
  });

  await statelessRequest(url, 'tools/list', {}, { headers: { authorization: `Bearer ${MARK}` } });

  const [line] = await logged(1);
  expect(line).toMatchObject({ msg: 'POST /mcp: denied', outcome: 'denied', http_status: 401 });
  expect(line).not.toHaveProperty('mcp_method');
});

it('leaves a line when a stream is opened, and one when it ends', async () => {
  const url = await start();
  const session = await WireSession.open(url);
  await logged(1);
  lines.length = 0;

  const changes = await session.get();
  await logged(1);
  const listening = await statelessRequest(url, 'subscriptions/listen', { notifications: { toolsListChanged: true } });
  await logged(2);
  await changes.body?.cancel();
  await logged(3);
  await listening.body?.cancel();

  expect((await logged(4)).map(({ msg }) => msg)).toEqual([
    'GET: opened',
    'subscriptions/listen: opened',
    'GET: closed',
    'subscriptions/listen: closed',
  ]);
  expect(lines[2]).toMatchObject({ era: 'session', stream: 'closed', aborted: true, duration_ms: ANY_MS });
  expect(lines[2]?.['session']).toBe(lines[0]?.['session']);
});

it('leaves none for health and metrics, and none at all if it is not wanted', async () => {
  const quiet = new URL(await start({ METRICS_ENABLED: 'true' }));
  for (const path of ['/health', '/health/live', '/metrics']) await fetch(new URL(path, quiet));
  await statelessRequest(quiet.href, 'tools/list');
  expect(await logged(1)).toMatchObject([{ msg: 'tools/list: ok' }]);
  await app?.close();
  lines.length = 0;

  const silent = await start({ LOG_REQUESTS: 'false' });
  await statelessRequest(silent, 'tools/list');
  await app?.close();

  expect(lines).toEqual([]);
});

it('holds nothing that a caller has sent', async () => {
  const url = await start();
  const session = await WireSession.open(url);
  const headers = { authorization: `Bearer ${MARK}`, cookie: `sid=${MARK}`, 'x-request-id': `${MARK} `.repeat(20) };

  await statelessRequest(`${url}?token=${MARK}`, 'tools/call', ADD_NOTE, { headers });
  await statelessRequest(url, 'resources/read', { uri: `notes://${MARK}` }, { headers });
  await statelessRequest(url, 'prompts/get', { name: MARK, arguments: { a: MARK } }, { headers });
  await fetch(url, { method: 'DELETE', headers: { 'mcp-session-id': MARK } });
  await logged(5);

  expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${MARK}|${session.id}`));
});
