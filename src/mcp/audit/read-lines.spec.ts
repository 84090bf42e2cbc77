import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditLine } from './audit-report.js';
import { readLines } from './read-lines.js';

async function textsOf(chunks: readonly Uint8Array[]): Promise<(string | undefined)[]> {
  const lines: AuditLine[] = [];
  for await (const line of readLines(Readable.from(chunks), 'audit.log')) lines.push(line);
  expect(lines.map(({ line }) => line)).toEqual(lines.map((_, index) => index + 1));
  return lines.map(({ text }) => text);
}

describe('readLines', () => {
  it('cuts bytes at newlines alone, wherever chunks end', async () => {
    const bytes = Buffer.from('é\u2028\u0085\r\n\n{"a":"€"}\n\ufeffend');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(await textsOf(chunks)).toEqual(['é\u2028\u0085\r', '', '{"a":"€"}', '\ufeffend']);
      }),
    );
  });

  it('has no text for bytes that are no UTF-8', async () => {
    expect(await textsOf([Buffer.from([0x61, 0xff, 0x0a, 0x62, 0x0a])])).toEqual([undefined, 'b']);
  });

  it('has the text of a line that ends within a character, and says so', async () => {
    const lines: AuditLine[] = [];
    const chunks = [Buffer.from('a€').subarray(0, -1), Buffer.from([0x0a, 0xe2, 0x0a])];
    for await (const line of readLines(Readable.from(chunks), 'audit.log')) lines.push(line);
    expect(lines).toEqual([
      { text: 'a', isCut: true, file: 'audit.log', line: 1 },
      { text: undefined, file: 'audit.log', line: 2 },
    ]);
  });

  it('has no text for a line of more than a megabyte, and goes on after it', async () => {
    const half = Buffer.alloc(512 * 1024, 'x');
    expect(await textsOf([half, half, Buffer.from('x\nnext\n')])).toEqual([undefined, 'next']);
    expect((await textsOf([half, half, Buffer.from('\nnext\n')]))[0]).toHaveLength(1024 * 1024);
  });
});
