import { Calls } from './clients/calls.js';
import { Meter } from './clients/meter.js';
import { SdkClient } from './clients/sdk-client.js';
import { SessionClient } from './clients/session-client.js';
import type { SoakClient } from './clients/soak-client.js';
import { StatelessClient } from './clients/stateless-client.js';
import { StatelessWire } from './clients/stateless-wire.js';
import type { Excuses } from './excuses.js';
import type { Ledger } from './ledger.js';
import type { SoakOptions } from './options.js';
import { type Publications, Subscriber } from './publications.js';
import { Publisher } from './publisher.js';
import { Sabotage } from './sabotage.js';

export interface Surroundings {
  /** The MCP endpoint. */
  readonly url: string;
  readonly ledger: Ledger;
  readonly excuses: Excuses;
  readonly publications: Publications;
}

/** Of the clients of an era, so many are official ones. */
const SDK_SHARE = 1 / 8;
/** Of the clients with a session, so many speak the older revision. */
const OLDER_SHARE = 1 / 3;

/** Everyone who takes part: half of the clients with a session, half without, and one who publishes. */
export class Population {
  readonly clients: readonly SoakClient[];
  readonly subscribers: Subscriber[] = [];
  readonly publisher: Publisher;
  /** One client alone is tampered with. */
  private sabotage: Sabotage;

  constructor(
    private readonly around: Surroundings,
    { clients, sabotage }: Pick<SoakOptions, 'clients' | 'sabotage'>,
  ) {
    this.sabotage = new Sabotage(sabotage);
    const sessions = Math.ceil(clients / 2);
    this.clients = [...this.withSessions(sessions), ...this.withoutSessions(clients - sessions)];
    const { calls, meter, publications } = this.parts('publisher');
    this.publisher = new Publisher({ wire: new StatelessWire(meter), calls, publications, ledger: around.ledger });
  }

  async open(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.open()));
  }

  private withSessions(count: number): SoakClient[] {
    const official = Math.max(1, Math.floor(count * SDK_SHARE));
    const older = Math.floor((count - official) * OLDER_SHARE);
    return numbered(count).map((n) => {
      if (n > count - official) return new SdkClient({ ...this.subscribed(`sdk-legacy-${n}`), mode: 'legacy' });
      const revision = n > count - official - older ? '2025-06-18' : '2025-11-25';
      return new SessionClient({ ...this.subscribed(`session-${n}`), revision });
    });
  }

  private withoutSessions(count: number): SoakClient[] {
    const official = Math.max(1, Math.floor(count * SDK_SHARE));
    return numbered(count).map((n) =>
      n > count - official
        ? new SdkClient({ ...this.subscribed(`sdk-auto-${n}`), mode: 'auto' })
        : new StatelessClient(this.subscribed(`stateless-${n}`)),
    );
  }

  private subscribed(name: string) {
    const parts = this.parts(name);
    const { publications, ledger, excuses } = this.around;
    const subscriber = new Subscriber(name, publications, ledger, excuses);
    this.subscribers.push(subscriber);
    return { ...parts, subscriber };
  }

  private parts(client: string) {
    const { url, ledger, excuses, publications } = this.around;
    const { sabotage } = this;
    this.sabotage = new Sabotage();
    return {
      meter: new Meter(url, ledger, client),
      calls: new Calls({ client, ledger, excuses, sabotage }),
      publications,
    };
  }
}

function numbered(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
