import type { Json } from '../../support/wire.js';
import type { Publications, Subscriber } from '../publications.js';
import type { Calls } from './calls.js';
import { STREAM, WrongAnswer } from './calls.js';
import type { Exchange } from './exchange.js';
import type { Meter } from './meter.js';
import { type SoakClient, inTurn } from './soak-client.js';
import { StatelessListener } from './stateless-listener.js';
import { StatelessWire } from './stateless-wire.js';

export interface StatelessClientParts {
  readonly meter: Meter;
  readonly calls: Calls;
  readonly publications: Publications;
  readonly subscriber: Subscriber;
}

/** A client of revision 2026-07-28, on the bare wire. */
export class StatelessClient implements SoakClient {
  readonly sessionIds = [];
  private readonly next = inTurn(['echo', 'stream', 'elicit'] as const);
  private readonly wire: StatelessWire;
  private readonly listener: StatelessListener;

  constructor(private readonly parts: StatelessClientParts) {
    const { meter, calls, publications, subscriber } = parts;
    this.wire = new StatelessWire(meter);
    this.listener = new StatelessListener({ wire: this.wire, ledger: calls.parts.ledger, publications, subscriber });
  }

  get name(): string {
    return this.parts.meter.client;
  }

  open(): Promise<void> {
    return this.listener.open();
  }

  async work(): Promise<void> {
    const kind = this.next();
    await this.parts.calls.account(kind, () => {
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

  close(): Promise<void> {
    return this.listener.close();
  }

  private async echo(): Promise<void> {
    const { calls } = this.parts;
    const text = calls.unique();
    const exchange = await this.call('echo', { name: 'echo', arguments: { text } });
    calls.expect(await exchange.answer(), text, exchange.request);
  }

  private async stream(): Promise<void> {
    const { calls } = this.parts;
    const exchange = await this.call('stream', { name: 'count', arguments: STREAM });
    const events = calls.numbered();
    let last: Json | undefined;
    try {
      for await (const { data } of exchange.events()) {
        if (last && 'result' in last) throw new WrongAnswer(`something came after the response: ${data}`);
        last = JSON.parse(data) as Json;
        const { method, params } = last as { method?: string; params?: { progress?: unknown } };
        if (method === 'notifications/progress') events.receive(params?.progress);
      }
      calls.expect(last ?? {}, `counted to ${STREAM.to}`, exchange.request);
    } finally {
      events.close(last !== undefined && 'result' in last);
    }
  }

  /** Two rounds; another replica may serve the second. */
  private async elicit(): Promise<void> {
    const { calls } = this.parts;
    const [question, answer] = [calls.unique(), calls.unique()];
    const call = { name: 'ask', arguments: { text: question } };
    const asked = await (await this.call('elicit', call)).answer();
    const {
      resultType,
      requestState,
      inputRequests = {},
    } = (asked['result'] ?? {}) as {
      resultType?: string;
      requestState?: string;
      inputRequests?: Record<string, unknown>;
    };
    const [key] = Object.keys(inputRequests);
    if (resultType !== 'input_required' || key === undefined) {
      throw new WrongAnswer(`no question, but ${JSON.stringify(asked)}`);
    }
    const inputResponses = { [key]: { action: 'accept', content: { answer } } };
    const exchange = await this.call('elicit answer', { ...call, requestState, inputResponses });
    calls.expect(await exchange.answer(), `${question} ${answer}`, exchange.request);
  }

  private call(what: string, params: Json): Promise<Exchange> {
    return this.wire.request(what, 'tools/call', params);
  }
}
