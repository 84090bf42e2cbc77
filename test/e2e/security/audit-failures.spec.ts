import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import type { AuditTrail } from '../../../src/mcp/audit/audit-trail.js';
import { verifyAudit } from '../../../src/mcp/audit/verify-audit.js';
import { AUDIT_TRAIL } from '../../../src/mcp/governance.providers.js';
import { McpServer } from '../../../src/mcp/mcp.providers.js';
import { CALL, auditLines } from '../../support/audit/audit-events.js';
import { eventually } from '../../support/eventually.js';
import { startRedisServer } from '../../support/redis/redis-server.js';
import { type Json, responseOf } from '../../support/wire.js';
import { Caller, ERAS, type Era } from '../limits/caller.js';
import { ADA, AuditedApp } from './audited-app.js';

const ORDER = { orderId: 7, card: 'SECRET card' };
const CLOSED = { onFailure: 'closed' } as const;
const UNAVAILABLE = 'The audit trail cannot be written at the moment. Try again later.';

const ada = ({ url }: AuditedApp, era: Era): Promise<Caller> => Caller.open(url, { era, principal: ADA });
const refund = (caller: Caller): Promise<Response> => caller.call('refund', ORDER);

/** The problems of a log whose servers have stopped. */
async function problemsIn(lines: readonly string[]): Promise<string[]> {
  const { findings } = await verifyAudit(auditLines(lines), { ended: true });
  return findings.map(({ level, kind }) => `${level} ${kind}`);
}

describe.each(ERAS)('a sink that fails, where operations must be recorded, in the %s era', (era) => {
  /** A server whose sink fails and has been found to. */
  async function failing() {
    const server = await AuditedApp.boot(CLOSED);
    const caller = await ada(server, era);
    server.sink.error = new Error('SECRET disk full');
    await (await caller.request('tools/list')).text();
    return { server, caller };
  }

  it('withholds the result of a call that has run, and says so', async () => {
    const server = await AuditedApp.boot(CLOSED);
    const caller = await ada(server, era);
    server.sink.error = new Error('SECRET disk full');
    const response = await refund(caller);

    // Not 503: a proxy would send the call again.
    expect(response.status).toBe(200);
    expect(await responseOf(response)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: 503, message: expect.stringMatching(/^This was done but could not be recorded/) as unknown },
    });
    expect(server.ledger.ran).toBe(1);
  });

  it('has no handler run, and every operation refused', async () => {
    const { server, caller } = await failing();
    const refused = await refund(caller);
    const body = await responseOf(refused);

    expect(body).toEqual({ jsonrpc: '2.0', id: 1, error: { code: 503, message: UNAVAILABLE } });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    for (const [method, params] of [
      ['tools/list', {}],
      ['resources/read', { uri: 'rates://today' }],
      ['tools/call', { name: 'hidden' }],
      ['no/such', {}],
    ] as const) {
      expect(await responseOf(await caller.request(method, params))).toMatchObject({ error: { code: 503 } });
    }
    expect(server.ledger.ran).toBe(0);
  });

  it('lets operations run again once it works, and then has them all', async () => {
    const { server, caller } = await failing();
    await (await refund(caller)).text();
    const before = server.operations.length;
    server.sink.error = undefined;
    await eventually(async () => expect(await responseOf(await refund(caller))).toHaveProperty('result'));

    expect(server.ledger.ran).toBe(1);
    const entries = server.operations.slice(before).map((entry) => [entry['method'], entry['rule'], entry['outcome']]);
    expect(entries.slice(0, 2)).toEqual([
      ['tools/list', 'none', 'ok'],
      ['tools/call', 'audit', 'refused'],
    ]);
    expect(entries.at(-1)).toEqual(['tools/call', 'open', 'ok']);
    await server.app.close();
    expect(await problemsIn(server.sink.lines)).toEqual([]);
  });

  it('has callers without a name refused as well', async () => {
    const { server, caller } = await failing();
    const response = await caller.call('refund', ORDER, { headers: { 'x-rookery-test-principal': 'nobody' } });

    expect(response.status).toBe(503);
    expect(server.ledger.ran).toBe(0);
  });

  it('has a stream broken off that was opened and could not be recorded', async () => {
    const server = await AuditedApp.boot(CLOSED);
    const caller = await ada(server, era);
    server.sink.error = new Error('SECRET disk full');
    const filter = { notifications: { toolsListChanged: true } };
    const opened = era === 'stateless' ? caller.request('subscriptions/listen', filter) : caller.send('GET');

    await expect(opened.then((response) => response.text())).rejects.toThrow();
    const { streams } = server.app.get(McpServer).services;
    await eventually(() => expect(streams.size).toBe(0));
    // The next one is not opened at all.
    const next = era === 'stateless' ? caller.request('subscriptions/listen', filter) : caller.send('GET');
    expect((await next).status).toBe(503);
  });

  it('may be one of several', async () => {
    const works: string[] = [];
    const other = { write: async (lines: readonly string[]) => void works.push(...lines) };
    const server = await AuditedApp.boot();
    const both = await AuditedApp.boot({ ...CLOSED, to: [server.sink, other] });
    const caller = await ada(both, era);
    server.sink.error = new Error('SECRET disk full');
    await (await refund(caller)).text();

    expect(await responseOf(await refund(caller))).toMatchObject({ error: { code: 503 } });
    expect(both.ledger.ran).toBe(1);
  });
});

