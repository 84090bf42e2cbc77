import { McpError } from '../../protocol/errors.js';
import type { SessionRecord } from '../session-record.js';
import type { ReplicaLink } from './replica-link.js';
import { DUE, ENDING, RESERVE } from './session-scripts.js';

export interface SessionIndexOptions {
  readonly maxSessions: number;
  readonly maxSessionsPerOwner: number;
  /** An owner that is bound by `maxSessions` alone. */
  readonly uncappedOwner: string | undefined;
  /** What every script begins its arguments with: clock, idleMs, absoluteMs. */
  readonly times: () => readonly (string | number)[];
}

/** One of the sorted sets that count sessions. */
interface CountedSet {
  readonly key: string;
  readonly cap: number;
  /** Whose sessions it counts; '' for everyone's. */
  readonly owner: string;
}

/**
 * Keeps the caps on sessions, on all replicas together. A session is counted before it is made and forgotten after it
 * is deleted. One that expires is found when there is no room, or by a sweep; entering a session costs nothing here.
 */
export class SessionIndex {
  readonly #link: ReplicaLink;
  readonly #options: SessionIndexOptions;

  constructor(link: ReplicaLink, options: SessionIndexOptions) {
    this.#link = link;
    this.#options = options;
    link.onSweep(() => this.#purge());
  }

  /** Sessions that are counted. @throws McpError `UNAVAILABLE` */
  count(): Promise<number> {
    return this.#link.send((client) => client.zcard(this.#link.keys.sessions), 'zcard');
  }

  /**
   * Makes a session if there is room for it.
   * @throws McpError `UNAVAILABLE` when there is none
   */
  async admit(record: SessionRecord, make: () => Promise<void>): Promise<void> {
    const reserved: string[] = [];
    try {
      for (const set of this.#setsOf(record.owner)) if (await this.#reserve(set, record)) reserved.push(set.key);
      await make();
    } catch (error) {
      await this.#forget(reserved, record.id);
      throw error;
    }
  }

  /** Forgets a session that is gone. Never rejects: what cannot be forgotten now is found later. */
  async remove(sessionId: string, owner: string): Promise<void> {
    await this.#forget([this.#link.keys.sessionsOf(owner), this.#link.keys.sessions], sessionId);
  }

  /** The owner's own comes first: whoever has too many takes up no room of the others, not even for a moment. */
  #setsOf(owner: string): CountedSet[] {
    const { maxSessions, maxSessionsPerOwner, uncappedOwner } = this.#options;
    const all = { key: this.#link.keys.sessions, cap: maxSessions, owner: '' };
    if (owner === uncappedOwner) return [all];
    return [{ key: this.#link.keys.sessionsOf(owner), cap: maxSessionsPerOwner, owner }, all];
  }

  /** @returns false if the session was counted before, and so is not to be forgotten if it cannot be made */
  async #reserve(set: CountedSet, { id, createdAt }: SessionRecord): Promise<boolean> {
    const looked = new Set<string>();
    for (;;) {
      const args = [...this.#options.times(), id, createdAt, set.cap];
      const answer = (await this.#link.run(RESERVE, [set.key], args)) as number | string[];
      if (typeof answer === 'number') return answer === 1;

      const candidates = answer.filter((candidate) => !looked.has(candidate));
      if (candidates.length === 0) {
        throw new McpError(
          'UNAVAILABLE',
          'Too many sessions are open. Delete one that is not needed, or try again later.',
        );
      }
      for (const candidate of candidates) looked.add(candidate);
      await this.#review(set, candidates);
    }
  }

  /** Forgets those of the sessions that have ended, and notes of the others when to look again. */
  async #review({ key, owner }: Pick<CountedSet, 'key' | 'owner'>, candidates: readonly string[]): Promise<void> {
    const { keys } = this.#link;
    const ended: string[] = [];
    const living: (string | number)[] = [];
    // All at once: the client sends them together.
    await Promise.all(
      candidates.map(async (id) => {
        const endsAt = (await this.#link.run(ENDING, [keys.session(id)], [...this.#options.times(), owner])) as number;
        if (endsAt === 0) ended.push(id);
        else living.push(endsAt, id);
      }),
    );
    if (ended.length > 0) await this.#link.send((client) => client.zrem(key, ...ended), 'zrem');
    if (living.length > 0) await this.#link.send((client) => client.zadd(key, 'XX', ...living), 'zadd');
  }

  /** Looks at some sessions that may have ended. Sets of owners are left to the owners: they lapse, and are capped. */
  async #purge(): Promise<void> {
    const { sessions } = this.#link.keys;
    const [clock = ''] = this.#options.times();
    const candidates = (await this.#link.run(DUE, [sessions], [clock])) as string[];
    await this.#review({ key: sessions, owner: '' }, candidates);
  }

  async #forget(sets: readonly string[], sessionId: string): Promise<void> {
    const removals = sets.map((key) => this.#link.send((client) => client.zrem(key, sessionId), 'zrem'));
    await Promise.allSettled(removals);
  }
}
