/**
 * A call that runs: a promise of its result that can be cancelled.
 *
 * @example
 * ```ts
 * const running = client.call('exportOrders');
 * await running.cancel('not needed any more');
 * await expect(running).rejects.toThrow('not needed any more');
 * ```
 */
export type RunningCall<T> = Promise<T> & {
  /**
   * Cancels the call in the way of the era and resolves when it is over. The call rejects with an `AbortError` that
   * has the reason for its message.
   */
  cancel(reason?: string): Promise<void>;
};

/** Starts something with a signal that its caller's signal and `cancel` abort. */
export function startCall<T>(
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): RunningCall<T> {
  const controller = new AbortController();
  const promise = run(signal ? AbortSignal.any([signal, controller.signal]) : controller.signal);
  const cancel = async (reason = 'The test cancelled the call.'): Promise<void> => {
    const over = promise.then(ignore, ignore);
    controller.abort(new DOMException(reason, 'AbortError'));
    await over;
  };
  return Object.assign(promise, { cancel });
}

function ignore(): void {
  // Whoever holds the call hears of how it ended.
}
