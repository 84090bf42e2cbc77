import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../../support/wire.js';
import type { Ledger } from '../ledger.js';
import type { Subscriber } from '../publications.js';
import type { Sabotage } from '../sabotage.js';
import { type Exchange, RequestFailed } from './exchange.js';
import { Place } from './follow-call.js';
import { persistently } from './meter.js';
import type { SessionWire } from './session-wire.js';
import { chance } from './soak-client.js';

/** How often, per notification, the client cuts its stream. */
const CUT = 1 / 40;

export interface SessionListenerParts {
  readonly wire: SessionWire;
  readonly ledger: Ledger;
  readonly subscriber: Subscriber;
  readonly sabotage: Sabotage;
}

/** Holds the GET stream of a session open, over as many connections as it takes. */
export class SessionListener {
  private readonly place = new Place();
  private exchange: Exchange | undefined;
  private running: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly parts: SessionListenerParts) {}

  /** @throws RequestFailed */
  async open(): Promise<void> {
    this.exchange = await this.attach();
    this.running = this.run();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.exchange?.cut();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      const waitMs = await this.read();
      if (this.closed) return;
      await delay(waitMs);
      // A message on the way here that never comes would be counted as lost, so there is no giving up.
      this.exchange = await this.attach().catch(() => undefined);
      if (this.closed) this.exchange?.cut();
    }
  }

  /** @returns milliseconds to wait before coming back */
  private async read(): Promise<number> {
    try {
      for await (const event of this.exchange?.events() ?? []) {
        this.place.note(event);
        if (event.data !== '') this.take(JSON.parse(event.data) as Json);
        if (!chance(event.data === '' ? 0 : CUT)) continue;
        this.exchange?.cut();
        return Math.random() * 200;
      }
    } catch (error) {
      // It has been counted.
      if (!(error instanceof RequestFailed)) throw error;
    }
    return this.place.retryMs;
  }

  private take(message: Json): void {
    const { method, params } = message as { method?: string; params?: { uri?: unknown } };
    const { subscriber, ledger, sabotage } = this.parts;
    if (method !== 'notifications/resources/updated') {
      return ledger.fault(subscriber.client, `not expected on the GET stream: ${JSON.stringify(message)}`);
    }
    if (!sabotage.dropsNotification()) subscriber.receive(String(params?.uri));
  }

  private async attach(): Promise<Exchange> {
    const { wire, ledger } = this.parts;
    const { lastEventId } = this.place;
    const isFirst = this.exchange === undefined;
    const exchange = await persistently(() => wire.get('GET stream', lastEventId));
    if (!isFirst) ledger.count('resumed');
    return exchange;
  }
}
