import type { Change, ChangeBus, LoggedChange } from './change-bus.port.js';
import type { SessionRecord } from './session-record.js';

type ListKind = Exclude<Change['kind'], 'resource'>;

export const LISTS: readonly ListKind[] = ['tools', 'prompts', 'resources'];

/** What a stream wants to hear of. */
export interface Interest {
  readonly kinds: ReadonlySet<ListKind>;
  readonly uris: ReadonlySet<string>;
}

export interface FanoutEntry {
  /** Replaces what the stream wants to hear of. */
  change(interest: Interest): void;
  remove(): void;
}

type Deliver = (change: LoggedChange) => void;

/**
 * Takes changes from the bus to the streams of this replica that asked for them. Indexed by what was asked for, so
 * that a change costs as much as it has readers, not as much as there are streams.
 */
export class ChangeFanout {
  private readonly byTopic = new Map<string, Set<Deliver>>();
  private readonly unsubscribe: () => void;

  constructor(bus: ChangeBus) {
    this.unsubscribe = bus.subscribe((change) => {
      // A copy: a stream that ends while it is told must not disturb the others.
      for (const deliver of [...(this.byTopic.get(topicOf(change.change)) ?? [])]) deliver(change);
    });
  }

  add(interest: Interest, deliver: Deliver): FanoutEntry {
    let topics = topicsOf(interest);
    for (const topic of topics) this.join(topic, deliver);
    return {
      change: (next) => {
        for (const topic of topics) this.leave(topic, deliver);
        topics = topicsOf(next);
        for (const topic of topics) this.join(topic, deliver);
      },
      remove: () => {
        for (const topic of topics) this.leave(topic, deliver);
        topics = [];
      },
    };
  }

  close(): void {
    this.unsubscribe();
    this.byTopic.clear();
  }

  private join(topic: string, deliver: Deliver): void {
    let readers = this.byTopic.get(topic);
    if (!readers) this.byTopic.set(topic, (readers = new Set()));
    readers.add(deliver);
  }

  private leave(topic: string, deliver: Deliver): void {
    const readers = this.byTopic.get(topic);
    readers?.delete(deliver);
    if (readers?.size === 0) this.byTopic.delete(topic);
  }
}

/** What a session hears of: every list, and the resources it subscribed to. */
export function interestOf({ subscriptions }: SessionRecord): Interest {
  return { kinds: new Set(LISTS), uris: new Set(subscriptions) };
}

/** Whether a change is one that a stream wants to hear of. */
export function concerns(interest: Interest, change: Change): boolean {
  return change.kind === 'resource' ? interest.uris.has(change.uri) : interest.kinds.has(change.kind);
}

function topicOf(change: Change): string {
  return change.kind === 'resource' ? `resource ${change.uri}` : change.kind;
}

function topicsOf({ kinds, uris }: Interest): string[] {
  return [...kinds, ...[...uris].map((uri) => `resource ${uri}`)];
}
