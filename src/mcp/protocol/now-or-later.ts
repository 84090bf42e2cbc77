/**
 * What is there, or comes. On the way of a request nothing that is there is waited for: a call that nobody holds up is
 * answered in the turn of the event loop in which it came, and pays for no promise.
 */
export type NowOrLater<T> = T | Promise<T>;

/** Goes on with a value as soon as it is there: at once, if it is. */
export function goOn<T, R>(value: NowOrLater<T>, next: (value: T) => NowOrLater<R>): NowOrLater<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Runs work, and goes on with something else if it fails, now or later. */
export function recover<T>(work: () => NowOrLater<T>, failed: (error: unknown) => NowOrLater<T>): NowOrLater<T> {
  try {
    const value = work();
    return value instanceof Promise ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}
