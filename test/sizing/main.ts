import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { SignJWT } from 'jose';
import { type RedisServer, startRedisServer } from '../support/redis/redis-server.js';
import { type Json, ENVELOPE, statelessHeaders } from '../support/wire.js';
import { holdCalls, holdGetStreams, holdListeners, makeCalls, openSessions } from './holders.js';
import { type Load, run } from './load.js';
import { Replica, type Usage } from './replica.js';

/*
 * Prints what a replica can do and what it needs: `npm run sizing`, or `npm run sizing -- calls` or `-- memory` for a part.
 * It takes Linux, redis-server and wrk. CPU, memory, commands and log are those of the server's process alone, so that
 * what shares the machine with it disturbs them little; calls a second it does disturb.
 */

const ROUNDS = Number(process.env['SIZING_ROUNDS'] ?? 3);
const SECONDS = Number(process.env['SIZING_SECONDS'] ?? 8);
const CONNECTIONS = 32;
const SESSIONS = 200;
const HELD = 5_000;
const RUNNING = 1_000;
const WARM_UP_SECONDS = 4;
/** Longer than keep-alive and sweeps take to come round. */
const IDLE_MS = 65_000;
const SETTLE_MS = 5_000;

interface Caller {
  readonly variables: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

const TEXT = 'The court found that the contract was breached. '.repeat(20);
const CALLS = {
  'stateless, JSON': { session: false, name: 'listTags', arguments: {}, streams: false },
  'session, JSON': { session: true, name: 'listTags', arguments: {}, streams: false },
  'stateless, 5 events': { session: false, name: 'analyzeDocument', arguments: { text: TEXT }, streams: true },
  'session, 5 events': { session: true, name: 'analyzeDocument', arguments: { text: TEXT }, streams: true },
} as const;

const ANONYMOUS: Caller = { variables: { AUTH_MODE: 'none' }, headers: {} };
const AUDIT = { AUDIT_TO: 'stdout,redis' };

/** The processes of Redis do not keep this one alive. */
const alive = setInterval(() => undefined, 60_000);
const dir = mkdtempSync(join(tmpdir(), 'rookery-sizing-'));
try {
  const part = process.argv[2];
  console.log(`Node ${process.version}`);
  if (part !== 'memory') await measureCalls();
  if (part !== 'calls') await measureMemory();
} finally {
  clearInterval(alive);
  rmSync(dir, { recursive: true, force: true });
}

async function measureCalls(): Promise<void> {
  const user = await withToken();
  const audited = { ...user, variables: { ...user.variables, ...AUDIT } };
  console.log(`\n${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections; medians`);
  console.log(
    ['calls/s', 'CPU ms', 'Redis CPU ms', 'Redis commands', 'log bytes', 'p50 ms', 'p99 ms', 'RSS MB'].join(' | '),
  );
  for (const kind of Object.keys(CALLS) as (keyof typeof CALLS)[]) {
    await withReplica(ANONYMOUS, false, (replica) => measure(`memory; ${kind}`, kind, replica));
    for (const [who, caller] of Object.entries({ anonymous: ANONYMOUS, token: user, 'token, audit': audited })) {
      const name = `Redis, ${who}; ${kind}`;
      await withReplica(caller, true, (replica, redis) => measure(name, kind, replica, { caller, redis }));
    }
  }
}

async function measure(
  name: string,
  kind: keyof typeof CALLS,
  replica: Replica,
  { caller = ANONYMOUS, redis }: { caller?: Caller; redis?: Redis | undefined } = {},
): Promise<void> {
  const load = await loadOf(kind, replica, caller);

  await run({ ...load, seconds: WARM_UP_SECONDS });
  const rounds: number[][] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [before, redisBefore] = [await replica.usage(), await redisCpu(redis)];
    const { requests, perSecond, p50Ms, p99Ms } = await run(load);
    const [after, redisAfter] = [await replica.usage(), await redisCpu(redis)];
    const calls = after.calls - before.calls;
    if (Math.abs(calls - requests) > 2 * CONNECTIONS) throw new Error(`${requests} requests, but ${calls} calls.`);
    const each = (of: (usage: Usage) => number): number => (of(after) - of(before)) / calls;
    rounds.push([
      perSecond,
      each(({ cpuSeconds }) => cpuSeconds) * 1_000,
      ((redisAfter - redisBefore) / calls) * 1_000,
      each(({ redisCommands }) => redisCommands),
      each(({ logBytes }) => logBytes),
      p50Ms,
      p99Ms,
      after.residentBytes / 1e6,
    ]);
  }
  console.log(`${name}: ${medians(rounds).join(' | ')}`);
}

