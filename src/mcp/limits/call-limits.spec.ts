import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import type { ConcurrencyRule, RateLimitRule } from '../decorators/limit-metadata.js';
import { McpError } from '../protocol/errors.js';
import { ANONYMOUS, type Principal } from '../protocol/principal.js';
import { type Admission, CallLimits, type CallLimitsOptions, type LimitedCall } from './call-limits.js';
import { LimitExceeded } from './limit-exceeded.error.js';
import { MemoryTokenBuckets } from './memory-token-buckets.js';
import type { BucketSpec, TokenBuckets, Verdict } from './token-buckets.port.js';

const ada: Principal = { ...ANONYMOUS, issuer: 'https://idp', subject: 'ada', tenant: 'acme' };
const bob: Principal = { ...ada, subject: 'bob' };
const eve: Principal = { ...ada, subject: 'eve', tenant: 'evil' };

/** So many at once, and one in 2.5 s after that. */
const rate = (burst: number, per: RateLimitRule['per'] = 'principal'): RateLimitRule => ({
  perMs: 2_500,
  amount: 1,
  burst,
  per,
});
const atOnce = (max: number, more: Partial<ConcurrencyRule> = {}): ConcurrencyRule => ({
  ...{ max, queue: 0, queueMs: 100, per: 'everyone' },
  ...more,
});
const tool = ({
  key = 'echo',
  ...rules
}: {
  rateLimits?: RateLimitRule[];
  concurrency?: ConcurrencyRule[];
  key?: string;
}) => ({ kind: 'tool', key, rules: { rateLimits: [], concurrency: [], ...rules } });

function limits(options: Partial<CallLimitsOptions> = {}): CallLimits {
  return new CallLimits({ buckets: new MemoryTokenBuckets({ now: () => 0 }), ...options });
}

/** Keeps what it was asked for, and answers when the test says so. */
class LateBuckets implements TokenBuckets {
  readonly asked: (readonly BucketSpec[])[] = [];
  answer: (verdict: Verdict) => void = () => undefined;
  fail: (error: unknown) => void = () => undefined;

  take(buckets: readonly BucketSpec[]): Promise<Verdict> {
    this.asked.push(buckets);
    return new Promise((resolve, reject) => {
      this.answer = resolve;
      this.fail = reject;
    });
  }
}

function refusal(attempt: () => unknown): LimitExceeded {
  try {
    attempt();
  } catch (error) {
    if (error instanceof LimitExceeded) return error;
    throw error;
  }
  throw new Error('It was let in.');
}

const admitNow = (from: CallLimits, call: LimitedCall): Admission => {
  const admission = from.admit(call);
  if (admission instanceof Promise) throw new Error('It was not let in at once.');
  return admission;
};

describe('when no limit applies', () => {
  it('lets in at once, asks no bucket and holds nothing', () => {
    const buckets = new LateBuckets();
    const first = limits({ buckets });
    const call = { principal: ada, capability: tool({}) };
    expect(first.admit(call)).toBe(first.admit({ principal: ANONYMOUS }));
    const bound = limits({ buckets, principal: rate(1), tenant: rate(1), maxCallsPerPrincipal: 1 });
    const { release } = admitNow(bound, { principal: { ...ANONYMOUS } });
    admitNow(bound, { principal: ANONYMOUS, capability: tool({}) });
    release();
    expect([buckets.asked, bound.bulkheads.size]).toEqual([[], 0]);
  });

  it('asks no bucket for the tenant of someone who has none', () => {
    const buckets = new LateBuckets();
    const { tenant: _, ...alone } = ada;
    admitNow(limits({ buckets, tenant: rate(1) }), { principal: alone });
    expect(buckets.asked).toEqual([]);
  });
});

