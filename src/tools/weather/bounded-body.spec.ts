import { describe, expect, it } from 'vitest';
import { BodyTooLargeError, readBoundedText } from './bounded-body.js';

describe('readBoundedText', () => {
  it('joins chunks, also within a character', async () => {
    const bytes = Buffer.from('Zürich');
    const body = ReadableStream.from([bytes.subarray(0, 2), bytes.subarray(2)]);
    await expect(readBoundedText(body, 7)).resolves.toBe('Zürich');
  });

  it('reads no body as an empty one', async () => {
    await expect(readBoundedText(null, 1)).resolves.toBe('');
  });

  it('stops reading at the limit and cancels the rest', async () => {
    let chunks = 0;
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => (++chunks > 100 ? controller.close() : controller.enqueue(new Uint8Array(1024))),
      cancel: () => void (cancelled = true),
    });
    await expect(readBoundedText(body, 10_000)).rejects.toThrow(BodyTooLargeError);
    expect(cancelled).toBe(true);
  });
});
