import { isThenable } from './thenable.js';

const NOTHING = (): undefined => undefined;

/**
 * What work comes to, or what is said when that takes too long. The work itself goes on; what it comes to then is
 * ignored, errors too.
 *
 * @param ms milliseconds; what is no promise is not measured
 * @param late says what to go on with, or throws; default: `undefined`
 * @throws what the work rejects with, and what `late` throws
 */
export async function within<T, L = undefined>(
  ms: number,
  work: T | PromiseLike<T>,
  late: () => L = NOTHING as () => L,
): Promise<T | L> {
  if (!isThenable(work)) return work;
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  try {
    return await Promise.race([work, timeUp.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
