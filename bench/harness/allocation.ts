import type { Contestant } from './contestant.js';
import { CALLED, requestOf } from './load.js';
import { PostClient } from './node-clients.js';
import { ServerProcess } from './server-process.js';
import { median } from './statistics.js';

const WARM_UP_CALLS = 6_000;
const CALLS = 1_000;
const TRIES = 3;
/** A young generation that holds what so many calls allocate, so that nothing is collected while they are counted. */
const NODE_ARGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=256'];

/** Bytes of the heap that a call takes, its garbage included, once its code is compiled. */
export async function allocatedPerCall(contestant: Contestant): Promise<number> {
  const server = await ServerProcess.start({ ...contestant, nodeArgs: NODE_ARGS });
  try {
    const { headers, body } = requestOf('call', contestant);
    const client = new PostClient(server.url, headers, contestant.wire === 'session' ? 'own' : 'none');
    await client.open();
    let id = 0;
    const call = async (times: number): Promise<void> => {
      for (let n = 0; n < times; n += 1) {
        const answer = await client.call(body.replace('%ID%', String((id += 1))).replaceAll('%DAYS%', '3'));
        if (!answer.includes(CALLED.replaceAll('%DAYS%', '3'))) throw new Error(`A wrong answer: ${answer}`);
      }
    };
    await call(WARM_UP_CALLS);
    const bytes: number[] = [];
    while (bytes.length < TRIES) {
      await server.collect();
      const before = await server.usage();
      await call(CALLS);
      const after = await server.usage();
      // Counted anew if there was a collection: it has taken away what was to be counted.
      if (after.collections > before.collections) continue;
      bytes.push((after.memory.heapUsed - before.memory.heapUsed) / CALLS);
    }
    client.close();
    return median(bytes);
  } finally {
    await server.stop();
  }
}
