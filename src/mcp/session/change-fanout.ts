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

/** Hears of a change that it asked for. */
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
  private readonly byTopic = new Map<string, Readers>();
  private readonly entries = new Set<Entry>();
  private readonly unsubscribe: () => void;

  constructor(bus: ChangeBus) {
    // Copies: a stream that ends while it is told must not disturb the others.
    this.unsubscribe = bus.subscribe(
      (change) => {
        this.recent.push({ at: Date.now(), change });
        if (this.recent.length > RECENT) this.recent.shift();
        const readers = this.byTopic.get(topicOf(change.change));
        if (readers instanceof Entry) readers.deliver(change);
        else if (readers) for (const entry of [...readers]) entry.deliver(change);
      },
      (cursor) => {
        for (const entry of [...this.entries]) if (this.entries.has(entry)) entry.hearOfLoss(cursor);
      },
    );
  }

  /**
   * @param lost hears that changes were lost on their way here: any the entry is interested in may have been. Default:
   *   each of them is delivered.
   */
  add(interest: Interest, deliver: Deliver, lost?: Lost): FanoutEntry {
    const entry = new Entry(this, interest, deliver, lost);
    this.entries.add(entry);
    this.join(entry);
    return entry;
  }

  /** @internal */
  change(entry: Entry, interest: Interest): void {
    this.leave(entry);
    entry.interest = interest;
    if (this.entries.has(entry)) this.join(entry);
  }

  /** @internal */
  remove(entry: Entry): void {
    this.leave(entry);
    this.entries.delete(entry);
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
    this.entries.clear();
  }

  private join(entry: Entry): void {
    for (const topic of topicsOf(entry.interest)) {
      const readers = this.byTopic.get(topic);
      if (readers instanceof Set) readers.add(entry);
      else this.byTopic.set(topic, readers ? new Set([readers, entry]) : entry);
    }
  }

  private leave(entry: Entry): void {
    for (const topic of topicsOf(entry.interest)) {
      const readers = this.byTopic.get(topic);
      if (readers instanceof Set) readers.delete(entry);
      if (readers === entry || (readers instanceof Set && readers.size === 0)) this.byTopic.delete(topic);
    }
  }
}

/** One stream. A class, since a replica may hold thousands, and closures of their own cost more than all else here. */
class Entry implements FanoutEntry {
  constructor(
    private readonly fanout: ChangeFanout,
    public interest: Interest,
    readonly deliver: Deliver,
    private readonly lost: Lost | undefined,
  ) {}

  change(interest: Interest): void {
    this.fanout.change(this, interest);
  }

  remove(): void {
    this.fanout.remove(this);
  }

  hearOfLoss(cursor: string): void {
    if (this.lost) this.lost(cursor);
    else for (const change of changesOf(this.interest)) this.deliver({ cursor, change });
  }
}

/** Those who asked for the same. Most resources have one reader, who needs no set. */
type Readers = Entry | Set<Entry>;

const ALL_LISTS: ReadonlySet<ListKind> = new Set(LISTS);
const NO_URIS: ReadonlySet<string> = new Set();

/** What a session hears of: every list, and the resources it subscribed to. */
export function interestOf({ subscriptions }: SessionRecord): Interest {
  return { kinds: ALL_LISTS, uris: subscriptions.length === 0 ? NO_URIS : new Set(subscriptions) };
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
  return change.kind === 'resource' ? topicOfResource(change.uri) : change.kind;
}

function topicsOf({ kinds, uris }: Interest): string[] {
  return [...kinds, ...[...uris].map(topicOfResource)];
}

function topicOfResource(uri: string): string {
  return `resource ${uri}`;
}
