import { setTimeout as delay } from 'node:timers/promises';
import type { ServerSentEvent } from '../../../src/mcp/testing/sse-parser.js';
import type { Json } from '../../support/wire.js';
import type { Ledger } from '../ledger.js';
import type { Publications, Subscriber } from '../publications.js';
import { type Exchange, RequestFailed } from './exchange.js';
import { persistently } from './meter.js';
import type { StatelessWire } from './stateless-wire.js';

export interface StatelessListenerParts {
  readonly wire: StatelessWire;
  readonly ledger: Ledger;
  readonly publications: Publications;
  readonly subscriber: Subscriber;
}

/** Holds a `subscriptions/listen` open, and opens another one whenever it is over. What happens in between is not told. */
export class StatelessListener {
  private exchange: Exchange | undefined;
  private running: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly parts: StatelessListenerParts) {}

  /** Resolves when the subscription is acknowledged. @throws RequestFailed */
  async open(): Promise<void> {
    const events = await this.listen();
    this.running = this.run(events);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.exchange?.cut();
    await this.running;
  }

  private async run(first: AsyncGenerator<ServerSentEvent>): Promise<void> {
    const { subscriber, ledger } = this.parts;
    for (let events = first; !this.closed;) {
      await this.read(events);
      if (this.closed) return;
      subscriber.leaves();
      events = await this.listenAgain();
      subscriber.returns();
      ledger.count('relistened');
    }
  }

  private async read(events: AsyncGenerator<ServerSentEvent>): Promise<void> {
    const { subscriber, ledger } = this.parts;
    let last: Json = {};
    try {
      for await (const { data } of events) {
        last = JSON.parse(data) as Json;
        const { method, params } = last as { method?: string; params?: { uri?: unknown } };
        if (method === 'notifications/resources/updated') subscriber.receive(String(params?.uri));
        else if (!('result' in last)) ledger.fault(subscriber.client, `not expected on a subscription: ${data}`);
      }
      if (!this.closed && !('result' in last)) ledger.fault(subscriber.client, 'a subscription ended without a result');
    } catch (error) {
      // It has been counted.
      if (!(error instanceof RequestFailed)) throw error;
    }
  }

  private async listenAgain(): Promise<AsyncGenerator<ServerSentEvent>> {
    for (;;) {
      try {
        return await persistently(() => this.listen());
      } catch (error) {
        if (!(error instanceof RequestFailed)) throw error;
        await delay(1_000);
      }
    }
  }

  /** @returns what comes after the acknowledgment */
  private async listen(): Promise<AsyncGenerator<ServerSentEvent>> {
    const { wire, publications, subscriber, ledger } = this.parts;
    const notifications = { resourceSubscriptions: publications.uris };
    this.exchange = await wire.request('listen', 'subscriptions/listen', { notifications });
    if (this.closed) this.exchange.cut();
    const events = this.exchange.events();
    const first = await events.next();
    const { method } = JSON.parse(first.value?.data ?? '{}') as { method?: string };
    if (method !== 'notifications/subscriptions/acknowledged' && !this.closed) {
      ledger.fault(subscriber.client, `a subscription began with ${JSON.stringify(first.value)}`);
    }
    return events;
  }
}
