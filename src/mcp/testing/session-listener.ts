import type { SubscriptionFilter } from '@modelcontextprotocol/server';
import type { JsonObject } from '../transport/json-rpc.js';
import { answerTo, receive } from './http-exchange.js';
import type { Listening } from './test-wire.js';

/** What listening needs of the session's wire. */
interface Session {
  /** Aborts when the client is closed. */
  readonly closing: AbortSignal;
  get(lastEventId: string | undefined, signal: AbortSignal): Promise<Response>;
  request(method: string, params: JsonObject): Promise<JsonObject>;
  hear(message: JsonObject): void;
}

/** The GET stream, while it is open. */
interface OpenStream {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Changes in a session: one GET stream for everybody who listens, and one subscription a resource. List changes come to
 * all of them, whether they asked or not: a session cannot choose.
 */
export class SessionListener {
  private stream: Promise<OpenStream> | undefined;
  private listeners = 0;
  private readonly subscribers = new Map<string, number>();
  private lastEventId: string | undefined;

  constructor(private readonly session: Session) {}

  async listen({ resourceSubscriptions = [] }: SubscriptionFilter): Promise<Listening> {
    for (const uri of resourceSubscriptions) await this.subscribe(uri);
    this.stream ??= this.open();
    const { ended } = await this.stream;
    this.listeners += 1;
    let open = true;
    return {
      ended,
      close: async () => {
        if (!open) return;
        open = false;
        for (const uri of resourceSubscriptions) await this.unsubscribe(uri);
        this.listeners -= 1;
        if (this.listeners === 0) await this.close();
      },
    };
  }

  async close(): Promise<void> {
    const stream = await this.stream?.catch(() => undefined);
    this.stream = undefined;
    stream?.stop.abort();
    await stream?.ended.catch(() => undefined);
  }

  private async subscribe(uri: string): Promise<void> {
    const count = this.subscribers.get(uri) ?? 0;
    if (count === 0) await this.session.request('resources/subscribe', { uri });
    this.subscribers.set(uri, count + 1);
  }

  private async unsubscribe(uri: string): Promise<void> {
    const count = this.subscribers.get(uri) ?? 0;
    if (count > 1) this.subscribers.set(uri, count - 1);
    else {
      this.subscribers.delete(uri);
      await this.session.request('resources/unsubscribe', { uri });
    }
  }

  private async open(): Promise<OpenStream> {
    const stop = new AbortController();
    try {
      const response = await this.session.get(this.lastEventId, stop.signal);
      if (!response.ok) await refuse(response);
      const ended = this.follow(response).catch((error: unknown) => {
        if (!stop.signal.aborted && !this.session.closing.aborted) throw error;
      });
      ended.catch(() => undefined);
      return { stop, ended };
    } catch (error) {
      this.stream = undefined;
      throw error;
    }
  }

  private async follow(response: Response): Promise<void> {
    for await (const { message, eventId } of receive(response)) {
      this.lastEventId = eventId ?? this.lastEventId;
      if (message) this.session.hear(message);
    }
  }
}

/** @throws McpTestError with what the server says */
async function refuse(response: Response): Promise<never> {
  for await (const { message } of receive(response)) if (message) answerTo('', message, response.status);
  throw new Error(`The server refused the stream of changes with HTTP ${response.status}.`);
}
