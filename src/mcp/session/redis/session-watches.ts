import type { SessionRecord } from '../session-record.js';
import type { RecordWatcher } from '../session-store.port.js';
import { notify, type ListenerErrorHandler } from '../notify.js';
import { inBatches } from './in-batches.js';
import type { ReplicaLink } from './replica-link.js';
import { WATCH } from './session-scripts.js';
import { type StoredFields, recordOf } from './stored-session.js';

/** Messages to this replica and replies to its commands take different ways; they may be so far apart. */
const SKEW_MS = 50;

interface Watcher {
  /** The one session of this id that it watches. */
  readonly epoch: string;
  readonly changed: RecordWatcher;
  /** What it knows of the record, in a form that can be compared. */
  known: string;
}

/** What this replica watches of one session id. */
interface Watched {
  readonly sessionId: string;
  readonly watchers: Set<Watcher>;
  /** The watchers, and those that are about to be. */
  users: number;
  loading: Promise<void> | undefined;
  /** Something may have happened since what is being loaded was read. */
  stale: boolean;
  /** Epoch milliseconds of the first word of what has not been read yet. */
  heardAt: number | undefined;
}

interface Loaded {
  readonly epoch: string;
  readonly record: SessionRecord;
  readonly known: string;
}

export interface SessionWatchesOptions {
  /** What every script begins its arguments with: clock, idleMs, absoluteMs. */
  readonly times: () => readonly (string | number)[];
  readonly onListenerError: ListenerErrorHandler;
}

/**
 * The watches that this replica has on sessions. A message says that a record has changed; what it has become is then
 * read, so that messages may be late, or lost until the next sweep, without harm.
 */
export class SessionWatches {
  readonly #link: ReplicaLink;
  readonly #options: SessionWatchesOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(link: ReplicaLink, options: SessionWatchesOptions) {
    this.#link = link;
    this.#options = options;
    link.on('record', ([sessionId = '']) => this.#hear(sessionId));
    link.on('gone', ([sessionId = '', epoch = '']) => this.#end(sessionId, epoch));
    link.onSweep(() => inBatches([...this.#watched.values()], (watched) => this.#reload(watched)));
  }

  /** @returns the function that stops it */
  async watch(sessionId: string, changed: RecordWatcher): Promise<() => void> {
    const watched = this.#use(sessionId);
    let loaded: Loaded | undefined;
    try {
      loaded = await this.#load(sessionId);
    } finally {
      if (!loaded) this.#leave(watched);
    }
    if (!loaded) return () => undefined;

    const watcher: Watcher = { epoch: loaded.epoch, changed, known: loaded.known };
    watched.watchers.add(watcher);
    return () => this.#drop(watched, watcher);
  }

  #use(sessionId: string): Watched {
    const watched = this.#watched.get(sessionId) ?? newWatched(sessionId);
    watched.users += 1;
    this.#watched.set(sessionId, watched);
    return watched;
  }

  #drop(watched: Watched, watcher: Watcher): void {
    if (watched.watchers.delete(watcher)) this.#leave(watched);
  }

  #leave(watched: Watched): void {
    watched.users -= 1;
    if (watched.users > 0) return;
    this.#watched.delete(watched.sessionId);
    this.#tellNoMore(watched.sessionId);
  }

  #hear(sessionId: string): void {
    const watched = this.#watched.get(sessionId);
    // The last time that Redis was told so, it may have been away.
    if (!watched) return this.#tellNoMore(sessionId);
    watched.heardAt ??= Date.now();
    // If it cannot be read now, a sweep will do it.
    this.#reload(watched).catch(() => undefined);
  }

  #tellNoMore(sessionId: string): void {
    const { id, keys } = this.#link;
    this.#link.send((client) => client.hdel(keys.watchers(sessionId), id), 'hdel').catch(() => undefined);
  }

  #end(sessionId: string, epoch: string): void {
    const watched = this.#watched.get(sessionId);
    if (!watched) return;
    for (const watcher of watched.watchers) if (watcher.epoch === epoch) this.#drop(watched, watcher);
  }

  /** Reads the record and tells the watchers. One at a time, so that none hears of an older record after a newer one. */
  async #reload(watched: Watched): Promise<void> {
    watched.stale = true;
    await (watched.loading ??= this.#reloadWhileStale(watched));
  }

  async #reloadWhileStale(watched: Watched): Promise<void> {
    try {
      while (watched.stale) {
        watched.stale = false;
        const since = watched.heardAt === undefined ? -Infinity : watched.heardAt - SKEW_MS;
        watched.heardAt = undefined;
        const loaded = await this.#load(watched.sessionId);
        for (const watcher of watched.watchers) this.#tell(watched, watcher, loaded && { ...loaded, since });
      }
    } finally {
      // At once: whoever comes now must not take this for a load that is still to look.
      watched.loading = undefined;
    }
  }

  #tell(watched: Watched, watcher: Watcher, loaded: (Loaded & { readonly since: number }) | undefined): void {
    if (watcher.epoch !== loaded?.epoch) return this.#drop(watched, watcher);
    if (watcher.known === loaded.known) return;
    watcher.known = loaded.known;
    notify(() => watcher.changed(loaded.record, loaded.since), this.#options.onListenerError);
  }

  /** Also has Redis tell this replica of changes. */
  async #load(sessionId: string): Promise<Loaded | undefined> {
    const { id, keys } = this.#link;
    const answer = (await this.#link.run(WATCH, [keys.session(sessionId)], [...this.#options.times(), id])) as
      [epoch: string, owner: string, ...StoredFields] | null;
    if (!answer) return undefined;
    const [epoch, owner, ...fields] = answer;
    const record = recordOf({ id: sessionId, owner }, fields);
    const known = JSON.stringify({ ...record, subscriptions: record.subscriptions.toSorted() });
    return { epoch, record, known };
  }
}

function newWatched(sessionId: string): Watched {
  return { sessionId, watchers: new Set(), users: 0, loading: undefined, stale: false, heardAt: undefined };
}
