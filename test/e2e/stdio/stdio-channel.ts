import { PassThrough, type Readable } from 'node:stream';
import type { INestApplicationContext, Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { McpModule, type McpOptions, McpRegistry, type StdioServer, serveStdio } from '../../../src/index.js';

export type Json = Record<string, unknown>;

/** What a 2026-07-28 client says of itself with every request. */
export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'stdio-test', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** A 2026-07-28 request. */
export function stateless(id: unknown, method: string, params: Json = {}, meta: Json = {}): Json {
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...ENVELOPE, ...meta } } };
}

/** A request of a session revision. */
export function request(id: unknown, method: string, params?: Json): Json {
  return { jsonrpc: '2.0', id, method, ...(params && { params }) };
}

export function notification(method: string, params?: Json): Json {
  return { jsonrpc: '2.0', method, ...(params && { params }) };
}

/** The lines of a stream, kept as they come. */
export class Lines {
  readonly all: string[] = [];
  private readonly listeners = new Set<() => void>();
  private rest = '';

  constructor(stream: Readable) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.rest + text).split('\n');
      this.rest = lines.pop() ?? '';
      this.all.push(...lines);
      for (const listener of this.listeners) listener();
    });
  }

  get messages(): Json[] {
    return this.all.map((line) => JSON.parse(line) as Json);
  }

  /** Resolves with the first message that matches, be it there already or yet to come. */
  async message(matches: (message: Json) => boolean): Promise<Json> {
    const find = (): Json | undefined => this.messages.find(matches);
    await this.until(() => find() !== undefined);
    return find()!;
  }

  response(id: unknown): Promise<Json> {
    return this.message((message) => message['id'] === id && !('method' in message));
  }

  called(method: string): Promise<Json> {
    return this.message((message) => message['method'] === method);
  }

  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const listener = (): void => {
        if (!condition()) return;
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
    });
  }
}

/** An application that is served over a pair of streams, and the client's ends of them. */
export class StdioChannel {
  readonly lines: Lines;

  private constructor(
    readonly app: INestApplicationContext,
    readonly server: StdioServer,
    readonly input: PassThrough,
    readonly output: PassThrough,
  ) {
    this.lines = new Lines(output);
  }

  static async open(providers: Provider[] = [], options: McpOptions = {}): Promise<StdioChannel> {
    const app = await NestFactory.createApplicationContext(
      {
        module: class StdioTestModule {},
        imports: [McpModule.forRoot({ name: 'stdio-test', version: '1.0.0', ...options })],
        providers,
      },
      { logger: false },
    );
    const [input, output] = [new PassThrough(), new PassThrough()];
    return new StdioChannel(app, serveStdio(app, { input, output }), input, output);
  }

  get registry(): McpRegistry {
    return this.app.get(McpRegistry);
  }

  send(...messages: unknown[]): void {
    this.input.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  }

  /** Sends a request and resolves with its response. */
  async ask(message: Json): Promise<Json> {
    this.send(message);
    return this.lines.response(message['id']);
  }

  /** Opens a session; its handshake does not count among the lines. */
  async initialize(protocolVersion = '2025-11-25', capabilities: Json = {}): Promise<Json> {
    const clientInfo = { name: 'stdio-test', version: '1.0.0' };
    const response = await this.ask(request('init', 'initialize', { protocolVersion, capabilities, clientInfo }));
    this.send(notification('notifications/initialized'));
    this.lines.all.length = 0;
    return response;
  }

  /** Resolves when whatever was sent so far has been read, and what it said at once has been written. */
  async settled(): Promise<void> {
    const id = `settled-${Math.random()}`;
    await this.ask(stateless(id, 'server/discover'));
    this.lines.all.splice(
      this.lines.messages.findIndex((message) => message['id'] === id),
      1,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.app.close();
  }
}
