import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bulkheads, type BulkheadRule, type Release } from './bulkheads.js';

const ONE: BulkheadRule = { max: 1, queue: 0, queueMs: 100 };
const ONE_AND_TWO: BulkheadRule = { max: 1, queue: 2, queueMs: 100 };

let bulkheads: Bulkheads;

beforeEach(() => {
  vi.useFakeTimers();
  bulkheads = new Bulkheads();
});
afterEach(() => void vi.useRealTimers());

const idle = () => ({ running: bulkheads.running, waiting: bulkheads.waiting, size: bulkheads.size });
const enterNow = (key: string, rule: BulkheadRule): Release => bulkheads.enter(key, rule) as Release;

describe('without a queue', () => {
  it('lets in at once as many as may be inside, and nobody else', () => {
    const rule = { ...ONE, max: 2 };
    expect([1, 2, 3].map(() => typeof bulkheads.enter('k', rule))).toEqual(['function', 'function', 'undefined']);
    expect(bulkheads.depth('k')).toEqual({ running: 2, waiting: 0 });
  });

  it('has room again when one has left, once, however often it says so', () => {
    const release = enterNow('k', ONE);
    release();
    const second = enterNow('k', ONE);
    release();
    expect(bulkheads.enter('k', ONE)).toBeUndefined();
    second();
    expect(idle()).toEqual({ running: 0, waiting: 0, size: 0 });
  });

  it('keeps keys apart', () => {
    enterNow('a', ONE);
    expect(bulkheads.enter('b', ONE)).toBeTypeOf('function');
    expect(bulkheads.depth('c')).toEqual({ running: 0, waiting: 0 });
  });
});

describe('with a queue', () => {
  it('lets in first who came first, and refuses who finds the queue full', async () => {
    const release = enterNow('k', ONE_AND_TWO);
    const order: string[] = [];
    const queued = ['second', 'third'].map(async (name) => {
      const leave = await bulkheads.enter('k', ONE_AND_TWO);
      order.push(name);
      leave!();
    });
    expect(bulkheads.enter('k', ONE_AND_TWO)).toBeUndefined();
    expect(bulkheads.depth('k')).toEqual({ running: 1, waiting: 2 });
    release();
    await Promise.all(queued);
    expect(order).toEqual(['second', 'third']);
    expect(idle()).toEqual({ running: 0, waiting: 0, size: 0 });
  });

  it('gives the place to who waits, not to who comes in that moment', async () => {
    const release = enterNow('k', ONE_AND_TWO);
    const waiting = bulkheads.enter('k', ONE_AND_TWO);
    release();
    expect(bulkheads.enter('k', ONE_AND_TWO)).toBeInstanceOf(Promise);
    expect(await waiting).toBeTypeOf('function');
  });

  it('refuses who has waited too long, and leaves no timer', async () => {
    const release = enterNow('k', ONE_AND_TWO);
    const waiting = bulkheads.enter('k', ONE_AND_TWO);
    await vi.advanceTimersByTimeAsync(99);
    expect(bulkheads.waiting).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await waiting).toBeUndefined();
    release();
    expect(idle()).toEqual({ running: 0, waiting: 0, size: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets who has aborted go, and its place in the queue', async () => {
    const release = enterNow('k', ONE_AND_TWO);
    const abort = new AbortController();
    const waiting = bulkheads.enter('k', ONE_AND_TWO, abort);
    const behind = bulkheads.enter('k', ONE_AND_TWO);
    abort.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
    release();
    (await behind)!();
    expect(idle()).toEqual({ running: 0, waiting: 0, size: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not let in who has aborted before', () => {
    expect(() => bulkheads.enter('k', ONE, { signal: AbortSignal.abort(new Error('given up')) })).toThrow('given up');
    expect(bulkheads.size).toBe(0);
  });

  it('minds an abort after it has let in as little as the caller does', async () => {
    const release = enterNow('k', ONE_AND_TWO);
    const abort = new AbortController();
    const waiting = bulkheads.enter('k', ONE_AND_TWO, abort);
    release();
    abort.abort(new Error('too late'));
    (await waiting)!();
    expect(idle()).toEqual({ running: 0, waiting: 0, size: 0 });
  });
});

describe('whatever comes', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('enter' as const), key: fc.constantFrom('a', 'b') }),
      fc.record({ do: fc.constant('leave' as const), which: fc.nat(20) }),
      fc.record({ do: fc.constant('abort' as const), which: fc.nat(20) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(150) }),
    ),
    { maxLength: 80 },
  );

  it('never has more inside than may be, lets in everyone in turn, and keeps nothing in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.nat(4), steps, async (max, queue, commands) => {
        bulkheads = new Bulkheads();
        const visitors = new Visitors(bulkheads, { max, queue, queueMs: 100 });
        for (const step of commands) {
          if (step.do === 'enter') visitors.enter(step.key);
          else if (step.do === 'leave') visitors.leave(step.which);
          else if (step.do === 'abort') visitors.abort(step.which);
          else await vi.advanceTimersByTimeAsync(step.ms);
          await vi.advanceTimersByTimeAsync(0);
          visitors.check();
        }
        while (visitors.inside.length > 0) {
          visitors.leave(0);
          await vi.advanceTimersByTimeAsync(0);
          visitors.check();
        }
        expect(visitors.queued).toEqual([]);
        expect(idle()).toEqual({ running: 0, waiting: 0, size: 0 });
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});

interface Visitor {
  readonly key: string;
  readonly abort: AbortController;
  release?: Release;
}

/** Those who come, by a plain account of their own. */
class Visitors {
  readonly inside: Visitor[] = [];
  readonly queued: Visitor[] = [];

  constructor(
    private readonly bulkheads: Bulkheads,
    private readonly rule: BulkheadRule,
  ) {}

  enter(key: string): void {
    const visitor: Visitor = { key, abort: new AbortController() };
    const entered = this.bulkheads.enter(key, this.rule, visitor.abort);
    if (entered === undefined) return expect(this.of(this.queued, key)).toHaveLength(this.rule.queue);
    if (!(entered instanceof Promise)) return void this.inside.push({ ...visitor, release: entered });
    this.queued.push(visitor);
    entered.then(
      (release) => this.leaveQueue(visitor, release),
      () => this.leaveQueue(visitor, undefined),
    );
  }

  leave(which: number): void {
    const [visitor] = this.inside.splice(which % Math.max(1, this.inside.length), 1);
    visitor?.release?.();
  }

  abort(which: number): void {
    this.queued[which % Math.max(1, this.queued.length)]?.abort.abort(new Error('given up'));
  }

  check(): void {
    for (const key of ['a', 'b']) {
      const [inside, queued] = [this.of(this.inside, key), this.of(this.queued, key)];
      expect(inside.length).toBeLessThanOrEqual(this.rule.max);
      if (queued.length > 0) expect(inside).toHaveLength(this.rule.max);
      expect(this.bulkheads.depth(key)).toEqual({ running: inside.length, waiting: queued.length });
    }
  }

  private leaveQueue(visitor: Visitor, release: Release | undefined): void {
    // Who is let in was the first of its queue.
    if (release) {
      expect(this.of(this.queued, visitor.key)[0]).toBe(visitor);
      this.inside.push({ ...visitor, release });
    }
    this.queued.splice(this.queued.indexOf(visitor), 1);
  }

  private of(visitors: readonly Visitor[], key: string): readonly Visitor[] {
    return visitors.filter((visitor) => visitor.key === key);
  }
}
