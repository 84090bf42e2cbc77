import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CALL, SILENT } from '../../../test/support/audit/audit-events.js';
import { MemorySink } from '../../../test/support/audit/memory-sink.js';
import { ANONYMOUS } from '../protocol/principal.js';
import type { AuditEvent } from './audit-event.js';
import { AuditTrail, type AuditTrailOptions } from './audit-trail.js';

const { privateKey: signingKey } = generateKeyPairSync('ed25519');
/** A caller whose token was refused. */
const REFUSED: AuditEvent = {
  ...{ method: 'POST', decision: 'deny', rule: 'authentication', outcome: 'refused', code: 401 },
  ...{ latencyMs: 1, traceId: 'trace', arguments: { a: 1 }, era: 'session' },
};

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

async function started(options: Partial<AuditTrailOptions> = {}) {
  const sink = new MemorySink();
  const trail = new AuditTrail({
    ...{ sinks: [sink], onFailure: 'continue', replica: 'r1', signingKey, logger: SILENT },
    ...options,
  });
  await trail.start();
  const operations = () => sink.entries.filter(({ type }) => type === 'operation');
  const record = (times: number, event: AuditEvent = REFUSED): void => {
    for (let i = 0; i < times; i++) void trail.record(event);
  };
  return { sink, trail, operations, record };
}

describe('refusals of callers without a name', () => {
  it('are one entry at once, and one of all others when the second is over', async () => {
    const { operations, record } = await started();
    record(12_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(operations()).toMatchObject([{ rule: 'authentication', code: 401, traceId: 'trace' }]);
    expect(operations()[0]).not.toHaveProperty('count');

    await vi.advanceTimersByTimeAsync(1);
    expect(operations()).toHaveLength(2);
    expect(operations()[1]).toMatchObject({
      ...{ issuer: null, method: 'POST', rule: 'authentication', code: 401, decision: 'deny', outcome: 'refused' },
      ...{ count: 11_999, era: null, primitive: null, argsDigest: null, latencyMs: null, traceId: null },
    });
  });

  it('are also those of callers who could not be told, for whatever reason', async () => {
    const { operations, record } = await started();
    record(500, { method: 'POST', decision: 'allow', rule: 'none', outcome: 'error', code: 503, latencyMs: 1 });
    await vi.advanceTimersByTimeAsync(1_000);

    expect(operations()).toMatchObject([{ code: 503 }, { code: 503, count: 499 }]);
  });

  it('are counted anew each second, and not written when there is nothing to count', async () => {
    const { operations, record } = await started();
    for (let second = 0; second < 2; second++) {
      record(3);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    record(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(operations().map(({ count }) => count)).toEqual([undefined, 2, undefined, 2, undefined]);
  });

  it('are counted by method, rule and code, and by whether the caller is let in without a name', async () => {
    const { operations, record, trail } = await started();
    const others = [{ method: 'GET' }, { rule: 'scopes' }, { code: 403 }, { principal: ANONYMOUS }];
    for (const other of others) record(3, { ...REFUSED, ...other });
    await trail.close();
    expect(operations().slice(4)).toMatchObject([
      { method: 'GET', count: 2 },
      { rule: 'scopes', count: 2 },
      { code: 403, count: 2 },
      { issuer: 'anonymous', count: 2 },
    ]);
  });

  it('are of 64 kinds at most; the rest is counted together', async () => {
    const { operations, trail } = await started();
    for (let i = 0; i < 1_000; i++) void trail.record({ ...REFUSED, method: `m${i}` });
    await trail.close();
    expect(operations()).toHaveLength(66);
    expect(operations()[64]).toMatchObject({ method: 'm64' });
    expect(operations()[65]).toMatchObject({ method: '_other', rule: '_other', code: null, count: 935 });
  });

  it('are also those of callers who come too often or while nothing can be recorded', async () => {
    const { operations, record, trail } = await started();
    record(5, { ...REFUSED, decision: 'limit', rule: 'audit' });
    await trail.close();
    expect(operations().map(({ count }) => count)).toEqual([undefined, 4]);
  });

  it.each<[string, AuditEvent]>([
    ['of a caller who has a name', { ...CALL, decision: 'deny', outcome: 'refused' }],
    ['that was allowed', { ...CALL, principal: ANONYMOUS }],
  ])('leave alone what is recorded %s', async (_what, event) => {
    const { operations, record, trail } = await started();
    record(3, event);
    await trail.close();
    expect(operations().map(({ count }) => count)).toEqual([undefined, undefined, undefined]);
  });

  it('take no room from others, and have a tenth of it', async () => {
    const { operations, record, trail, sink } = await started({ maxQueue: 20 });
    const release = sink.hold();
    record(1, { ...CALL, method: 'under way' });
    await vi.advanceTimersByTimeAsync(0);
    for (let i = 0; i < 60; i++) record(1, { ...REFUSED, method: `m${i}` });
    for (let i = 0; i < 20; i++) record(1, { ...CALL, method: `real ${i}` });
    expect(trail.lost).toBe(58);
    release();
    await trail.close();
    const methods = operations().map(({ method }) => String(method));
    expect(methods.filter((method) => method.startsWith('real'))).toHaveLength(20);
    expect(methods.filter((method) => method.startsWith('m'))).toEqual(['m0', 'm1']);
  });

  it('are lost as many as they were, when even these have no room', async () => {
    const { record, trail, sink } = await started({ maxQueue: 10 });
    sink.error = new Error('no space left');
    record(1, CALL);
    await vi.advanceTimersByTimeAsync(0);
    record(100);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(trail.lost).toBe(99);
    sink.error = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sink.entries.find(({ type }) => type === 'gap')).toMatchObject({ lost: 99 });
  });
});

describe('where operations must be recorded, refusals of callers without a name', () => {
  it('wait for nothing when they are counted, so that a flood fills no memory', async () => {
    const { record, trail, sink } = await started({ onFailure: 'closed' });
    const release = sink.hold();
    const first = trail.record(REFUSED);
    expect(first).toBeInstanceOf(Promise);
    expect(trail.record(REFUSED)).toBeUndefined();
    record(12_000);
    expect(() => trail.ready()).not.toThrow();
    release();
    await first;
  });

  it('do not refuse others when their room is full', async () => {
    const { trail, sink } = await started({ onFailure: 'closed', maxQueue: 10 });
    const release = sink.hold();
    const results = ['a', 'b', 'c'].map((method) => trail.record({ ...REFUSED, method }));
    const lost = expect(results[2]).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    expect(() => trail.ready()).not.toThrow();
    const real = trail.record(CALL);
    await lost;
    release();
    await Promise.all([real, results[0], results[1]]);
    expect(sink.entries.at(-1)).toMatchObject({ subject: 'ada' });
  });
});