describe('a session that could not be recorded', () => {
  it('is not told to the client', async () => {
    const server = await AuditedApp.boot(CLOSED);
    server.sink.error = new Error('SECRET disk full');
    const caller = await ada(server, 'session');

    expect(caller.headers['mcp-session-id']).toBe('');
  });
});

describe('a sink that fails, where operations go on', () => {
  it('has every call answered, and gets all when it works again', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, 'stateless');
    server.sink.error = new Error('SECRET disk full');

    expect(await caller.statuses(3, 'refund', ORDER)).toEqual([200, 200, 200]);
    expect([server.ledger.ran, server.operations]).toEqual([3, []]);
    server.sink.error = undefined;
    await eventually(() => expect(server.operations).toHaveLength(3));
  });

  it('is told how many operations are missing, at their place', async () => {
    const server = await AuditedApp.boot();
    const caller = await ada(server, 'stateless');
    const trail = server.app.get<AuditTrail>(AUDIT_TRAIL);
    server.sink.error = new Error('SECRET disk full');
    await caller.statuses(1, 'told');
    // As many as may wait, and more.
    for (let i = 0; i < 10_500; i += 1) void trail.record(CALL);

    expect(await caller.statuses(1, 'refund', ORDER)).toEqual([200]);
    const { lost } = trail;
    expect(lost).toBeGreaterThan(0);
    server.sink.error = undefined;
    await eventually(() => expect(server.sink.entries.find(({ type }) => type === 'gap')).toMatchObject({ lost }));
    await caller.statuses(1, 'told');
    await server.app.close();
    expect(server.operations.at(-1)).toMatchObject({ subject: 'ada', primitive: { name: 'told' } });
    expect(await problemsIn(server.sink.lines)).toEqual(['warning gap']);
  });
});

const methodsIn = (lines: readonly string[]): unknown[] =>
  lines.map((line) => JSON.parse(line) as Json).flatMap(({ type, method }) => (type === 'operation' ? [method] : []));

