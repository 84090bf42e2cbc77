import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in use after a full collection: the heap, and what lies outside of it such as buffers. */
export async function bytesInUse(): Promise<number> {
  // Twice, with a turn in between: what a finalizer lets go of is taken by the second.
  for (let round = 0; round < 2; round++) {
    collect();
    await new Promise((turn) => setImmediate(turn));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
