import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionChange, SessionRecord } from '../../src/mcp/session/session-record.js';
import type { SessionStore } from '../../src/mcp/session/session-store.port.js';
import { eventually } from '../support/eventually.js';

export interface SessionStoreLimits {
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly maxSessions: number;
  readonly maxSessionsPerOwner: number;
  readonly maxSubscriptions: number;
}

/** Two replicas over one backend (the same object twice where the adapter is process-local), and their clock. */
export interface SessionStoreHarness {
  readonly store: SessionStore;
  readonly peer: SessionStore;
  /** Epoch milliseconds by the clock of the stores. */
  now(): number;
  /** Moves that clock on. */
  advance(ms: number): void | Promise<void>;
  close(): void | Promise<void>;
}

/** Clocks move by whole seconds here, and so never stop at the very millisecond of an expiry. */
const LIMITS: SessionStoreLimits = {
  idleMs: 10_001,
  absoluteMs: 35_001,
  maxSessions: 5,
  maxSessionsPerOwner: 3,
  maxSubscriptions: 3,
};

function sessionRecord(fields: Partial<SessionRecord> & Pick<SessionRecord, 'createdAt'>): SessionRecord {
  return {
    id: 's1',
    owner: 'ada',
    revision: '2025-11-25',
    clientInfo: { name: 'client', version: '1' },
    clientCapabilities: { elicitation: {} },
    logLevel: undefined,
    subscriptions: [],
    seen: 'c0',
    ...fields,
  };
}

