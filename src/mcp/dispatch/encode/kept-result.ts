import type { ResultOutcome } from '../outcome.js';

/** A result that is sent again and again, to all who are to get the same. */
export function keptResult(json: string): ResultOutcome {
  return { kind: 'result', json, frameEnd: Buffer.from(`${json}}`) };
}
