import { within } from '../protocol/within.js';

/** Milliseconds that a policy may think about one request. */
const POLICY_TIMEOUT_MS = 10_000;

/** What a policy answers. @throws Error when that takes too long: the caller waits for it, and so does a stop */
export function inTime(answer: PromiseLike<unknown>): Promise<unknown> {
  return within(POLICY_TIMEOUT_MS, answer, () => {
    throw new Error(`It did not answer within ${POLICY_TIMEOUT_MS} ms.`);
  });
}
