import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemorySink } from '../../../test/support/audit/memory-sink.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { CallLimits, type CallLimitsOptions } from '../limits/call-limits.js';
import { MemoryTokenBuckets } from '../limits/memory-token-buckets.js';
import type { OperationEnd } from '../observability/server-observer.port.js';
import { Telemetry } from '../observability/telemetry.js';
import { McpError } from '../protocol/errors.js';
import { CallCancelled, CallStopped } from '../protocol/interruptions.js';
import { ANONYMOUS, type Principal } from '../protocol/principal.js';
import type { AnyCapability } from '../registry/capability.js';
import { errorOutcome } from './encode/result-encoder.js';
import { Operation } from './operation.js';
import { Operations } from './operations.js';
import type { Outcome } from './outcome.js';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };
const ada: Principal = { ...ANONYMOUS, issuer: 'https://idp', subject: 'ada' };
const OK: Outcome = { kind: 'result', json: '{}' };
const CANCELLED: Outcome = { kind: 'cancelled' };
/** One at a time, and one waits. */
const narrow = {
  kind: 'tool',
  key: 'render',
  rules: { rateLimits: [], concurrency: [{ max: 1, queue: 1, queueMs: 60_000, per: 'everyone' }], auditFields: [] },
} as unknown as AnyCapability;

const call = (): Operation => new Operation({ method: 'tools/call', principal: ada });
const failed = (error: unknown): Outcome =>
  errorOutcome(error instanceof McpError ? error : new McpError('INTERNAL_ERROR', 'masked'));
const fail = (error: Error) => () => Promise.reject(error);

let sink: MemorySink;
let trail: AuditTrail;
let limits: CallLimits;
beforeEach(() => void (sink = new MemorySink()));
afterEach(() => trail.close());

async function make(options: Partial<CallLimitsOptions> = {}, onFailure: 'closed' | 'continue' = 'closed') {
  trail = new AuditTrail({ sinks: [sink], onFailure, replica: 'r1', logger: SILENT });
  limits = new CallLimits({ buckets: new MemoryTokenBuckets(), ...options });
  await trail.start();
  return new Operations(limits, trail, new Telemetry());
}

const recorded = (): unknown[] => sink.entries.filter(({ type }) => type === 'operation');

describe('what an operation comes to', () => {
  it.each<[string, Outcome, object]>([
    ['a result', OK, { outcome: 'ok', code: null }],
    ['what a tool says to the model', { ...OK, failed: true }, { outcome: 'tool_error', code: null }],
    ['an error', failed(new McpError('INVALID_PARAMS', 'no')), { outcome: 'error', code: -32602 }],
    ['nothing, since it was cancelled', CANCELLED, { outcome: 'cancelled', code: null }],
  ])('is recorded: %s', async (_what, outcome, entry) => {
    const operations = await make();
    expect(await operations.run(call(), async () => outcome, failed)).toEqual(outcome);
    expect(recorded()).toEqual([expect.objectContaining(entry)]);
  });

  it('is what becomes of an error', async () => {
    const operations = await make();
    const outcome = await operations.run(call(), fail(new Error('secret')), failed);
    expect(outcome).toMatchObject({ kind: 'error', error: { message: 'masked' } });
    expect(recorded()).toEqual([expect.objectContaining({ outcome: 'error', code: -32603 })]);
  });

  it('is a refusal, where the error is one', async () => {
    const operations = await make();
    await operations.run(call(), fail(new McpError('RESOURCE_NOT_FOUND', 'Resource not found')), failed);
    expect(recorded()).toEqual([expect.objectContaining({ decision: 'deny', rule: 'unknown', outcome: 'refused' })]);
  });

  it('is left to the caller where nothing is recorded', async () => {
    const operations = new Operations(
      new CallLimits({ buckets: new MemoryTokenBuckets() }),
      undefined,
      new Telemetry(),
    );
    expect(await operations.run(call(), async () => OK, failed)).toBe(OK);
    expect(await operations.watch(call(), () => 'opened')).toBe('opened');
    await expect(operations.watch(call(), fail(new Error('no')))).rejects.toThrow('no');
  });
});

