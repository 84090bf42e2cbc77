import type { Server } from 'node:http';
import { type InjectionToken, Module, type Provider } from '@nestjs/common';
import {} from 'vitest';
import { Authenticator, EventLog, type McpOptions } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { type Json, type SseEvent, type WireSession, sseEvents } from '../../support/wire.js';

interface BootOptions extends McpOptions {
  readonly authenticator?: Authenticator;
  readonly events?: EventLog;
}

@Module({})
class FixtureModule {}

/** A server of some fixtures that knows which of its responses are still open. */
export class SessionApp implements AsyncDisposable {
  private readonly open = new Set<unknown>();
  readonly url: string;

  private constructor(private readonly app: McpTestApp) {
    this.url = app.url;
    this.server.on('request', (_request, response) => {
      this.open.add(response);
      response.once('close', () => this.open.delete(response));
    });
  }

  static async boot(
    providers: Provider[],
    { authenticator, events, ...options }: BootOptions = {},
  ): Promise<SessionApp> {
    const override: [InjectionToken, unknown][] = [];
    if (authenticator) override.push([Authenticator, authenticator]);
    if (events) override.push([EventLog, events]);
    const app = await createMcpTestApp({ module: FixtureModule, providers }, { options, logger: false, override });
    return new SessionApp(app);
  }

  get<T>(token: InjectionToken<T>): T {
    return this.app.get(token);
  }

  /** Resolves when the server has noticed the end of every response. */
  async idle(): Promise<void> {
    await eventually(() => {
      if (this.open.size > 0) throw new Error(`${this.open.size} responses are open.`);
    });
  }

  /** Stops the server in good order. */
  async stop(): Promise<void> {
    await this.app.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await this.app.close();
  }

  private get server(): Server {
    return this.app.app.getHttpServer();
  }
}

/** A response that is read event by event, and can be cut at any place. */
export class EventStream {
  /** Whatever has been read so far. */
  readonly events: SseEvent[] = [];
  private readonly source: AsyncGenerator<SseEvent>;

  private constructor(
    readonly response: Response,
    private readonly connection: AbortController,
  ) {
    this.source = sseEvents(response);
  }

  static async open(send: (signal: AbortSignal) => Promise<Response>): Promise<EventStream> {
    const connection = new AbortController();
    const response = await send(connection.signal);
    if (response.status === 200) return new EventStream(response, connection);
    throw new Error(`Not a stream: ${response.status} ${await response.text()}`);
  }

  static call(session: WireSession, name: string, args: Json = {}, id: string | number = 1): Promise<EventStream> {
    return EventStream.open((signal) => session.request('tools/call', { name, arguments: args }, id, signal));
  }

  static listen(session: WireSession, lastEventId?: string): Promise<EventStream> {
    return EventStream.open((signal) => session.get({ 'last-event-id': lastEventId }, signal));
  }

  get lastEventId(): string {
    return this.events.findLast(({ id }) => id !== undefined)?.id ?? '';
  }

  /** The next event; undefined at the end. */
  async next(): Promise<SseEvent | undefined> {
    const { value, done } = await this.source.next();
    if (done) return undefined;
    this.events.push(value);
    return value;
  }

  /** The next JSON-RPC message; undefined at the end. */
  async message(): Promise<Json | undefined> {
    for (let event = await this.next(); event; event = await this.next()) {
      if (event.data !== '') return JSON.parse(event.data) as Json;
    }
    return undefined;
  }

  /** The messages up to the end. */
  async messages(): Promise<Json[]> {
    const messages: Json[] = [];
    for (let message = await this.message(); message; message = await this.message()) messages.push(message);
    return messages;
  }

  /** Breaks the connection. */
  cut(): void {
    this.connection.abort();
  }
}

/** Something to wait for, opened by a test or by a fixture. */
export class Gate {
  readonly opened: Promise<void>;
  open!: () => void;

  constructor() {
    this.opened = new Promise((resolve) => (this.open = resolve));
  }
}

export function textResult(text: string): Json {
  return { content: [{ type: 'text', text }] };
}

export function toolError(text: string): Json {
  return { content: [{ type: 'text', text }], isError: true };
}

/** The frame of a result. */
export function resultFrame(id: string | number, result: Json): Json {
  return { jsonrpc: '2.0', id, result };
}

/** The frame of an error; without `id` if it names no request. */
export function errorFrame(id: string | number | undefined, code: number, message: unknown, data?: unknown): Json {
  const error = { code, message, ...(data !== undefined && { data }) };
  return { jsonrpc: '2.0', ...(id !== undefined && { id }), error };
}