async function loadOf(kind: keyof typeof CALLS, replica: Replica, caller: Caller): Promise<Load> {
  const { session, name: tool, arguments: given, streams } = CALLS[kind];
  const headers = {
    ...(session
      ? { 'mcp-protocol-version': '2025-11-25' }
      : statelessHeaders('tools/call', { name: tool } satisfies Json)),
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...caller.headers,
  };
  const meta = { ...(!session && ENVELOPE), ...(streams && { progressToken: 1 }) };
  const params = { name: tool, arguments: given, _meta: meta };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'tools/call', params }).replace('"id":0', '"id":%ID%');
  const sessions = session ? await openSessions(replica.url, SESSIONS, caller.headers) : [];
  return { url: replica.url, headers, body, sessions, connections: CONNECTIONS, seconds: SECONDS };
}

async function measureMemory(): Promise<void> {
  // A machine that is busy with other things must not fail a measurement of memory.
  const patient = { MCP_MAX_SESSIONS: '1000000', REDIS_COMMAND_TIMEOUT_MS: '10000' };
  const open = { ...ANONYMOUS, variables: { ...ANONYMOUS.variables, ...patient } };
  await withReplica(open, true, async (replica) => {
    await delay(SETTLE_MS);
    const { residentBytes, scrapeBytes, series } = await replica.usage();
    console.log(
      `\nan idle replica: ${megabytes(residentBytes)}; a scrape of it ${scrapeBytes} bytes, ${series} series`,
    );
    await idle('an idle replica', replica);
  });
  await withReplica(open, true, async (replica, redis) => {
    await held('session in Redis', replica, { redis, hold: () => openSessions(replica.url, HELD, {}) });
  });
  await withReplica(open, false, (replica) =>
    held('session in memory', replica, { hold: () => openSessions(replica.url, HELD, {}) }),
  );
  await withReplica(open, true, async (replica, redis) => {
    const sessions = await openSessions(replica.url, HELD, {});
    await held('GET stream', replica, { redis, hold: () => holdGetStreams(replica.url, sessions) });
    await idle(`${HELD} GET streams`, replica, redis);
  });
  await withReplica(open, true, async (replica, redis) => {
    await held('listener', replica, { redis, hold: () => holdListeners(replica.url, HELD) });
    await idle(`${HELD} listeners`, replica, redis);
  });
  for (const kind of ['session, JSON', 'session, 5 events'] as const) {
    await withReplica(open, true, async (replica, redis) => {
      const load = await loadOf(kind, replica, ANONYMOUS);
      await held(`answered call, ${kind}`, replica, { redis, hold: () => makeCalls(load, HELD) });
    });
  }
  const audited = { ...open, variables: { ...open.variables, AUDIT_TO: 'redis' } };
  await withReplica(audited, true, async (replica, redis) => {
    const load = await loadOf('stateless, JSON', replica, ANONYMOUS);
    await held('audited call', replica, { redis, hold: () => makeCalls(load, HELD) });
  });
  await measureRunningCalls(open);
}

/** Calls that wait for a service behind their tool, over a connection each. */
async function measureRunningCalls({ variables }: Caller): Promise<void> {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const service = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const caller = {
    headers: {},
    variables: { ...variables, WEATHER_GEOCODING_URL: service, WEATHER_TIMEOUT_MS: '60000' },
  };
  await withReplica(caller, false, async (replica) => {
    const params = { name: 'getCurrentWeather', arguments: { city: 'Berlin' } };
    await held('running call', replica, { count: RUNNING, hold: () => holdCalls(replica.url, RUNNING, params) });
  });
  silent.closeAllConnections();
  silent.close();
}

