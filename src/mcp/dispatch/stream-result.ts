import { setImmediate } from 'node:timers/promises';
import type { ContentBlock } from '@modelcontextprotocol/server';
import type { DispatchedCall } from './dispatched-call.js';
import { isContentBlock, text } from './encode/content.js';
import { ResultTooLargeError } from './encode/result-encoder.js';

/** Pieces after which timers and sockets get a turn: an iterable that never waits would hold up the whole process. */
const PIECES_A_TURN = 100;

/**
 * Reads an async iterable to its end. Each piece goes to a client that asked for progress as it comes; the result
 * holds them all: text joined, blocks in order.
 *
 * @param maxBytes UTF-8 bytes a serialised result may have; an iterable without end would fill the memory
 * @throws ResultTooLargeError as soon as it is certain that the result will be too large
 */
export async function collectStream(
  pieces: AsyncIterable<unknown>,
  call: DispatchedCall,
  maxBytes: number,
): Promise<ContentBlock[]> {
  const content: ContentBlock[] = [];
  let open = '';
  let count = 0;
  let size = 0;
  for await (const piece of pieces) {
    count += 1;
    if (count % PIECES_A_TURN === 0) await setImmediate();
    call.throwIfAborted();
    const said = typeof piece === 'string' ? piece : (JSON.stringify(piece) ?? '');
    // A UTF-16 unit needs at least one byte.
    size += said.length;
    if (size > maxBytes) throw new ResultTooLargeError(size, maxBytes);
    if (isContentBlock(piece)) {
      if (open) content.push(text(open));
      open = '';
      content.push(piece);
      call.progress(count, undefined, piece.type === 'text' ? piece.text : undefined);
    } else {
      open += said;
      call.progress(count, undefined, said);
    }
  }
  if (open) content.push(text(open));
  return content;
}
