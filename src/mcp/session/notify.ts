/** What to do with an error that a listener threw; it must not throw itself. */
export type ListenerErrorHandler = (error: unknown) => void;

/** The default: a process warning, so that the fault is seen and nothing else is harmed. */
export const warnOfListenerError: ListenerErrorHandler = (error) => {
  process.emitWarning(error instanceof Error ? error : String(error), { type: 'ListenerError' });
};

/** Calls a listener so that its error reaches neither the caller nor the listeners after it. */
export function notify(call: () => void, onError: ListenerErrorHandler): void {
  try {
    call();
  } catch (error) {
    onError(error);
  }
}
