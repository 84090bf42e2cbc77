import { isThenable } from '../protocol/thenable.js';

type Ran<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Runs work through somebody who watches it. Whatever the watcher does, the work runs once, and what comes of it is
 * what the work came to.
 *
 * @param through is to run what it is given
 * @param failed hears of what the watcher throws of its own
 */
export function runGuarded<T>(through: (work: () => T) => T, work: () => T, failed: (error: unknown) => void): T {
  let ran: Ran<T> | undefined;
  const once = (): T => {
    ran ??= attempt(work);
    if ('error' in ran) throw ran.error;
    return ran.value;
  };
  const report = (error: unknown): void => {
    ownErrorOf(ran)
      .then((own) => own?.error === error || failed(error))
      .catch(failed);
  };
  let answered: Promise<unknown>;
  try {
    const answer = through(once);
    // Whether it is rejected is the business of the work alone.
    if (ran && 'value' in ran && ran.value === answer) return answer;
    if (!isThenable(answer)) return once();
    answered = Promise.resolve(answer);
  } catch (error) {
    report(error);
    return once();
  }
  if (ran) {
    answered.catch(report);
    return once();
  }
  // Only a watcher that waits for something gets here.
  return answered.catch(report).then(once) as T;
}

function attempt<T>(work: () => T): Ran<T> {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

/** What the work itself failed with, if it did; wrapped, since a promise would take a thrown thenable for one. */
async function ownErrorOf(ran: Ran<unknown> | undefined): Promise<{ readonly error: unknown } | undefined> {
  if (!ran) return undefined;
  if ('error' in ran) return ran;
  try {
    await ran.value;
    return undefined;
  } catch (error) {
    return { error };
  }
}
