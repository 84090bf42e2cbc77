import type { Readable, Writable } from 'node:stream';
import type { INestApplicationContext } from '@nestjs/common';
import { McpServer } from '../../mcp.providers.js';
import { ANONYMOUS, type Principal } from '../../protocol/principal.js';
import { LineSplitter } from './line-splitter.js';
import { LineWriter } from './line-writer.js';
import { reserveStdout } from './reserved-stdout.js';
import { StdioConnection } from './stdio-connection.js';
import type { StdioServices } from './stdio-services.js';

/** Milliseconds that a reader has to take what is left when the channel ends. */
const LAST_WRITE_MS = 1_000;

export interface StdioOptions {
  /** Where messages come from. Default `process.stdin`. */
  readonly input?: Readable;
  /** Where messages go to. Default {@link reserveStdout}, so that nothing else can reach stdout. */
  readonly output?: Writable;
  /**
   * Who is calling. A local process has no credentials to check: it is whoever started it. Default {@link ANONYMOUS},
   * who has no scopes.
   */
  readonly principal?: Principal;
}

/** A channel that is being served. */
export interface StdioServer {
  /** Resolves when the channel has ended: the client closed it, the application stopped, or {@link close} was called. */
  readonly closed: Promise<void>;
  /** Cancels what runs, ends subscriptions in good order, and resolves when that is written. */
  close(): Promise<void>;
}

/**
 * Serves the capabilities of an application over a pair of streams, to clients of both eras.
 *
 * It does not end the process: do that when `closed` has resolved.
 *
 * @param app an initialised application or application context that imports `McpModule`
 * @throws McpError `UNAVAILABLE` when the application is stopping
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
export function serveStdio(app: INestApplicationContext, options: StdioOptions = {}): StdioServer {
  const { input = process.stdin, output = reserveStdout(), principal = ANONYMOUS } = options;
  const { services } = app.get(McpServer);
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const release = services.streams.open(principal, end);

  const writer = new LineWriter(output, services.options.maxBufferedBytes);
  const channel: StdioServices = { ...services, writer, principal };
  const connection = new StdioConnection(channel);
  void writer.closed.then(end);
  void read(input, channel, connection).then(end);

  const closed = ended.then(async () => {
    release();
    connection.end();
    input.destroy();
    await writer.end(LAST_WRITE_MS);
  });
  return {
    closed,
    close: () => {
      end();
      return closed;
    },
  };
}

/** Reads until the input ends, and no faster than answers are taken. Never rejects. */
async function read(input: Readable, { writer, options }: StdioServices, connection: StdioConnection): Promise<void> {
  const splitter = new LineSplitter(
    options.maxBodyBytes,
    (line) => connection.take(line),
    () => connection.takeOverlong(),
  );
  try {
    for await (const chunk of input as AsyncIterable<Buffer | string>) {
      splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      await writer.drained();
    }
  } catch {
    // An input that breaks off is an input that ends.
  }
}