describe('how often', () => {
  it('limits a principal, whatever it calls, and no other', () => {
    const two = limits({ principal: rate(2) });
    admitNow(two, { principal: ada });
    admitNow(two, { principal: ada, capability: tool({}) });
    expect(refusal(() => two.admit({ principal: { ...ada } })).rule).toBe('rate:principal');
    admitNow(two, { principal: bob });
  });

  it('limits a tenant, which another issuer cannot use up', () => {
    const two = limits({ tenant: rate(2) });
    for (const principal of [ada, bob, eve, { ...ada, issuer: 'https://other' }]) admitNow(two, { principal });
    expect(refusal(() => two.admit({ principal: ada })).rule).toBe('rate:tenant');
  });

  it('limits a tool by principal, by tenant or for everyone', () => {
    const allowed = (per: RateLimitRule['per']): string[] => {
      const one = limits();
      const call = (principal: Principal) => ({ principal, capability: tool({ rateLimits: [rate(1, per)] }) });
      admitNow(one, call(ada));
      return [ada, bob, eve].map((principal) => {
        try {
          return one.admit(call(principal)) && 'ok';
        } catch (error) {
          return (error as LimitExceeded).rule;
        }
      });
    };
    expect(allowed('principal')).toEqual(['rate:tool', 'ok', 'ok']);
    expect(allowed('tenant')).toEqual(['rate:tool', 'rate:tool', 'ok']);
    expect(allowed('everyone')).toEqual(['rate:tool', 'rate:tool', 'rate:tool']);
  });

  it('counts all anonymous callers together where a tool limits principals', () => {
    const one = limits();
    const capability = tool({ rateLimits: [rate(1)] });
    admitNow(one, { principal: ANONYMOUS, capability });
    expect(refusal(() => one.admit({ principal: { ...ANONYMOUS }, capability })).rule).toBe('rate:tool');
  });

  it('counts each capability on its own, and each kind', () => {
    const one = limits();
    const rateLimits = [rate(1)];
    for (const capability of [
      tool({ rateLimits }),
      tool({ rateLimits, key: 'other' }),
      { ...tool({ rateLimits }), kind: 'prompt' },
      { ...tool({ rateLimits, key: 'a://{b}' }), kind: 'resource' },
    ]) {
      admitNow(one, { principal: ada, capability });
      expect(refusal(() => one.admit({ principal: ada, capability })).rule).toBe(`rate:${capability.kind}`);
    }
  });

  it('takes from all buckets of a call in one go, under names that tell nothing of the caller', () => {
    const buckets = new LateBuckets();
    const all = limits({ buckets, principal: rate(9), tenant: rate(8) });
    const rateLimits = [rate(7), { perMs: 1_000, amount: 5, burst: 6, per: 'everyone' as const }];
    void all.admit({ principal: ada, capability: tool({ rateLimits, key: 'a b' }) });
    expect(buckets.asked).toEqual([
      [
        { key: expect.stringMatching(/^principal:[\w-]{22}$/), capacity: 9, refillPerMs: 0.0004, cost: 1 },
        { key: expect.stringMatching(/^tenant:[\w-]{22}$/), capacity: 8, refillPerMs: 0.0004, cost: 1 },
        {
          key: expect.stringMatching(/^tool:~[\w-]{22}:0:principal:[\w-]{22}$/),
          capacity: 7,
          refillPerMs: 0.0004,
          cost: 1,
        },
        { key: expect.stringMatching(/^tool:~[\w-]{22}:1:everyone$/), capacity: 6, refillPerMs: 0.005, cost: 1 },
      ],
    ]);
  });

  it('tells client and audit which limit it was, and when to try again', () => {
    const one = limits({ principal: rate(1) });
    admitNow(one, { principal: ada });
    const error = refusal(() => one.admit({ principal: ada }));
    expect(error).toBeInstanceOf(McpError);
    expect(error.toWire()).toEqual({
      code: 429,
      message: 'You make too many calls. Try again in 3 seconds.',
      data: { limit: 'rate', scope: 'principal', retryAfterMs: 2_500 },
    });
    expect([error.status, error.headers]).toEqual([429, { 'retry-after': '3' }]);
  });
});

