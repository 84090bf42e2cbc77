import { Calls } from '../../soak/clients/calls.js';
import { type Exchange, type HttpRequest, RequestFailed } from '../../soak/clients/exchange.js';
import { Meter } from '../../soak/clients/meter.js';
import { SdkClient } from '../../soak/clients/sdk-client.js';
import { SessionClient } from '../../soak/clients/session-client.js';
import type { SoakClient } from '../../soak/clients/soak-client.js';
import { StatelessClient } from '../../soak/clients/stateless-client.js';
import { StatelessWire } from '../../soak/clients/stateless-wire.js';
import type { Surroundings } from '../../soak/population.js';
import { Subscriber } from '../../soak/publications.js';
import { Publisher } from '../../soak/publisher.js';
import { Sabotage } from '../../soak/sabotage.js';

/**
 * Sends an answer again that a replica took with it when it was killed. It is a POST that may have been executed, so no
 * balancer repeats it; the call, which may run elsewhere, waits for it.
 */
class AnsweringMeter extends Meter {
  override async send(what: string, http: HttpRequest): Promise<Exchange> {
    try {
      return await super.send(what, http);
    } catch (error) {
      if (what !== 'answer' || !(error instanceof RequestFailed) || error.outcome !== 'killed') throw error;
      // It may have come through after all, or the call is gone; then nobody waits for it any more.
      return super.send(what, { ...http, statuses: [202, 400] });
    }
  }
}

/** Clients of the soak: as many on the bare wire of each era, one official one of each, and one who publishes. */
export class RolloutPopulation {
  readonly clients: readonly SoakClient[];
  readonly subscribers: Subscriber[] = [];
  readonly publisher: Publisher;

  constructor(
    private readonly around: Surroundings,
    perEra: number,
  ) {
    const numbers = Array.from({ length: perEra }, (_, index) => index + 1);
    this.clients = [
      ...numbers.map((n) => new SessionClient({ ...this.subscribed(`session-${n}`), revision: '2025-11-25' })),
      ...numbers.map((n) => new StatelessClient(this.subscribed(`stateless-${n}`))),
      new SdkClient({ ...this.subscribed('sdk-legacy'), mode: 'legacy' }),
      new SdkClient({ ...this.subscribed('sdk-auto'), mode: 'auto' }),
    ];
    const { calls, meter, publications } = this.parts('publisher');
    this.publisher = new Publisher({ wire: new StatelessWire(meter), calls, publications, ledger: around.ledger });
  }

  async open(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.open()));
  }

  /** What a client of its own kind is made of. */
  parts(client: string) {
    const { url, ledger, excuses, publications } = this.around;
    const meter = new AnsweringMeter(url, ledger, client);
    return { meter, calls: new Calls({ client, ledger, excuses, sabotage: new Sabotage() }), publications };
  }

  private subscribed(name: string) {
    const { publications, ledger, excuses } = this.around;
    const subscriber = new Subscriber(name, publications, ledger, excuses);
    this.subscribers.push(subscriber);
    return { ...this.parts(name), subscriber };
  }
}