describe('sinks that options name', () => {
  it('write to a file', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'rookery-audit-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const file = join(dir, 'audit.log');
    const server = await AuditedApp.boot({ ...CLOSED, to: [{ file }] });
    await (await ada(server, 'session')).statuses(2, 'refund', ORDER);
    await server.app.close();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');

    expect(methodsIn(lines)).toEqual(['initialize', 'tools/call', 'tools/call']);
    expect(await problemsIn(lines)).toEqual([]);
    expect(lines.join()).not.toContain('SECRET');
  });

  it('stop the start when they cannot be written, as a file in a folder that is not there', async () => {
    const boot = AuditedApp.boot({ ...CLOSED, to: [{ file: '/no/such/folder/audit.log' }] });
    await expect(boot).rejects.toThrow('Make the folder /no/such/folder, or name another file.');
  });

  it('write to standard output', async () => {
    const written: string[] = [];
    const write = (text: unknown, done: unknown): boolean => {
      written.push(String(text));
      if (typeof done === 'function') (done as () => void)();
      return true;
    };
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation(write);
    onTestFinished(() => spy.mockRestore());
    const server = await AuditedApp.boot({ ...CLOSED, to: ['stdout'] });
    await (await ada(server, 'session')).statuses(1, 'refund', ORDER);
    await server.app.close();
    const lines = written
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('{"v":1,'));

    expect(methodsIn(lines)).toEqual(['initialize', 'tools/call']);
    expect(await problemsIn(lines)).toEqual([]);
  });

  it('sign with the key that options name', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const signingKey = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const server = await AuditedApp.boot({ signingKey });
    await server.app.close();
    const report = await verifyAudit(auditLines(server.sink.lines), { trustedKeys: [publicKey], ended: true });

    expect([report.findings, report.entries]).toEqual([[], 2]);
  });

  it.each<[string, Parameters<typeof AuditedApp.boot>, string]>([
    ['there is no Redis', [{ to: ['redis'] }], 'The audit is to go to Redis, but there is none. Set `redis`'],
    ['there is no sink', [{ to: [] }], 'The audit trail has no sink.'],
    ['the key is none', [{ signingKey: 'SECRET' }], 'audit.signingKey is not a private key in PEM form. Make one with'],
    ['the key of digests is short', [{ digestKey: Buffer.alloc(9) }], 'has 9 bytes and needs 32 at least.'],
  ])('stop the start when %s', async (_when, options, message) => {
    await expect(AuditedApp.boot(...options)).rejects.toThrow(message);
  });

  it('digest with the key that options name', async () => {
    const server = await AuditedApp.boot({ digestKey: Buffer.alloc(32, 1) });
    await (await ada(server, 'stateless')).statuses(1, 'refund', ORDER);

    expect(server.operations[0]?.['argsDigest']).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
  });
});

const url = inject('redisUrl') ?? '';

describe.skipIf(url === '')('a stream in Redis that options name', () => {
  async function linesIn(redisUrl: string, keyPrefix: string): Promise<string[]> {
    const redis = new Redis(redisUrl);
    onTestFinished(() => redis.disconnect());
    const entries = await redis.xrange(`${keyPrefix}{audit}:log`, '-', '+');
    return entries.map(([, [, line]]) => line ?? '');
  }

  it('has the entries of all replicas', async () => {
    const redis = { url, keyPrefix: `test:audit:${randomUUID()}:` };
    const audit = { ...CLOSED, to: ['redis'] as const };
    const servers = [
      await AuditedApp.boot({ ...audit, replica: 'r1' }, { redis }),
      await AuditedApp.boot({ ...audit, replica: 'r2' }, { redis }),
    ];
    for (const server of servers) await (await ada(server, 'session')).statuses(2, 'refund', ORDER);
    for (const { app } of servers) await app.close();
    const lines = await linesIn(url, redis.keyPrefix);

    expect(methodsIn(lines)).toEqual([
      'initialize',
      'tools/call',
      'tools/call',
      'initialize',
      'tools/call',
      'tools/call',
    ]);
    expect(await problemsIn(lines)).toEqual([]);
    expect(new Set(lines.map((line) => (JSON.parse(line) as Json)['replica']))).toEqual(new Set(['r1', 'r2']));
  });

  it('has operations refused while Redis is away, and goes on after it', async () => {
    const redis = await startRedisServer({ appendOnly: true });
    onTestFinished(() => redis.close());
    const server = await AuditedApp.boot({ ...CLOSED, to: ['redis'] }, { redis: { url: redis.url } });
    const caller = await ada(server, 'stateless');
    await eventually(async () => expect((await refund(caller)).status).toBe(200));
    const { ran } = server.ledger;
    await redis.kill('SIGSTOP');

    expect(await responseOf(await refund(caller))).toMatchObject({ error: { code: 503 } });
    expect([(await refund(caller)).status, server.ledger.ran]).toEqual([503, ran + 1]);
    await redis.kill('SIGCONT');
    await eventually(async () => expect(await responseOf(await refund(caller))).toHaveProperty('result'));
    await server.app.close();
    const lines = await linesIn(redis.url, 'rookery:');
    expect(await problemsIn(lines)).toEqual([]);
    expect(methodsIn(lines).length).toBeGreaterThanOrEqual(4);
  });
});