/** The behaviour of every adapter of the port. Watchers may be told at once or later, so tests wait for it. */
export function describeSessionStore(
  name: string,
  factory: (limits: SessionStoreLimits) => Promise<SessionStoreHarness>,
): void {
  describe(`SessionStore: ${name}`, () => {
    let harness: SessionStoreHarness;
    let store: SessionStore;
    let peer: SessionStore;

    beforeEach(async () => {
      harness = await factory(LIMITS);
      ({ store, peer } = harness);
    });
    afterEach(() => harness.close());

    const create = (fields: Partial<SessionRecord> = {}): Promise<void> =>
      store.create(sessionRecord({ createdAt: harness.now(), ...fields }));

    const recordOf = async (id = 's1'): Promise<SessionRecord> => {
      const entry = await peer.enter(id, 'ada');
      if (entry.status !== 'ok') throw new Error(`session ${id} is ${entry.status}`);
      return entry.record;
    };

    describe('enter', () => {
      it('loads on any replica what was created on another', async () => {
        await create({ createdAt: harness.now(), subscriptions: ['a://1'] });

        expect(await peer.enter('s1', 'ada')).toEqual({
          status: 'ok',
          record: {
            id: 's1',
            owner: 'ada',
            revision: '2025-11-25',
            clientInfo: { name: 'client', version: '1' },
            clientCapabilities: { elicitation: {} },
            logLevel: undefined,
            subscriptions: ['a://1'],
            seen: 'c0',
            createdAt: harness.now(),
          },
        });
      });

      it('does not know a session that was never created', async () => {
        expect(await store.enter('s1', 'ada')).toEqual({ status: 'unknown' });
      });

      it('does not know the session of another owner', async () => {
        await create();
        expect(await store.enter('s1', 'eve')).toEqual({ status: 'unknown' });
      });

      it('marks no request of another owner as running', async () => {
        await create();
        await store.enter('s1', 'eve', 1);
        expect(await store.enter('s1', 'ada', 1)).toMatchObject({ status: 'ok' });
      });

      it('refuses a request id that is running on another replica', async () => {
        await create();
        await store.enter('s1', 'ada', 7);
        expect(await peer.enter('s1', 'ada', 7)).toEqual({ status: 'in-flight' });
      });

      it('lets one of two callers in that come at once', async () => {
        await create();
        const entries = await Promise.all([store.enter('s1', 'ada', 7), peer.enter('s1', 'ada', 7)]);
        expect(entries.map(({ status }) => status).sort()).toEqual(['in-flight', 'ok']);
      });

      it('takes 1 and "1" for two ids', async () => {
        await create();
        await store.enter('s1', 'ada', 1);
        expect(await store.enter('s1', 'ada', '1')).toMatchObject({ status: 'ok' });
      });

      it('takes the same id on two sessions for two requests', async () => {
        await create();
        await create({ id: 's2' });
        await store.enter('s1', 'ada', 1);
        expect(await store.enter('s2', 'ada', 1)).toMatchObject({ status: 'ok' });
      });

      it('lets any number in that name no request', async () => {
        await create();
        await store.enter('s1', 'ada');
        expect(await store.enter('s1', 'ada')).toMatchObject({ status: 'ok' });
      });
    });

    describe('leave', () => {
      it('frees the request id on every replica', async () => {
        await create();
        await store.enter('s1', 'ada', 1);
        await peer.leave('s1', 1);
        expect(await store.enter('s1', 'ada', 1)).toMatchObject({ status: 'ok' });
      });

      it('leaves "1" running when 1 has finished', async () => {
        await create();
        await store.enter('s1', 'ada', 1);
        await store.enter('s1', 'ada', '1');
        await store.leave('s1', 1);
        expect(await store.enter('s1', 'ada', '1')).toEqual({ status: 'in-flight' });
      });

      it('does nothing for a session or a request that is gone', async () => {
        await create();
        await store.leave('s1', 1);
        await store.delete('s1');
        await store.leave('s1', 1);
        expect(await store.enter('s1', 'ada')).toEqual({ status: 'unknown' });
      });
    });

    describe('update', () => {
      it('changes the log level', async () => {
        await create();
        expect(await store.update('s1', { logLevel: 'warning' })).toBe(true);
        expect((await recordOf()).logLevel).toBe('warning');
      });

      it('changes what was seen', async () => {
        await create();
        expect(await store.update('s1', { seen: 'c9' })).toBe(true);
        expect((await recordOf()).seen).toBe('c9');
      });

      it('adds a subscription once, however often it is asked for', async () => {
        await create();
        for (const uri of ['a://1', 'a://2', 'a://1']) await store.update('s1', { subscribe: uri });
        expect([...(await recordOf()).subscriptions].sort()).toEqual(['a://1', 'a://2']);
      });

      it('removes a subscription, and nothing if there is none', async () => {
        await create({ subscriptions: ['a://1', 'a://2'] });
        expect(await store.update('s1', { unsubscribe: 'a://1' })).toBe(true);
        expect(await store.update('s1', { unsubscribe: 'a://3' })).toBe(true);
        expect((await recordOf()).subscriptions).toEqual(['a://2']);
      });

      it('goes to another owner, once, and is not found by the former one any more', async () => {
        await create();
        const heard = vi.fn();
        await store.watch('s1', heard);

        const taken = [
          await peer.update('s1', { owner: 'bob', from: 'eve' }),
          await peer.update('s1', { owner: 'bob', from: 'ada' }),
          await peer.update('s1', { owner: 'eve', from: 'ada' }),
        ];

        expect(taken).toEqual([false, true, false]);
        expect(await store.enter('s1', 'ada')).toEqual({ status: 'unknown' });
        expect(await store.enter('s1', 'bob')).toMatchObject({ status: 'ok', record: { owner: 'bob' } });
        await eventually(() => expect(heard.mock.lastCall?.[0]).toMatchObject({ owner: 'bob' }));
      });

      it('loses none of the changes that come at once', async () => {
        await create();
        await Promise.all([
          store.update('s1', { subscribe: 'a://1' }),
          peer.update('s1', { subscribe: 'a://2' }),
          store.update('s1', { logLevel: 'debug' }),
          peer.update('s1', { seen: 'c3' }),
        ]);
        const { subscriptions, logLevel, seen } = await recordOf();
        expect([[...subscriptions].sort(), logLevel, seen]).toEqual([['a://1', 'a://2'], 'debug', 'c3']);
      });

      it('refuses a subscription above the cap, but not one that exists', async () => {
        await create({ subscriptions: ['a://1', 'a://2', 'a://3'] });
        await expect(store.update('s1', { subscribe: 'a://4' })).rejects.toMatchObject({ reason: 'INVALID_PARAMS' });
        expect(await store.update('s1', { subscribe: 'a://3' })).toBe(true);
      });

      it('leaves a record alone that was handed out before', async () => {
        await create();
        const before = await recordOf();
        await store.update('s1', { subscribe: 'a://1' });
        expect(before.subscriptions).toEqual([]);
      });

      it('reports a session that is gone', async () => {
        await create();
        await store.delete('s1');
        expect(await store.update('s1', { seen: 'c9' })).toBe(false);
      });

      it('does not renew the idle expiry', async () => {
        await create();
        await harness.advance(6_000);
        await store.update('s1', { seen: 'c9' });
        await harness.advance(6_000);
        expect(await store.enter('s1', 'ada')).toEqual({ status: 'unknown' });
      });
    });

    describe('watch', () => {
      /** What was seen last in each record that the watcher was told of. */
      const watching = async (id = 's1'): Promise<{ readonly seen: string[]; stop(): void }> => {
        const seen: string[] = [];
        const stop = await store.watch(id, (record) => seen.push(record.seen));
        return { seen, stop };
      };

      it('hears of each change made on any replica, with the record as it is then', async () => {
        await create();
        const { seen } = await watching();
        await peer.update('s1', { seen: 'c1' });
        await eventually(() => expect(seen).toEqual(['c1']));
        await store.update('s1', { seen: 'c2' });
        await eventually(() => expect(seen).toEqual(['c1', 'c2']));
      });

      it('hears the whole record', async () => {
        await create({ subscriptions: ['a://1'] });
        const records: SessionRecord[] = [];
        await store.watch('s1', (record) => records.push(record));
        await peer.update('s1', { subscribe: 'a://2' });
        await eventually(() => expect(records).toMatchObject([{ id: 's1', owner: 'ada', seen: 'c0' }]));
        expect([...records[0]!.subscriptions].sort()).toEqual(['a://1', 'a://2']);
      });

      it('hears nothing of other sessions', async () => {
        await create();
        await create({ id: 's2' });
        const [{ seen }, other] = [await watching(), await watching('s2')];
        await peer.update('s2', { seen: 'c1' });
        await eventually(() => expect(other.seen).toEqual(['c1']));
        expect(seen).toEqual([]);
      });

      it('hears nothing once it has stopped, and may stop twice', async () => {
        await create();
        const [gone, barrier] = [await watching(), await watching()];
        gone.stop();
        gone.stop();
        await peer.update('s1', { seen: 'c1' });
        await eventually(() => expect(barrier.seen).toEqual(['c1']));
        expect(gone.seen).toEqual([]);
      });

      it('is one watch each time, even by the same function', async () => {
        await create();
        const seen: string[] = [];
        const changed = (record: SessionRecord): void => void seen.push(record.seen);
        const stop = await store.watch('s1', changed);
        await store.watch('s1', changed);
        stop();
        await peer.update('s1', { seen: 'c1' });
        await eventually(() => expect(seen).toEqual(['c1']));
      });

      it('is not harmed by another watcher that throws', async () => {
        await create();
        await store.watch('s1', () => {
          throw new Error('watcher failed');
        });
        const { seen } = await watching();
        expect(await peer.update('s1', { seen: 'c1' })).toBe(true);
        await eventually(() => expect(seen).toEqual(['c1']));
      });

      it('is harmless for a session that is gone', async () => {
        const { seen, stop } = await watching();
        stop();
        expect(seen).toEqual([]);
      });

      it('does not carry over to a session made anew', async () => {
        await create();
        const former = await watching();
        await store.delete('s1');
        await create();
        const { seen } = await watching();
        await peer.update('s1', { seen: 'c1' });
        await eventually(() => expect(seen).toEqual(['c1']));
        expect(former.seen).toEqual([]);
      });
    });

    describe('delete', () => {
      it('removes the session on every replica', async () => {
        await create();
        expect(await store.delete('s1')).toBe(true);
        expect(await peer.enter('s1', 'ada')).toEqual({ status: 'unknown' });
      });

      it('reports a session that was gone', async () => {
        await create();
        await store.delete('s1');
        expect(await peer.delete('s1')).toBe(false);
      });

      it('forgets what was running, so that a session made anew starts clean', async () => {
        await create();
        await store.enter('s1', 'ada', 1);
        await store.delete('s1');
        await create();
        expect(await store.enter('s1', 'ada', 1)).toMatchObject({ status: 'ok' });
      });
    });

    describe('expiry', () => {
      it('ends a session that was idle for too long', async () => {
        await create();
        await harness.advance(11_000);
        expect(await store.enter('s1', 'ada')).toEqual({ status: 'unknown' });
      });

      it('starts the idle time anew with each entry, even of a request that is in flight', async () => {
        await create();
        await store.enter('s1', 'ada', 1);
        await harness.advance(9_000);
        await peer.enter('s1', 'ada');
        await harness.advance(9_000);
        await peer.enter('s1', 'ada', 1);
        await harness.advance(9_000);
        expect(await store.enter('s1', 'ada')).toMatchObject({ status: 'ok' });
      });

      it('is not put off by the tries of another owner', async () => {
        await create();
        await harness.advance(6_000);
        await store.enter('s1', 'eve');
        await harness.advance(6_000);
        expect(await store.enter('s1', 'ada')).toEqual({ status: 'unknown' });
      });

      it('ends a session of a certain age, however busy', async () => {
        await create();
        for (let second = 5; second <= 35; second += 5) {
          await harness.advance(5_000);
          expect(await store.enter('s1', 'ada')).toMatchObject({ status: 'ok' });
        }
        await harness.advance(1_000);
        expect(await store.enter('s1', 'ada')).toEqual({ status: 'unknown' });
      });

      it('leaves nothing to update or delete', async () => {
        await create();
        await harness.advance(11_000);
        expect(await store.update('s1', { seen: 'c9' })).toBe(false);
        expect(await store.delete('s1')).toBe(false);
      });
    });

    describe('caps', () => {
      it('refuses an id that is taken, and keeps the session that has it', async () => {
        await create({ seen: 'first' });
        await expect(create({ seen: 'second' })).rejects.toThrow();
        expect((await recordOf()).seen).toBe('first');
      });

      it('refuses one session too many of an owner, not of the others', async () => {
        for (const id of ['s1', 's2', 's3']) await create({ id });
        await expect(create({ id: 's4' })).rejects.toMatchObject({ reason: 'UNAVAILABLE', status: 503 });
        await expect(create({ id: 's4', owner: 'bob' })).resolves.toBeUndefined();
      });

      it('refuses one session too many in all', async () => {
        for (const id of ['s1', 's2', 's3']) await create({ id });
        for (const id of ['s4', 's5']) await create({ id, owner: 'bob' });
        await expect(create({ id: 's6', owner: 'cy' })).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
      });

      it('has room again once a session is deleted', async () => {
        for (const id of ['s1', 's2', 's3']) await create({ id });
        await store.delete('s2');
        await expect(create({ id: 's4' })).resolves.toBeUndefined();
      });

      it('has room again once a session has expired', async () => {
        for (const id of ['s1', 's2', 's3']) await create({ id });
        await harness.advance(11_000);
        await expect(create({ id: 's4' })).resolves.toBeUndefined();
      });
    });

    it('behaves like a simple model under any sequence of calls', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(commands, { maxLength: 60 }), async (sequence) => {
          const fresh = await factory(LIMITS);
          const model = new SessionStoreModel(LIMITS);
          let now = fresh.now();
          try {
            for (const [index, command] of sequence.entries()) {
              const target = index % 2 === 0 ? fresh.store : fresh.peer;
              if (command.do === 'advance') {
                await fresh.advance(command.ms);
                now += command.ms;
              } else {
                expect(await outcomeOf(target, command, now)).toEqual(model.outcomeOf(command, now));
              }
            }
          } finally {
            await fresh.close();
          }
        }),
        { numRuns: 150 },
      );
    });
  });
}

