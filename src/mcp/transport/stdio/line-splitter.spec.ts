import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from './line-splitter.js';

/** What a splitter makes of chunks: lines, and `null` for each that was too long. */
function split(maxBytes: number, chunks: readonly Buffer[]): readonly (string | null)[] {
  const found: (string | null)[] = [];
  const splitter = new LineSplitter(
    maxBytes,
    (line) => found.push(line.toString()),
    () => found.push(null),
  );
  for (const chunk of chunks) splitter.push(chunk);
  return found;
}

describe('LineSplitter', () => {
  it('yields the same lines however the bytes are cut', () => {
    const lines = fc.array(fc.string({ unit: 'binary', maxLength: 12 }).map((line) => line.replaceAll('\n', '')));
    fc.assert(
      fc.property(lines, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (given, sizes) => {
        const bytes = Buffer.from(given.map((line) => `${line}\n`).join(''));
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += chunks.at(-1)!.length) {
          chunks.push(bytes.subarray(at, at + sizes.next().value!));
        }
        const expected = given.map((line) => (Buffer.byteLength(line) > 16 ? null : Buffer.from(line).toString()));

        expect(split(16, chunks)).toEqual(expected);
      }),
    );
  });

  it('keeps an unfinished line to itself', () => {
    expect(split(10, [Buffer.from('one\ntw')])).toEqual(['one']);
  });

  it('reports a line that is too long as soon as it is, once', () => {
    const endless = Array.from({ length: 10 }, () => Buffer.alloc(8, 'x'));

    expect(split(10, endless)).toEqual([null]);
    expect(split(10, [...endless, Buffer.from('x\nnext\n')])).toEqual([null, 'next']);
  });

  it('takes a line of exactly the limit', () => {
    expect(split(4, [Buffer.from('four\nfives\n')])).toEqual(['four', null]);
  });
});