/** Prints what each of those that are held has added to the memory of the replica and of Redis. */
async function held(
  what: string,
  replica: Replica,
  { hold, redis, count = HELD }: { hold: () => Promise<unknown>; redis?: Redis | undefined; count?: number },
): Promise<void> {
  // Or the growth of a heap that begins to work would be taken for theirs.
  await run({ ...(await loadOf('stateless, JSON', replica, ANONYMOUS)), seconds: WARM_UP_SECONDS });
  await delay(SETTLE_MS);
  const [before, redisBefore] = [await replica.usageWithoutGarbage(), await redisMemory(redis)];
  await hold();
  await delay(SETTLE_MS);
  const [after, redisAfter] = [await replica.usageWithoutGarbage(), await redisMemory(redis)];
  const kilobytes = ((after.heldBytes - before.heldBytes) / count / 1e3).toFixed(1);
  const inRedis = redis ? `, Redis ${Math.round((redisAfter - redisBefore) / count)} bytes` : '';
  console.log(
    `${what} (${count} of them): replica ${kilobytes} kB each, ${megabytes(before.residentBytes)} resident before, ${megabytes(after.residentBytes)} after${inRedis}`,
  );
}

async function idle(what: string, replica: Replica, redis?: Redis): Promise<void> {
  const [before, redisBefore] = [await replica.usage(), await redisCpu(redis)];
  await delay(IDLE_MS);
  const [after, redisAfter] = [await replica.usage(), await redisCpu(redis)];
  const share = (seconds: number): string => `${((seconds / IDLE_MS) * 1e6).toFixed(0)} millicores`;
  const commands = (((after.redisCommands - before.redisCommands) / IDLE_MS) * 1_000).toFixed(1);
  const inRedis = redis ? `, Redis ${share(redisAfter - redisBefore)}` : '';
  console.log(`  ${what}: ${share(after.cpuSeconds - before.cpuSeconds)}, ${commands} commands/s${inRedis}`);
}

/** A caller whose token is verified and whose calls are counted by a limit that he does not reach. */
async function withToken(): Promise<Caller> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyFile = join(dir, 'issuer.pem');
  writeFileSync(keyFile, publicKey.export({ type: 'spki', format: 'pem' }));
  const token = await new SignJWT({ client_id: 'sizing', scope: 'mcp' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .setIssuer('https://idp.example.com/')
    .setAudience('https://mcp.example.com/mcp')
    .setSubject('user-1')
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(privateKey);
  const variables = {
    AUTH_ISSUERS: 'https://idp.example.com/',
    AUTH_PUBLIC_KEY_FILE: keyFile,
    AUTH_RESOURCE: 'https://mcp.example.com/mcp',
    LIMIT_PRINCIPAL_PER_MINUTE: '1000000',
  };
  return { variables, headers: { authorization: `Bearer ${token}` } };
}

async function withReplica(
  { variables }: Caller,
  onRedis: boolean,
  work: (replica: Replica, redis?: Redis) => Promise<void>,
): Promise<void> {
  const server: RedisServer | undefined = onRedis
    ? await startRedisServer({
        appendOnly: true,
        args: ['--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
      })
    : undefined;
  const redis = server && new Redis(server.url);
  const replica = await Replica.start({ ...variables, ...(server && { REDIS_URL: server.url }) });
  try {
    await work(replica, redis);
  } finally {
    await replica.stop();
    redis?.disconnect();
    await server?.close();
  }
}

async function redisCpu(redis: Redis | undefined): Promise<number> {
  const info = (await redis?.info('cpu')) ?? '';
  return Number(/used_cpu_sys:([\d.]+)/.exec(info)?.[1] ?? 0) + Number(/used_cpu_user:([\d.]+)/.exec(info)?.[1] ?? 0);
}

async function redisMemory(redis: Redis | undefined): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec((await redis?.info('memory')) ?? '')?.[1] ?? 0);
}

function medians(rounds: readonly (readonly number[])[]): string[] {
  return (rounds[0] ?? []).map((_, column) => {
    const sorted = rounds.map((round) => round[column] ?? 0).sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    return median >= 100 ? median.toFixed(0) : median.toPrecision(3);
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
