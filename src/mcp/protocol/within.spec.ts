import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { within } from './within.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<string>(() => undefined);
/** As other libraries make them: no native promise. */
const thenable = (then: PromiseLike<string>['then']): PromiseLike<string> => ({ then });

describe('work that has a time limit', () => {
  it('comes to what it comes to, and leaves no timer', async () => {
    expect(await within(1_000, 'now')).toBe('now');
    expect(await within(1_000, Promise.resolve('later'))).toBe('later');
    await expect(within(1_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');

    expect(vi.getTimerCount()).toBe(0);
  });

  it('comes to nothing when time is up', async () => {
    const late = within(1_000, never);
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await late).toBeUndefined();
  });

  it('comes to what is said instead, or to its error', async () => {
    const said = within(1_000, never, () => 'late');
    const thrown = within(1_000, never, () => {
      throw new Error('It did not answer.');
    });
    const caught = expect(thrown).rejects.toThrow('It did not answer.');
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await said).toBe('late');
    await caught;
  });

  it('may be no native promise', async () => {
    const late = within(
      1_000,
      thenable(() => never as never),
      () => 'late',
    );
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await late).toBe('late');
  });
});
