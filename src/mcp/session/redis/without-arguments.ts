/**
 * ioredis attaches the command that failed, arguments and all: a password when signing in is refused, or else session
 * ids, results and answers. None of them is for the log.
 * @returns the error, without them
 */
export function withoutArguments<T>(cause: T): T {
  if (!(cause instanceof Error)) return cause;
  Reflect.deleteProperty(cause, 'command');
  withoutArguments(Reflect.get(cause, 'lastNodeError'));
  return cause;
}
