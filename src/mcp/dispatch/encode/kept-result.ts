import type { ResultOutcome } from '../outcome.js';

/** Characters above which it costs less to send text and bytes than one text that is put together and encoded. */
const WORTH_BYTES = 8 * 1_024;

/** A result that is sent again and again, to all who are to get the same. */
export function keptResult(json: string): ResultOutcome {
  if (json.length < WORTH_BYTES) return { kind: 'result', json };
  return { kind: 'result', json, frameEnd: Buffer.from(`${json}}`) };
}
