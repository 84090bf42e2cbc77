import type { AuditLine } from './audit-report.js';

const NEWLINE = 0x0a;
/** Far beyond what an entry can have. Bytes. */
const MAX_LINE = 1024 * 1024;

/** Cuts bytes into lines, at newlines alone: text of a caller may hold other characters that end lines elsewhere. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<AuditLine> {
  let line = 0;
  let held: Uint8Array[] = [];
  let length = 0;
  const hold = (piece: Uint8Array): void => {
    length += piece.length;
    // Of a line that is too long nothing is kept.
    if (length > MAX_LINE) held = [];
    else held.push(piece);
  };
  const take = (): AuditLine => {
    const text = length > MAX_LINE ? { text: undefined } : decode(Buffer.concat(held));
    held = [];
    length = 0;
    line += 1;
    return { ...text, file, line };
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      hold(chunk.subarray(start, end));
      start = end + 1;
      yield take();
    }
    if (start < chunk.length) hold(chunk.subarray(start));
  }
  if (length > 0) yield take();
}

function decode(bytes: Uint8Array): Pick<AuditLine, 'text' | 'isCut'> {
  const text = decoded(bytes, 'whole');
  if (text !== undefined) return { text };
  const beginning = decoded(bytes, 'cut');
  return beginning ? { text: beginning, isCut: true } : { text: undefined };
}

function decoded(bytes: Uint8Array, as: 'whole' | 'cut'): string | undefined {
  try {
    // Bytes that are no UTF-8 must not pass as the character that stands for such.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: as === 'cut' });
  } catch {
    return undefined;
  }
}