type Command =
  | { do: 'create'; id: string; owner: string }
  | { do: 'enter'; id: string; owner: string; requestId: string | number | undefined }
  | { do: 'leave'; id: string; requestId: string | number }
  | { do: 'update'; id: string; change: SessionChange }
  | { do: 'delete'; id: string };

const ids = fc.constantFrom('s1', 's2', 's3', 's4', 's5', 's6', 's7');
const owners = fc.constantFrom('ada', 'ada', 'ada', 'bob');
const requestIds = fc.constantFrom<string | number>(1, '1', 2);
const uris = fc.constantFrom('a://1', 'a://2', 'a://3', 'a://4');
const changes: fc.Arbitrary<SessionChange> = fc.oneof(
  uris.map((subscribe) => ({ subscribe })),
  uris.map((unsubscribe) => ({ unsubscribe })),
  fc.constantFrom('c1', 'c2').map((seen) => ({ seen })),
  fc.constantFrom('debug' as const, 'error' as const).map((logLevel) => ({ logLevel })),
);
const commands: fc.Arbitrary<Command | { do: 'advance'; ms: number }> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), id: ids, owner: owners }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('enter' as const),
      id: ids,
      owner: owners,
      requestId: fc.option(requestIds, { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), id: ids, requestId: requestIds }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('update' as const), id: ids, change: changes }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), id: ids }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1_000, 4_000, 9_000) }),
  },
);

