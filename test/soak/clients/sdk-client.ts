import { setTimeout as delay } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Publications, Subscriber } from '../publications.js';
import { type Calls, STREAM, WrongAnswer } from './calls.js';
import { RequestFailed } from './exchange.js';
import type { Meter } from './meter.js';
import { type SoakClient, inTurn } from './soak-client.js';

/**
 * After which the client gives up. It does not notice that a stream broke which cannot be resumed, as all are in the
 * stateless era; a call with a session must have its terminal error before that.
 */
const CALL_MS = { auto: 15_000, legacy: 25_000 } as const;
const RECONNECT = {
  initialReconnectionDelay: 100,
  maxReconnectionDelay: 1_000,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 30,
};

export interface SdkClientParts {
  readonly meter: Meter;
  readonly calls: Calls;
  readonly publications: Publications;
  readonly subscriber: Subscriber;
  /** `legacy` is the sessions era, `auto` settles on the stateless one. */
  readonly mode: 'legacy' | 'auto';
}

/** The official client, version 2. It resumes streams by itself. */
export class SdkClient implements SoakClient {
  readonly sessionIds: string[] = [];
  private readonly next = inTurn(['echo', 'stream', 'elicit'] as const);
  private readonly client: Client;
  private readonly transport: StreamableHTTPClientTransport;
  /** What its user says to the next question. */
  private answer = '';
  private subscription: Awaited<ReturnType<Client['listen']>> | undefined;
  private closed = false;

  constructor(private readonly parts: SdkClientParts) {
    const { meter, mode, subscriber, calls } = parts;
    // The meter knows where to send.
    this.transport = new StreamableHTTPClientTransport(new URL('http://balancer/mcp'), {
      fetch: meter.fetch,
      reconnectionOptions: RECONNECT,
    });
    this.client = new Client(
      { name: meter.client, version: '1.0.0' },
      { capabilities: { elicitation: {} }, versionNegotiation: { mode } },
    );
    this.client.setRequestHandler('elicitation/create', () => ({
      action: 'accept',
      content: { answer: this.answer },
    }));
    this.client.fallbackNotificationHandler = async ({ method, params }) => {
      if (method === 'notifications/resources/updated') return subscriber.receive(String(params?.['uri']));
      calls.parts.ledger.fault(meter.client, `not expected: ${method}`);
    };
  }

  get name(): string {
    return this.parts.meter.client;
  }

  async open(): Promise<void> {
    const { mode, publications } = this.parts;
    await this.client.connect(this.transport);
    if (mode === 'auto') return this.listen();
    this.sessionIds.push(this.transport.sessionId ?? '');
    for (const uri of publications.uris) await this.client.subscribeResource({ uri });
  }

  async work(): Promise<void> {
    const kind = this.next();
    // It never repeats an answer that was lost on its way or refused; the call would wait for it.
    const { phase } = this.parts.calls.parts.ledger;
    if (kind === 'elicit' && this.parts.mode === 'legacy' && (phase === 'kill' || phase === 'redis')) return;
    await this.parts.calls.account(`SDK ${kind}`, () => {
      switch (kind) {
        case 'echo':
          return this.echo();
        case 'stream':
          return this.stream();
        case 'elicit':
          return this.elicit();
      }
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.subscription?.close();
    if (this.parts.mode === 'legacy') await this.transport.terminateSession();
    await this.client.close();
  }

  private async echo(): Promise<void> {
    const text = this.parts.calls.unique();
    await this.call('echo', { text }, text);
  }

  private async stream(): Promise<void> {
    const events = this.parts.calls.numbered();
    let whole = false;
    try {
      await this.call('count', STREAM, `counted to ${STREAM.to}`, (n) => events.receive(n));
      whole = true;
    } finally {
      events.close(whole);
    }
  }

  private async elicit(): Promise<void> {
    const { calls } = this.parts;
    const text = calls.unique();
    this.answer = calls.unique();
    await this.call('ask', { text }, `${text} ${this.answer}`);
  }

  private async call(
    name: string,
    args: Record<string, unknown>,
    expected: string,
    heard: (n: number) => void = () => undefined,
  ): Promise<void> {
    const { meter, calls, mode } = this.parts;
    let resumable = false;
    const options = {
      timeout: CALL_MS[mode],
      onprogress: ({ progress }: { progress: number }) => heard(progress),
      onresumptiontoken: () => (resumable = true),
    };
    let response;
    try {
      response = { result: await this.client.callTool({ name, arguments: args }, options) };
    } catch (error) {
      response = { error: await this.errorOf(error, resumable) };
    }
    if (!meter.lastCall) throw new WrongAnswer('the call was never sent');
    calls.expect(response, expected, meter.lastCall);
  }

  /** @throws RequestFailed when that is what became of the call; it has been counted */
  private async errorOf(error: unknown, resumable: boolean): Promise<{ code: number; message: string }> {
    const { lastCall } = this.parts.meter;
    if (error instanceof RequestFailed) {
      if (error.outcome === 'refused') await delay(error.retryAfterMs);
      throw error;
    }
    const { message, code } = error as { message: string; code?: number };
    const outcome = lastCall?.outcome;
    if (lastCall && !resumable && (outcome === 'killed' || outcome === 'failed')) {
      throw new RequestFailed(lastCall, outcome, { detail: message });
    }
    return { code: code ?? 0, message };
  }

  /** Holds a subscription open, and opens another one when it is over. */
  private async listen(): Promise<void> {
    const { publications, subscriber, calls } = this.parts;
    const subscribe = () => this.client.listen({ resourceSubscriptions: [...publications.uris] });
    this.subscription = await subscribe();
    void this.subscription.closed.then(async () => {
      if (this.closed) return;
      subscriber.leaves();
      for (let open = false; !open && !this.closed;) {
        open = await this.listen().then(
          () => true,
          () => delay(200, false),
        );
      }
      subscriber.returns();
      calls.parts.ledger.count('relistened');
    });
  }
}
