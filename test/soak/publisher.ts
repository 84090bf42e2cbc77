import type { Calls } from './clients/calls.js';
import type { StatelessWire } from './clients/stateless-wire.js';
import type { Ledger } from './ledger.js';
import type { Publications } from './publications.js';

export interface PublisherParts {
  readonly wire: StatelessWire;
  readonly calls: Calls;
  readonly publications: Publications;
  readonly ledger: Ledger;
}

/** Publishes one numbered change after the other, each at a replica of chance. It needs no session, and so no Redis. */
export class Publisher {
  constructor(private readonly parts: PublisherParts) {}

  async publish(): Promise<void> {
    const { wire, calls, publications, ledger } = this.parts;
    const publication = publications.begin(ledger.phase);
    const uri = publications.uriOf(publication);
    await calls.account('publish', async () => {
      try {
        const exchange = await wire.request('publish', 'tools/call', { name: 'touch', arguments: { uri } });
        publication.replica = exchange.request.replica;
        calls.expect(await exchange.answer(), uri, exchange.request);
        publication.state = 'told';
      } catch (error) {
        publication.state = 'uncertain';
        throw error;
      } finally {
        publication.endedAt = Date.now();
      }
    });
  }
}
