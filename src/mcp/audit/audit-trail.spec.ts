import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CALL, SILENT, auditLines } from '../../../test/support/audit/audit-events.js';
import { MemorySink } from '../../../test/support/audit/memory-sink.js';
import { AuditTrail, type AuditTrailOptions } from './audit-trail.js';
import { verifyAudit } from './verify-audit.js';

const { privateKey: signingKey, publicKey } = generateKeyPairSync('ed25519');
const UNAVAILABLE = 'The audit trail cannot be written at the moment. Try again later.';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

interface Fixture {
  readonly sink: MemorySink;
  readonly trail: AuditTrail;
}

function make(onFailure: AuditTrailOptions['onFailure'], options: Partial<AuditTrailOptions> = {}): Fixture {
  const sink = new MemorySink();
  const trail = new AuditTrail({ sinks: [sink], onFailure, replica: 'r1', signingKey, logger: SILENT, ...options });
  return { sink, trail };
}

async function started(
  onFailure: AuditTrailOptions['onFailure'],
  options?: Partial<AuditTrailOptions>,
): Promise<Fixture> {
  const fixture = make(onFailure, options);
  await fixture.trail.start();
  return fixture;
}

/** Lets everything go on that does not wait for time. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const typesIn = ({ entries }: MemorySink): unknown[] => entries.map(({ type }) => type);
const methodsIn = ({ entries }: MemorySink): unknown[] =>
  entries.filter(({ type }) => type === 'operation').map(({ method }) => method);
const named = (method: string) => ({ ...CALL, method });

async function expectGenuine({ lines }: MemorySink): Promise<void> {
  const report = await verifyAudit(auditLines(lines), { trustedKeys: [publicKey] });
  expect(report.findings.filter(({ level }) => level === 'problem')).toEqual([]);
}

describe('AuditTrail', () => {
  it('writes a start, what is recorded, and an end, and closes the sink', async () => {
    const { sink, trail } = await started('continue');
    expect(trail.record(CALL)).toBeUndefined();
    void trail.record({ ...CALL, decision: 'deny', outcome: 'refused', code: 403 });
    await trail.close();

    expect(typesIn(sink)).toEqual(['start', 'operation', 'operation', 'end']);
    expect(sink.entries[2]).toMatchObject({ seq: 2, replica: 'r1', subject: 'ada', decision: 'deny', code: 403 });
    expect(sink.closed).toBe(true);
    await expectGenuine(sink);
  });

  it('writes neither arguments nor claims', async () => {
    const { sink, trail } = await started('continue', { digestKey: Buffer.alloc(32, 1) });
    void trail.record(CALL);
    await trail.close();
    expect(sink.lines.join()).not.toMatch(/4111|orderId|email/);
    expect(sink.entries[1]!['argsDigest']).toMatch(/^hmac-sha256:/);
  });

  it('digests arguments as they are when it is called', async () => {
    const { sink, trail } = await started('continue');
    const args = { a: 1 };
    const release = sink.hold();
    void trail.record(CALL);
    void trail.record({ ...CALL, arguments: args });
    args.a = 2;
    void trail.record({ ...CALL, arguments: { a: 1 } });
    release();
    await trail.close();
    const digests = sink.entries.map(({ argsDigest }) => argsDigest);
    expect(digests[2]).toBe(digests[3]);
  });

  it('puts what comes while the sink writes into one write', async () => {
    const { sink, trail } = await started('continue');
    const release = sink.hold();
    void trail.record(named('a'));
    await settle();
    for (const method of ['b', 'c', 'd']) void trail.record(named(method));
    release();
    await settle();
    expect(sink.writes.map(({ lines }) => lines.length)).toEqual([1, 1, 3]);
    expect(methodsIn(sink)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('puts what comes in one turn of the event loop into one write, at its end', async () => {
    const { sink, trail } = await started('closed');
    const written = ['a', 'b', 'c'].map((method) => trail.record(named(method))!);
    await Promise.resolve();
    expect(sink.writes).toHaveLength(1);
    await Promise.all(written);
    expect(sink.writes.map(({ lines }) => lines.length)).toEqual([1, 3]);
  });

  it('does not wait for the end of the turn when there is no more room', async () => {
    const { sink, trail } = await started('continue', { maxQueue: 2 });
    for (const method of ['a', 'b', 'c']) void trail.record(named(method));
    expect(sink.writes.map(({ lines }) => lines.length)).toEqual([1, 2]);
    await trail.close();
    expect([methodsIn(sink), trail.lost]).toEqual([['a', 'b', 'c'], 0]);
  });

  it.each(Array.from({ length: 12 }, (_, ticks) => ticks))(
    'writes what comes %i ticks after a write',
    async (ticks) => {
      const { sink, trail } = await started('continue');
      const release = sink.hold();
      void trail.record(named('a'));
      release();
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      void trail.record(named('b'));
      await settle();
      expect(methodsIn(sink)).toEqual(['a', 'b']);
    },
  );

  it('signs after so many entries', async () => {
    const { sink, trail } = await started('continue', { checkpointEvery: 2 });
    for (const method of ['a', 'b', 'c']) void trail.record(named(method));
    await settle();
    expect(typesIn(sink)).toEqual(['start', 'operation', 'operation', 'checkpoint', 'operation']);
    expect(sink.entries[3]).toMatchObject({ count: 2, signature: expect.any(String) });
  });

  it('signs after so long, but not when there is nothing new', async () => {
    const { sink, trail } = await started('continue', { checkpointMs: 30_000 });
    void trail.record(CALL);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(typesIn(sink)).toEqual(['start', 'operation']);
    await vi.advanceTimersByTimeAsync(1);
    expect(typesIn(sink)).toEqual(['start', 'operation', 'checkpoint']);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sink.lines).toHaveLength(3);
  });

  it('signs before entries that waited would span more time than it promised', async () => {
    const { sink, trail } = await started('continue', { checkpointMs: 10_000 });
    sink.error = new Error('no space left');
    for (const method of ['a', 'b', 'c', 'd']) {
      void trail.record(named(method));
      await vi.advanceTimersByTimeAsync(8_000);
    }
    sink.error = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(typesIn(sink).slice(0, 6)).toEqual([
      'start',
      'operation',
      'operation',
      'checkpoint',
      'operation',
      'operation',
    ]);
  });

  it('logs the last signature of each chain when it is closed, so that it can be kept elsewhere', async () => {
    const logger = { log: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const { sink, trail } = await started('continue', { logger, checkpointEvery: 1 });
    void trail.record(named('a'));
    await settle();
    sink.error = new Error('no space left');
    void trail.record(named('b'));
    await trail.close();
    const { chain, hash } = sink.entries[2]!;
    expect(logger.log.mock.calls).toEqual([
      [`The last signature in the audit sink memory, for audit:verify --expect: ${String(chain)}:2:${String(hash)}`],
    ]);
  });

  it('gives each sink a chain of its own, so that one that fails holds up no other', async () => {
    const [good, bad] = [new MemorySink(), new MemorySink()];
    bad.error = new Error('no space left');
    const { trail } = await started('continue', { sinks: [bad, good] });
    void trail.record(named('a'));
    await settle();
    expect(methodsIn(good)).toEqual(['a']);
    bad.error = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(methodsIn(bad)).toEqual(['a']);
    expect(good.entries[0]!['chain']).not.toBe(bad.entries[0]!['chain']);
  });

  it.each([
    ['no sink', { sinks: [] }, 'The audit trail has no sink. Give it one, or make no trail.'],
    [
      'a key of another kind',
      { signingKey: generateKeyPairSync('x25519').privateKey },
      'The signing key of the audit trail is no private Ed25519 key.',
    ],
    ['a public key', { signingKey: publicKey }, 'The signing key of the audit trail is no private Ed25519 key.'],
    [
      'signatures at no distance',
      { checkpointEvery: 0 },
      'checkpointEvery and checkpointMs of the audit trail must be',
    ],
    [
      'signatures at no time',
      { checkpointMs: Infinity },
      'checkpointEvery and checkpointMs of the audit trail must be',
    ],
    ['a short digest key', { digestKey: Buffer.alloc(8) }, 'The digest key of the audit trail has 8 bytes'],
  ])('refuses %s', (_name, options, message) => {
    expect(() => make('continue', options)).toThrow(message);
  });

  it('makes a key if it is given none, and warns of what that proves', async () => {
    const warn = vi.fn();
    const sink = new MemorySink();
    const trail = new AuditTrail({ sinks: [sink], onFailure: 'continue', replica: 'r1', logger: { ...SILENT, warn } });
    await trail.start();
    await trail.close();
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('no signing key'));
    expect((await verifyAudit(auditLines(sink.lines))).problems).toBe(0);
  });
});

describe('AuditTrail that goes on', () => {
  it('keeps what it cannot write, tries once a second, and writes it in order', async () => {
    const { sink, trail } = await started('continue');
    sink.error = new Error('no space left');
    void trail.record(named('a'));
    await settle();
    void trail.record(named('b'));
    await vi.advanceTimersByTimeAsync(2_500);
    expect(trail.failures).toBe(3);
    expect(trail.failure).toBe('no space left');
    expect(() => trail.ready()).not.toThrow();

    sink.error = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(methodsIn(sink)).toEqual(['a', 'b']);
    expect(trail.failure).toBeUndefined();
    await trail.close();
    await expectGenuine(sink);
  });

  it('tries the very same lines again', async () => {
    const { sink, trail } = await started('continue');
    sink.error = new Error('no space left');
    void trail.record(named('a'));
    void trail.record(named('b'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sink.writes[1]!.place).toMatchObject({ seq: 1 });
    expect(sink.writes[2]).toEqual(sink.writes[1]);
  });

  it('counts what has no room, and the chain says how many are missing where', async () => {
    const { sink, trail } = await started('continue', { maxQueue: 2 });
    sink.error = new Error('no space left');
    void trail.record(named('written'));
    await settle();
    for (const method of ['kept 1', 'kept 2', 'lost 1', 'lost 2', 'lost 3']) void trail.record(named(method));
    expect(trail.lost).toBe(3);

    sink.error = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    void trail.record(named('after'));
    await trail.close();
    expect(typesIn(sink)).toEqual(['start', 'operation', 'operation', 'operation', 'gap', 'operation', 'end']);
    expect(sink.entries[4]).toMatchObject({ seq: 4, lost: 3 });
    await expectGenuine(sink);
  });

  it('says once in the log that a sink fails, and once that it is back', async () => {
    const logger = { log: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const { sink, trail } = await started('continue', { logger });
    sink.error = new Error('no space left');
    void trail.record(CALL);
    await vi.advanceTimersByTimeAsync(5_000);
    sink.error = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(logger.error.mock.calls).toEqual([['The audit sink memory fails; it is tried again. no space left']]);
    expect(logger.log.mock.calls).toEqual([['The audit sink memory takes entries again. Operations lost so far: 0.']]);
  });

  it.each([
    [
      'its cause',
      new Error('Sessions cannot be reached.', { cause: new Error('WRONGTYPE a list') }),
      'WRONGTYPE a list',
    ],
    [
      'the first of its causes',
      new Error('wrapped', { cause: new Error('wrapped too', { cause: new Error('OOM') }) }),
      'OOM',
    ],
    [
      'the code of a cause that says nothing',
      new Error('wrapped', { cause: Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }) }),
      'ECONNREFUSED',
    ],
    ['the error, when its cause says nothing', new Error('wrapped', { cause: new Error('') }), 'wrapped'],
    ['the error, when its cause is none', new Error('wrapped', { cause: { secret: 'x' } }), 'wrapped'],
    ['no more than a line', new Error('wrapped', { cause: new Error('ERR\r\n  script') }), 'ERR script'],
    ['no more than 500 characters', new Error('x'.repeat(2_000)), `${'x'.repeat(499)}…`],
  ])('says why a sink fails: %s', async (_what, error, why) => {
    const logger = { log: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const { sink, trail } = make('continue', { logger });
    sink.error = error;
    await trail.start();
    expect(logger.error.mock.calls).toEqual([[`The audit sink memory fails; it is tried again. ${why}`]]);
    expect(trail.failure).toBe(why);
  });

  it('starts though a sink fails, and begins its chain later', async () => {
    const { sink, trail } = make('continue');
    sink.error = new Error('no such folder');
    await trail.start();
    expect(trail.failure).toBe('no such folder');
    sink.error = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(typesIn(sink)).toEqual(['start']);
  });

  it('begins its chain with the first operation, if nobody started it before', async () => {
    const { sink, trail } = make('continue');
    void trail.record(named('a'));
    await settle();
    await trail.start();
    await trail.start();
    await trail.close();
    await trail.start();
    expect(typesIn(sink)).toEqual(['start', 'operation', 'end']);
  });

  it('tries once more when it is closed, and says what is lost for good', async () => {
    const logger = { log: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const { sink, trail } = await started('continue', { logger });
    sink.error = new Error('no space left');
    void trail.record(named('a'));
    await settle();
    void trail.record(named('b'));
    await trail.close();
    expect(logger.error).toHaveBeenLastCalledWith(
      'The audit sink memory did not take the last operations before the end: 2. Operations lost in all: 2.',
    );
    expect(trail.lost).toBe(2);
    expect(sink.closed).toBe(true);
  });

  it('says when it is closed how many are missing, with those that had no room', async () => {
    const logger = { log: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const { sink, trail } = make('continue', { logger, maxQueue: 2 });
    sink.error = new Error('no space left');
    await trail.start();
    for (const method of ['kept 1', 'kept 2', 'lost 1', 'lost 2', 'lost 3']) void trail.record(named(method));
    await trail.close();
    expect(logger.error).toHaveBeenLastCalledWith(
      'The audit sink memory did not take the last operations before the end: 5. Operations lost in all: 5.',
    );
    expect(trail.lost).toBe(5);
  });

  it('says so also when all that is left is the count of those that had no room', async () => {
    const logger = { log: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const write = async (lines: readonly string[]): Promise<void> => {
      if (lines.some((line) => line.includes('"type":"gap"'))) throw new Error('no space left');
    };
    const { trail } = make('continue', { logger, maxQueue: 256, sinks: [{ name: 'picky', write }] });
    // 256 are under way, 256 wait.
    for (let call = 0; call < 555; call++) void trail.record(CALL);
    await trail.close();
    expect(logger.error).toHaveBeenLastCalledWith(
      'The audit sink picky did not take the last operations before the end: 43. Operations lost in all: 43.',
    );
    expect(trail.lost).toBe(43);
  });

  it('says once in the log that operations are lost, once that they no longer are, and again the next time', async () => {
    const logger = { log: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const { sink, trail } = await started('continue', { logger, maxQueue: 2 });
    for (let time = 0; time < 2; time++) {
      const release = sink.hold();
      // One is under way, two wait.
      void trail.record(CALL);
      await settle();
      for (let call = 1; call < 5; call++) void trail.record(CALL);
      release();
      await settle();
    }
    const losing =
      'The audit sink memory has no room for more operations: they are lost and counted until it has. Mend it.';
    const back = 'The audit sink memory has room again. Operations lost so far: ';
    expect(logger.error.mock.calls).toEqual([[losing], [losing]]);
    expect(logger.log.mock.calls).toEqual([[`${back}2.`], [`${back}4.`]]);
  });

  it('does not say again for each write of a sink that is too slow', async () => {
    const error = vi.fn();
    const release: (() => void)[] = [];
    const write = async (): Promise<void> => new Promise((resolve) => void release.push(resolve));
    const { trail } = make('continue', { logger: { ...SILENT, error }, maxQueue: 1_000, sinks: [{ write }] });
    for (let writes = 0; writes < 5; writes++) {
      for (let call = 0; call < 2_000; call++) void trail.record(CALL);
      release.shift()!();
      await settle();
    }
    expect(error).toHaveBeenCalledTimes(1);
    void trail.close();
  });

  it('waits for a sink that hangs no longer than it is told when it is closed', async () => {
    const { sink, trail } = await started('continue', { closeMs: 3_000 });
    sink.hold();
    void trail.record(CALL);
    let closed = false;
    void trail.close().then(() => (closed = true));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(closed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(closed).toBe(true);
    expect(trail.lost).toBe(1);
  });

  it('counts what comes after it was closed', async () => {
    const { sink, trail } = await started('continue');
    await trail.close();
    void trail.record(CALL);
    await settle();
    expect(trail.lost).toBe(1);
    expect(typesIn(sink)).toEqual(['start', 'end']);
  });
});

describe('AuditTrail that fails closed', () => {
  it('resolves when the operation is written', async () => {
    const { sink, trail } = await started('closed');
    const release = sink.hold();
    const order: string[] = [];
    const recorded = trail.record(CALL)!.then(() => order.push('recorded'));
    await settle();
    order.push('held');
    release();
    await recorded;
    expect(order).toEqual(['held', 'recorded']);
    expect(methodsIn(sink)).toEqual(['tools/call']);
  });

  it('rejects what it cannot write, refuses what comes next, and recovers', async () => {
    const { sink, trail } = await started('closed');
    expect(() => trail.ready()).not.toThrow();
    sink.error = new Error('no space left');
    await expect(trail.record(named('a'))).rejects.toMatchObject({ reason: 'UNAVAILABLE', message: UNAVAILABLE });
    expect(() => trail.ready()).toThrow(UNAVAILABLE);

    sink.error = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(() => trail.ready()).not.toThrow();
    await trail.record(named('b'));
    expect(methodsIn(sink)).toEqual(['a', 'b']);
    await trail.close();
    await expectGenuine(sink);
  });

  it('rejects at once while a sink fails, and still writes it when it is back', async () => {
    const { sink, trail } = await started('closed');
    sink.error = new Error('no space left');
    await expect(trail.record(named('a'))).rejects.toThrow(UNAVAILABLE);
    await expect(trail.record(named('refused'))).rejects.toThrow(UNAVAILABLE);
    sink.error = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(methodsIn(sink)).toEqual(['a', 'refused']);
  });

  it('rejects those that wait behind a write that fails', async () => {
    const { sink, trail } = await started('closed');
    const release = sink.hold();
    sink.error = new Error('no space left');
    const results = Promise.allSettled([trail.record(named('a')), trail.record(named('b'))]);
    release();
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('refuses while one of two sinks fails', async () => {
    const [good, bad] = [new MemorySink(), new MemorySink()];
    const { trail } = await started('closed', { sinks: [good, bad] });
    bad.error = new Error('no space left');
    await expect(trail.record(CALL)).rejects.toThrow(UNAVAILABLE);
    expect(() => trail.ready()).toThrow(UNAVAILABLE);
    expect(methodsIn(good)).toEqual(['tools/call']);
  });

  it('takes a sink that does not answer for one that fails, and never sends a line twice to it', async () => {
    const { sink, trail } = await started('closed', { writeTimeoutMs: 2_000 });
    const release = sink.hold();
    const recorded = expect(trail.record(named('a'))).rejects.toThrow(UNAVAILABLE);
    await vi.advanceTimersByTimeAsync(2_000);
    await recorded;
    expect(() => trail.ready()).toThrow(UNAVAILABLE);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sink.writes).toHaveLength(2);

    release();
    await settle();
    expect(() => trail.ready()).not.toThrow();
    expect(methodsIn(sink)).toEqual(['a']);
  });

  it('refuses when there is no more room', async () => {
    const { sink, trail } = await started('closed', { maxQueue: 1 });
    const release = sink.hold();
    const [first, second] = [trail.record(named('a'))!, trail.record(named('b'))!];
    expect(() => trail.ready()).toThrow(UNAVAILABLE);
    await expect(trail.record(named('c'))).rejects.toThrow(UNAVAILABLE);
    release();
    await Promise.all([first, second]);
    await settle();
    expect(typesIn(sink)).toEqual(['start', 'operation', 'operation', 'gap']);
    expect(trail.lost).toBe(1);
  });

  it('rejects what waits when it is closed', async () => {
    const { sink, trail } = await started('closed', { closeMs: 1_000 });
    sink.hold();
    const recorded = expect(trail.record(CALL)).rejects.toThrow(UNAVAILABLE);
    void trail.close();
    await vi.advanceTimersByTimeAsync(1_000);
    await recorded;
  });
});