describe('how many at once', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('limits the calls that a principal has running', () => {
    const two = limits({ maxCallsPerPrincipal: 2 });
    const { release } = admitNow(two, { principal: ada });
    admitNow(two, { principal: ada });
    const error = refusal(() => two.admit({ principal: ada }));
    expect(error.toWire()).toEqual({
      code: 429,
      message: 'You have too many calls running. Try again in 1 second.',
      data: { limit: 'concurrency', scope: 'principal', retryAfterMs: 1_000 },
    });
    admitNow(two, { principal: bob });
    release();
    release();
    admitNow(two, { principal: ada });
    expect(refusal(() => two.admit({ principal: ada })).rule).toBe('concurrency:principal');
  });

  it('limits the calls of a tool, for everyone or by principal', () => {
    const one = limits();
    const everyone = tool({ concurrency: [atOnce(1)] });
    const each = tool({ key: 'each', concurrency: [atOnce(1, { per: 'principal' })] });
    for (const capability of [everyone, each]) admitNow(one, { principal: ada, capability });
    expect(refusal(() => one.admit({ principal: bob, capability: everyone })).rule).toBe('concurrency:tool');
    admitNow(one, { principal: bob, capability: each });
    expect(refusal(() => one.admit({ principal: ada, capability: each })).rule).toBe('concurrency:tool');
  });

  it('has a call wait where there is a queue, and refuses it when that takes too long', async () => {
    const one = limits();
    const call = { principal: ada, capability: tool({ concurrency: [atOnce(1, { queue: 2 })] }) };
    const first = admitNow(one, call);
    const [second, third] = [one.admit(call), Promise.resolve(one.admit(call)).catch((error: unknown) => error)];
    first.release();
    expect(await second).toHaveProperty('release');
    await vi.advanceTimersByTimeAsync(100);
    expect(await third).toMatchObject({ rule: 'concurrency:tool' });
    (await second).release();
    expect(one.bulkheads.size).toBe(0);
  });

  it('goes through several bulkheads one after the other, and out of all of them', async () => {
    const one = limits({ maxCallsPerPrincipal: 9 });
    const concurrency = [atOnce(1, { queue: 1 }), atOnce(1, { queue: 1, per: 'principal' }), atOnce(5)];
    const call = { principal: ada, capability: tool({ concurrency }) };
    const first = admitNow(one, call);
    const second = one.admit(call);
    expect([one.bulkheads.running, one.bulkheads.waiting]).toEqual([5, 1]);
    first.release();
    const { release } = await second;
    expect([one.bulkheads.running, one.bulkheads.waiting]).toEqual([4, 0]);
    release();
    expect(one.bulkheads.size).toBe(0);
  });
});

describe('a call that does not get in', () => {
  it('holds nothing, whatever refused it', () => {
    const all = limits({ principal: rate(1), maxCallsPerPrincipal: 3 });
    const full = tool({ concurrency: [atOnce(1)] });
    const { release } = admitNow(all, { principal: ANONYMOUS, capability: full });
    expect(refusal(() => all.admit({ principal: ada, capability: full })).rule).toBe('concurrency:tool');
    expect(refusal(() => all.admit({ principal: ada })).rule).toBe('rate:principal');
    release();
    expect(all.bulkheads.size).toBe(0);
  });

  it('holds nothing when the buckets refuse it later, or fail', async () => {
    const buckets = new LateBuckets();
    const all = limits({ buckets, principal: rate(1), maxCallsPerPrincipal: 1 });
    const refused = all.admit({ principal: ada });
    buckets.answer({ allowed: false, index: 0, retryAfterMs: 10 });
    await expect(refused).rejects.toMatchObject({ rule: 'rate:principal', headers: { 'retry-after': '1' } });
    const failed = all.admit({ principal: ada });
    buckets.fail(new Error('A defect.'));
    await expect(failed).rejects.toThrow('A defect.');
    expect(all.bulkheads.size).toBe(0);
  });

  it('holds nothing when it was aborted: before, while the buckets were asked, or in the queue', async () => {
    const buckets = new LateBuckets();
    const all = limits({ buckets, principal: rate(1), maxCallsPerPrincipal: 2 });
    const gone = new Error('given up');
    expect(() => all.admit({ principal: ada, call: { signal: AbortSignal.abort(gone) } })).toThrow(gone);
    for (const isAsking of [true, false]) {
      const abort = new AbortController();
      const capability = tool({ concurrency: [atOnce(1, { queue: 1 })] });
      const blocker = admitNow(all, { principal: ANONYMOUS, capability });
      const call = Promise.resolve(all.admit({ principal: ada, capability, call: abort }));
      if (isAsking) abort.abort(gone);
      buckets.answer({ allowed: true });
      if (!isAsking) await eventually(() => expect(all.bulkheads.waiting).toBe(1));
      abort.abort(gone);
      await expect(call).rejects.toBe(gone);
      blocker.release();
      expect(all.bulkheads.size).toBe(0);
    }
  });

  it('does not run when its place comes free in the moment it is aborted', async () => {
    const all = limits();
    const capability = tool({ concurrency: [atOnce(1, { queue: 1, queueMs: 60_000 })] });
    const blocker = admitNow(all, { principal: ada, capability });
    const abort = new AbortController();
    const call = Promise.resolve(all.admit({ principal: ada, capability, call: abort }));
    blocker.release();
    abort.abort(new Error('given up'));
    await expect(call).rejects.toThrow('given up');
    expect(all.bulkheads.size).toBe(0);
  });
});

