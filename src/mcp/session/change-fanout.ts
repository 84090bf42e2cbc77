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

/** Changes that are kept for whoever turns out to have wanted to hear of them. */
const RECENT = 1_000;

/** Hears that anything may have changed, and the position on the bus after that. */
type Lost = (cursor: string) => void;

/**
 * Takes changes from the bus to the streams of this replica that asked for them. Indexed by what was asked for, so
 * that a change costs as much as it has readers, not as much as there are streams.
 */
export class ChangeFanout {
  /** The newest changes, oldest first. */
  private readonly since = Date.now();
  private readonly recent: { readonly at: number; readonly change: LoggedChange }[] = [];
  private readonly byTopic = new Map<string, Set<Deliver>>();
  /** Of every entry, whatever it is interested in; an object each, since two may have the same function. */
  private readonly lossListeners = new Set<{ readonly lost: Lost }>();
  private readonly unsubscribe: () => void;

  constructor(bus: ChangeBus) {
    // Copies: a stream that ends while it is told must not disturb the others.
    this.unsubscribe = bus.subscribe(
      (change) => {
        this.recent.push({ at: Date.now(), change });
        if (this.recent.length > RECENT) this.recent.shift();
        for (const deliver of [...(this.byTopic.get(topicOf(change.change)) ?? [])]) deliver(change);
      },
      (cursor) => {
        for (const listener of [...this.lossListeners]) {
          if (this.lossListeners.has(listener)) listener.lost(cursor);
        }
      },
    );
  }

  /**
   * @param lost hears that changes were lost on their way here: any the entry is interested in may have been. Default:
   *   each of them is delivered.
   */
  add(interest: Interest, deliver: Deliver, lost?: Lost): FanoutEntry {
    let current = interest;
    const deliverAll = (cursor: string): void => changesOf(current).forEach((change) => deliver({ cursor, change }));
    const lossListener = { lost: lost ?? deliverAll };
    this.lossListeners.add(lossListener);
    this.join(current, deliver);
    return {
      change: (next) => {
        this.leave(current, deliver);
        current = next;
        this.join(current, deliver);
      },
      remove: () => {
        this.leave(current, deliver);
        this.lossListeners.delete(lossListener);
      },
    };
  }

  /**
   * What has been heard since a moment, by the clock of this process, oldest first; undefined if not all of that has
   * been kept.
   */
  heardSince(epochMs: number): readonly LoggedChange[] | undefined {
    const [oldest] = this.recent;
    const kept = this.recent.length === RECENT && oldest ? oldest.at : this.since;
    if (epochMs < kept) return undefined;
    return this.recent.filter(({ at }) => at >= epochMs).map(({ change }) => change);
  }

  close(): void {
    this.unsubscribe();
    this.byTopic.clear();
    this.lossListeners.clear();
  }

  private join(interest: Interest, deliver: Deliver): void {
    for (const topic of topicsOf(interest)) {
      let readers = this.byTopic.get(topic);
      if (!readers) this.byTopic.set(topic, (readers = new Set()));
      readers.add(deliver);
    }
  }

  private leave(interest: Interest, deliver: Deliver): void {
    for (const topic of topicsOf(interest)) {
      const readers = this.byTopic.get(topic);
      readers?.delete(deliver);
      if (readers?.size === 0) this.byTopic.delete(topic);
    }
  }
}

/** What a session hears of: every list, and the resources it subscribed to. */
export function interestOf({ subscriptions }: SessionRecord): Interest {
  return { kinds: new Set(LISTS), uris: new Set(subscriptions) };
}

/** One change of each kind that a stream wants to hear of, for when any of them may have happened. */
export function changesOf({ kinds, uris }: Interest): Change[] {
  return [...[...kinds].map((kind) => ({ kind })), ...[...uris].map((uri) => ({ kind: 'resource' as const, uri }))];
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
