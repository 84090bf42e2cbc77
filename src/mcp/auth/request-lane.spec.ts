import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { RequestLane } from './request-lane.js';

describe('RequestLane', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A lane of one slot and two places to wait, and requests that end when told. */
  function start() {
    const lane = new RequestLane({ slots: 1, queue: 2, queueMs: 1_000 });
    const ends = new Map<string, (error?: Error) => void>();
    const run = (name: string) =>
      lane.run(
        () =>
          new Promise<string>((resolve, reject) => {
            ends.set(name, (error) => (error ? reject(error) : resolve(name)));
          }),
      );
    return { run, running: () => [...ends.keys()], end: (name: string, error?: Error) => ends.get(name)!(error) };
  }

  it('lets requests in one after the other, as they came', async () => {
    const { run, running, end } = start();
    const answers = ['a', 'b', 'c'].map((name) => run(name));
    expect(running()).toEqual(['a']);
    end('a');
    await answers[0];
    await eventually(() => expect(running()).toEqual(['a', 'b']));
    end('b');
    await eventually(() => expect(running()).toEqual(['a', 'b', 'c']));
    end('c');
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('answers 503 when too many wait, or one for too long', async () => {
    const { run, running, end } = start();
    const [first, ...waiting] = ['a', 'b', 'c'].map((name) => run(name));
    await expect(run('d')).rejects.toMatchObject({ reason: 'UNAVAILABLE', status: 503 });
    const late = Promise.allSettled(waiting);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await late).toMatchObject([{ reason: { status: 503 } }, { reason: { status: 503 } }]);
    end('a');
    await first;
    expect(running()).toEqual(['a']);
  });

  it('has its slot back when a request fails', async () => {
    const { run, end } = start();
    const failed = run('a');
    end('a', new Error('no'));
    await expect(failed).rejects.toThrow('no');
    const next = run('b');
    end('b');
    await expect(next).resolves.toBe('b');
  });
});
