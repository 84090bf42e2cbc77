import { setTimeout as delay } from 'node:timers/promises';
import type { Publications, Subscriber } from '../publications.js';
import type { Calls } from './calls.js';
import { STREAM } from './calls.js';
import { followCall } from './follow-call.js';
import type { Meter } from './meter.js';
import { SessionListener } from './session-listener.js';
import { type SessionRevision, SessionWire } from './session-wire.js';
import { type SoakClient, chance, inTurn } from './soak-client.js';

export interface SessionClientParts {
  readonly meter: Meter;
  readonly calls: Calls;
  readonly publications: Publications;
  readonly subscriber: Subscriber;
  readonly revision: SessionRevision;
}

/** A client of the sessions era, on the bare wire. */
export class SessionClient implements SoakClient {
  readonly sessionIds: string[] = [];
  private readonly next = inTurn(['echo', 'stream', 'elicit', 'echo', 'cut', 'elicit', 'visit'] as const);
  private wire: SessionWire | undefined;
  private listener: SessionListener | undefined;

  constructor(private readonly parts: SessionClientParts) {}

  get name(): string {
    return this.parts.meter.client;
  }

  async open(): Promise<void> {
    const { publications, subscriber, calls } = this.parts;
    const { ledger, sabotage } = calls.parts;
    this.wire = await this.initialize();
    for (const uri of publications.uris) await this.wire.request('subscribe', 'resources/subscribe', { uri });
    this.listener = new SessionListener({ wire: this.wire, ledger, subscriber, sabotage });
    await this.listener.open();
  }

  async work(): Promise<void> {
    const { wire } = this;
    if (!wire) return;
    const kind = this.next();
    await this.parts.calls.account(kind, () => {
      switch (kind) {
        case 'echo':
          return this.echo(wire);
        case 'stream':
          return this.stream(wire);
        case 'cut':
          return this.stream(wire, cuts());
        case 'elicit':
          return this.elicit(wire);
        case 'visit':
          return this.visit();
      }
    });
  }

  async close(): Promise<void> {
    await this.listener?.close();
    await this.wire?.delete();
  }

  private async initialize(): Promise<SessionWire> {
    const wire = await SessionWire.open(this.parts.meter, this.parts.revision);
    this.sessionIds.push(wire.id);
    return wire;
  }

  private async echo(wire: SessionWire): Promise<void> {
    const { calls } = this.parts;
    const text = calls.unique();
    const first = await wire.request('echo', 'tools/call', { name: 'echo', arguments: { text } });
    for await (const response of followCall(first, { wire, ledger: calls.parts.ledger })) {
      calls.expect(response, text, first.request);
    }
  }

  private async stream(wire: SessionWire, cutAfter: readonly number[] = []): Promise<void> {
    const { calls } = this.parts;
    const { ledger } = calls.parts;
    const first = await wire.request('stream', 'tools/call', { name: 'count', arguments: STREAM });
    const events = calls.numbered();
    let whole = false;
    try {
      for await (const message of followCall(first, { wire, ledger, cutAfter })) {
        if (message['method'] === 'notifications/progress') {
          events.receive((message['params'] as { progress?: unknown }).progress);
        } else {
          calls.expect(message, `counted to ${STREAM.to}`, first.request);
          whole = true;
        }
      }
    } finally {
      events.close(whole);
    }
  }

  /** The answer goes out at once on the open connection, or when that has been cut. */
  private async elicit(wire: SessionWire): Promise<void> {
    const { calls } = this.parts;
    const [question, answer] = [calls.unique(), calls.unique()];
    const first = await wire.request('elicit', 'tools/call', { name: 'ask', arguments: { text: question } });
    const cutAfter = chance(0.5) ? [1] : [];
    let answered: Promise<void> = Promise.resolve();
    for await (const message of followCall(first, { wire, ledger: calls.parts.ledger, cutAfter })) {
      if (message['method'] !== 'elicitation/create') {
        calls.expect(message, `${question} ${answer}`, first.request);
        continue;
      }
      answered = delay(cutAfter.length > 0 ? 100 : 0).then(() =>
        wire.answer(message['id'], { action: 'accept', content: { answer } }),
      );
      // Whether it fails is looked at below.
      answered.catch(() => undefined);
    }
    await answered;
  }

  /** Another session, for a moment. */
  private async visit(): Promise<void> {
    const wire = await this.initialize();
    await this.echo(wire);
    await wire.delete();
  }
}

/** One cut or two, anywhere. */
function cuts(): readonly number[] {
  const places = [1 + Math.floor(Math.random() * STREAM.to), 1 + Math.floor(Math.random() * STREAM.to)];
  return chance(0.5) ? places : places.slice(1);
}
