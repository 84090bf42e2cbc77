import { Writable } from 'node:stream';

let reserved: Writable | undefined;

/**
 * Keeps stdout for MCP messages: from here on, what the process writes to `process.stdout` (the console, Nest's logger)
 * goes to stderr, and only the returned stream leads to stdout. Call it before anything can print; later calls return
 * the same stream.
 *
 * It cannot see what goes to file descriptor 1 without `process.stdout`: give pino a destination of 2, and child
 * processes a `stdio` other than `inherit`.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
export function reserveStdout(): Writable {
  return (reserved ??= takeOver(process.stdout, process.stderr));
}

function takeOver(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Writable {
  const write: typeof stdout.write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  const messages = new Writable({ write: (chunk: Buffer, _encoding, done) => void write(chunk, done) });
  stdout.on('error', (error: Error) => messages.destroy(error));
  // Without listeners the end of the reader would crash the process.
  messages.on('error', () => undefined);
  stderr.on('error', () => undefined);
  return messages;
}