/** What a call comes to, in a form that the model can give too. */
async function outcomeOf(store: SessionStore, command: Command, now: number): Promise<unknown> {
  switch (command.do) {
    case 'create':
      return store.create(sessionRecord({ id: command.id, owner: command.owner, createdAt: now })).then(
        () => 'created',
        () => 'refused',
      );
    case 'enter': {
      const entry = await store.enter(command.id, command.owner, command.requestId);
      if (entry.status !== 'ok') return entry.status;
      const { subscriptions, seen, logLevel } = entry.record;
      return [[...subscriptions].sort(), seen, logLevel];
    }
    case 'leave':
      return store.leave(command.id, command.requestId);
    case 'update':
      return store.update(command.id, command.change).catch(() => 'refused');
    case 'delete':
      return store.delete(command.id);
  }
}

interface ModelSession {
  readonly owner: string;
  readonly createdAt: number;
  enteredAt: number;
  readonly running: Set<string | number>;
  readonly subscriptions: Set<string>;
  seen: string;
  logLevel: string | undefined;
}

class SessionStoreModel {
  private sessions = new Map<string, ModelSession>();

  constructor(private readonly limits: SessionStoreLimits) {}

  outcomeOf(command: Command, now: number): unknown {
    const { idleMs, absoluteMs, maxSessions, maxSessionsPerOwner } = this.limits;
    this.sessions = new Map(
      [...this.sessions].filter(([, s]) => now < s.enteredAt + idleMs && now < s.createdAt + absoluteMs),
    );
    const session = this.sessions.get(command.id);
    switch (command.do) {
      case 'create': {
        const own = [...this.sessions.values()].filter(({ owner }) => owner === command.owner).length;
        if (session || this.sessions.size >= maxSessions || own >= maxSessionsPerOwner) return 'refused';
        this.sessions.set(command.id, {
          owner: command.owner,
          createdAt: now,
          enteredAt: now,
          running: new Set(),
          subscriptions: new Set(),
          seen: 'c0',
          logLevel: undefined,
        });
        return 'created';
      }
      case 'enter':
        if (session?.owner !== command.owner) return 'unknown';
        session.enteredAt = now;
        if (command.requestId !== undefined && session.running.has(command.requestId)) return 'in-flight';
        if (command.requestId !== undefined) session.running.add(command.requestId);
        return [[...session.subscriptions].sort(), session.seen, session.logLevel];
      case 'leave':
        session?.running.delete(command.requestId);
        return undefined;
      case 'update':
        return session ? this.updated(session, command.change) : false;
      case 'delete':
        return this.sessions.delete(command.id);
    }
  }

  private updated(session: ModelSession, change: SessionChange): unknown {
    if ('seen' in change) session.seen = change.seen;
    if ('logLevel' in change) session.logLevel = change.logLevel;
    if ('unsubscribe' in change) session.subscriptions.delete(change.unsubscribe);
    if ('subscribe' in change) {
      const known = session.subscriptions.has(change.subscribe);
      if (!known && session.subscriptions.size >= this.limits.maxSubscriptions) return 'refused';
      session.subscriptions.add(change.subscribe);
    }
    return true;
  }
}