describe('the limits', () => {
  it('get back what they hold, however an operation ends', async () => {
    const operations = await make({ maxCallsPerPrincipal: 1 });
    const admitted = (work: () => Promise<Outcome>) => {
      const operation = call();
      const run = async (): Promise<Outcome> => {
        await operations.admit(operation, undefined);
        expect(limits.bulkheads.running).toBe(1);
        return work();
      };
      return { operation, run };
    };
    for (const work of [async () => OK, fail(new Error('no')), async () => CANCELLED]) {
      const { operation, run } = admitted(work);
      await operations.run(operation, run, failed);
      expect(limits.bulkheads.size).toBe(0);
      const watched = admitted(work);
      await operations.watch(watched.operation, watched.run).catch(() => undefined);
      expect(limits.bulkheads.size).toBe(0);
    }
    expect(recorded()).toHaveLength(6);
  });

  it('refuse, and the audit knows which one did', async () => {
    const operations = await make({ principal: { perMs: 1_000, amount: 1, burst: 1, per: 'principal' } });
    const once = async (): Promise<Outcome> => {
      const operation = call();
      return operations.run(operation, async () => (await operations.admit(operation, undefined), OK), failed);
    };
    expect(await once()).toBe(OK);
    expect(await once()).toMatchObject({ kind: 'error', status: 429, headers: { 'retry-after': '1' } });
    expect(recorded()[1]).toMatchObject({ decision: 'limit', rule: 'rate:principal', outcome: 'refused', code: 429 });
  });

  it('do not bind an operation of nobody', async () => {
    const operations = await make({ maxCallsPerPrincipal: 1 });
    expect(operations.admit(new Operation({ method: 'POST' }), narrow)).toBeUndefined();
  });

  /** Lets a call wait for another one, until it is aborted. */
  async function aborted(reason: Error): Promise<Outcome> {
    const operations = await make();
    const [first, second] = [call(), call()];
    await operations.admit(first, narrow);
    const controller = new AbortController();
    const work = async () => (await operations.admit(second, narrow, { signal: controller.signal }), OK);
    const outcome = operations.run(second, work, failed);
    controller.abort(reason);
    await outcome;
    first.release();
    expect(limits.bulkheads.size).toBe(0);
    return outcome;
  }

  it('let go of a call that was cancelled while it waited', async () => {
    expect(await aborted(new CallCancelled())).toEqual(CANCELLED);
    expect(recorded()).toEqual([expect.objectContaining({ decision: 'allow', outcome: 'cancelled' })]);
  });

  it('let go of a call that waited when the server stopped: it may be sent again', async () => {
    expect(await aborted(new CallStopped())).toEqual({
      kind: 'error',
      status: 503,
      headers: {},
      error: { code: 503, message: 'The server is stopping. The call has not begun; send it again.' },
    });
  });
});

describe('an audit that cannot be written, and must be', () => {
  /** The request itself is refused, in every era: that is what headers say. */
  const unavailable = { kind: 'error', status: 503, headers: {}, error: { code: 503 } };
  /** From now on, as the trail knows. */
  async function sinkFails(operations: Operations): Promise<void> {
    sink.error = new Error('disk full');
    await operations.run(call(), async () => OK, failed);
  }

  it('has nothing run', async () => {
    const operations = await make();
    await sinkFails(operations);
    const run = (): never => expect.unreachable();
    expect(await operations.run(call(), run, failed)).toMatchObject(unavailable);
    await expect(operations.watch(call(), run)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
  });

  it('records later what it did not let run', async () => {
    const operations = await make();
    await sinkFails(operations);
    await operations.run(call(), async () => OK, failed);
    await operations.watch(call(), () => undefined).catch(() => undefined);
    sink.error = undefined;
    await trail.close();
    expect(recorded()).toEqual([
      expect.objectContaining({ outcome: 'ok' }),
      expect.objectContaining({ decision: 'limit', rule: 'audit', outcome: 'refused', code: 503 }),
      expect.objectContaining({ decision: 'limit', rule: 'audit', outcome: 'refused', code: 503 }),
    ]);
  });

  it('withholds the result of what has run, in a way that nobody takes for an invitation to repeat it', async () => {
    const operations = await make();
    sink.error = new Error('disk full');
    const outcome = await operations.run(call(), async () => OK, failed);
    expect(outcome).toMatchObject({ kind: 'error', status: 200, error: { code: 503 } });
    expect(JSON.stringify(outcome)).toContain('Find out what it has done before you repeat it.');
  });

  it('refuses with 503 what was refused anyway', async () => {
    const operations = await make();
    sink.error = new Error('disk full');
    const denied = call();
    denied.deny('unknown');
    const outcome = await operations.run(denied, async () => OK, failed);
    expect(outcome).toMatchObject(unavailable);
  });

  it('has nothing to say to a client that is gone', async () => {
    const operations = await make();
    sink.error = new Error('disk full');
    expect(await operations.run(call(), async () => CANCELLED, failed)).toBe(CANCELLED);
  });

  it('fails what was opened, and what failed', async () => {
    const operations = await make();
    sink.error = new Error('disk full');
    await expect(operations.watch(call(), () => 'opened')).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    await expect(operations.watch(call(), fail(new McpError('FORBIDDEN', 'no')))).rejects.toMatchObject({
      reason: 'UNAVAILABLE',
    });
  });
});

it('those who watch hear that what could not be recorded was not available', async () => {
  const ended: OperationEnd[] = [];
  const telemetry = new Telemetry();
  telemetry.add({ operation: () => ({ ended: (end) => void ended.push(end) }) });
  await make();
  const operations = new Operations(limits, trail, telemetry);
  sink.error = new Error('disk full');

  await expect(operations.watch(call(), () => 'opened')).rejects.toMatchObject({ reason: 'UNAVAILABLE' });

  expect(ended).toMatchObject([{ decision: 'allow', failure: 'unavailable', code: 503 }]);
});

it('goes on without the audit, if it may', async () => {
  sink.error = new Error('disk full');
  const operations = await make({}, 'continue');
  expect(await operations.run(call(), async () => OK, failed)).toBe(OK);
  expect(await operations.watch(call(), () => 'opened')).toBe('opened');
});