describe('a further round of a call', () => {
  const confirm = tool({ rateLimits: [rate(1)] });

  it('takes nothing from the buckets of the capability, the one time that its proof is good', async () => {
    const from = limits();
    await from.admit({ principal: ada, capability: confirm });

    await from.admit({ principal: ada, capability: confirm, round: 'sealed 1' });
    await from.admit({ principal: ada, capability: confirm, round: 'sealed 2' });

    await expect(from.admit({ principal: ada, capability: confirm, round: 'sealed 1' })).rejects.toMatchObject({
      rule: 'rate:tool',
    });
  });

  it('counts for its caller, as any call', async () => {
    const from = limits({ principal: rate(1) });
    await from.admit({ principal: ada, capability: confirm, round: 'sealed' });

    await expect(from.admit({ principal: ada, round: 'sealed' })).rejects.toMatchObject({ rule: 'rate:principal' });
  });
});

it('a caller whose limits were met is held to those of the capability alone', () => {
  const from = limits({ principal: rate(1) });
  admitNow(from, { principal: ada });

  admitNow(from, { principal: ada, callerCounted: true, capability: tool({ rateLimits: [rate(1)] }) });

  expect(refusal(() => from.admit({ principal: ada }))).toMatchObject({ rule: 'rate:principal' });
});

describe('a caller who is known from before', () => {
  const known: Principal = Object.freeze({ ...ada });

  it('is held to the limits of each thing it calls, and to its own once', () => {
    const from = limits({ principal: rate(3), maxCallsPerPrincipal: 9 });
    const [one, two] = ['one', 'two'].map((key) => tool({ key, rateLimits: [rate(1)] }));
    admitNow(from, { principal: known, capability: one });
    admitNow(from, { principal: known, capability: two });
    expect(refusal(() => from.admit({ principal: known, capability: one })).rule).toBe('rate:tool');
    admitNow(from, {
      principal: known,
      callerCounted: true,
      capability: tool({ key: 'three', rateLimits: [rate(1)] }),
    });
    admitNow(from, { principal: { ...known } });
    expect(refusal(() => from.admit({ principal: known })).rule).toBe('rate:principal');
  });

  it('is another one to other limits', () => {
    admitNow(limits({ principal: rate(1) }), { principal: known });
    admitNow(limits({ tenant: rate(1), principal: rate(1) }), { principal: known });
  });
});

it('a call that need not wait has no signal made for it', () => {
  const call = {
    get signal(): AbortSignal {
      throw new Error('It was made.');
    },
    throwIfAborted: vi.fn(),
  };
  const capability = tool({ rateLimits: [rate(1)], concurrency: [atOnce(1, { queue: 1 })] });
  admitNow(limits({ principal: rate(1), maxCallsPerPrincipal: 1 }), { principal: ada, capability, call });
  expect(call.throwIfAborted).toHaveBeenCalled();
});
