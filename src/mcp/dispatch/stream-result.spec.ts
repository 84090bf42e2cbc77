import { describe, expect, it, vi } from 'vitest';
import type { DispatchedCall } from './dispatched-call.js';
import { collectStream } from './stream-result.js';

function fakeCall(signal = new AbortController().signal) {
  const progress = vi.fn();
  const throwIfAborted = (): void => signal.throwIfAborted();
  return { progress, call: { throwIfAborted, progress } as unknown as DispatchedCall };
}

async function* of(...pieces: unknown[]): AsyncGenerator<unknown> {
  yield* pieces;
}

const image = { type: 'image', data: 'AA==', mimeType: 'image/png' };

describe('collectStream', () => {
  it('joins texts, keeps blocks in their place, and reports each piece', async () => {
    const { call, progress } = fakeCall();

    const content = await collectStream(of('a', 'b', image, { n: 1 }, undefined, 'c'), call, 1_000);

    expect(content).toEqual([{ type: 'text', text: 'ab' }, image, { type: 'text', text: '{"n":1}c' }]);
    expect(progress.mock.calls).toEqual([
      [1, undefined, 'a'],
      [2, undefined, 'b'],
      [3, undefined, undefined],
      [4, undefined, '{"n":1}'],
      [5, undefined, ''],
      [6, undefined, 'c'],
    ]);
  });

  it('has no content where nothing came', async () => {
    expect(await collectStream(of(), fakeCall().call, 1_000)).toEqual([]);
  });

  it('stops an iterable that passes the limit, and lets it clean up', async () => {
    const cleanedUp = vi.fn();
    async function* endless() {
      try {
        for (;;) yield 'xxxxxxxxxx';
      } finally {
        cleanedUp();
      }
    }

    await expect(collectStream(endless(), fakeCall().call, 25)).rejects.toMatchObject({
      name: 'ResultTooLargeError',
      bytes: 30,
      limit: 25,
    });
    expect(cleanedUp).toHaveBeenCalledOnce();
  });

  it('takes exactly the limit', async () => {
    expect(await collectStream(of('12345', '67890'), fakeCall().call, 10)).toEqual([
      { type: 'text', text: '1234567890' },
    ]);
  });

  it('lets timers run beside an iterable that never waits, and stops it when the call is aborted', async () => {
    const stop = new AbortController();
    async function* endless() {
      for (;;) yield '';
    }
    setTimeout(() => stop.abort(new Error('enough')), 1);

    await expect(collectStream(endless(), fakeCall(stop.signal).call, 10)).rejects.toThrow('enough');
  });
});
