import type { Writable } from 'node:stream';

/**
 * Has a connection send what is written in one turn of the event loop with one system call, which costs as much as all
 * else that a command does. (The client's own way, `enableAutoPipelining`, costs more than it saves.)
 */
export function flushOncePerTurn(connection: Writable): void {
  const write = connection.write.bind(connection) as (...args: unknown[]) => boolean;
  let isHeld = false;
  const flush = (): void => {
    isHeld = false;
    connection.uncork();
  };
  connection.write = (...args: unknown[]): boolean => {
    if (!isHeld) {
      isHeld = true;
      connection.cork();
      setImmediate(flush);
    }
    return write(...args);
  };
}
