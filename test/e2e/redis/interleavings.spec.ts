import fc from 'fast-check';
import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Attachment, AttachmentListener, EventLog } from '../../../src/mcp/session/event-log.port.js';
import { RedisEventLog } from '../../../src/mcp/session/redis/redis-event-log.js';
import { RedisMailbox } from '../../../src/mcp/session/redis/redis-mailbox.js';
import { RedisSessionStore } from '../../../src/mcp/session/redis/redis-session-store.js';
import { eventually } from '../../support/eventually.js';
import { type TestReplicas, testReplicas } from '../../support/redis/test-replicas.js';

/*
 * Random interleavings of append, attach, drop, resume, cancel, delete and expiry over two replicas, against a model
 * that knows what was said and in which order. The commands of one step run at the same time. As the specification
 * has it, a client uses an id for one request of a session, and cancels what it has requested.
 */

const url = inject('redisUrl') ?? '';
const LIMITS = { maxEvents: 6, retentionMs: 600_000 };
const IDLE_MS = 100_000;
const OWNER = 'ada';
const STREAMS = ['a', 'b', 'c'] as const;
/** Calls that a client has at a time; each has an id of its own. */
const SLOTS = [0, 1] as const;

type StreamId = (typeof STREAMS)[number];
type Slot = (typeof SLOTS)[number];
type ReplicaIndex = 0 | 1;

type Command =
  | { do: 'append'; stream: StreamId }
  | { do: 'attach'; stream: StreamId; at: ReplicaIndex }
  | { do: 'drop'; stream: StreamId }
  | { do: 'call'; slot: Slot; at: ReplicaIndex }
  | { do: 'finish'; slot: Slot }
  | { do: 'cancel'; slot: Slot; at: ReplicaIndex };
type Step = readonly Command[] | 'delete' | 'expire';

const streams = fc.constantFrom(...STREAMS);
const slots = fc.constantFrom<Slot>(...SLOTS);
const at = fc.constantFrom<ReplicaIndex>(0, 1);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), stream: streams }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('attach' as const), stream: streams, at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const), stream: streams }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('call' as const), slot: slots, at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const), slot: slots }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), slot: slots, at }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.array(command, { minLength: 1, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.constant('delete' as const) },
  { weight: 1, arbitrary: fc.constant('expire' as const) },
);

/** A client's connection: reads on whenever it is woken, as the wire does. */
class Connection implements AttachmentListener {
  displacements = 0;
  attachment: Attachment | undefined;
  private reading: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: EventLog,
    private readonly client: StreamClient,
  ) {}

  wake(): void {
    this.reading = this.reading.then(() => this.readOn());
  }

  async displaced(): Promise<void> {
    this.displacements += 1;
    if (this.client.connection === this) this.client.connection = undefined;
    await this.reading;
  }

  private async readOn(): Promise<void> {
    while (this.client.connection === this && !this.client.gap) {
      const read = await this.log.read(this.client.sessionId, this.client.stream, this.client.cursor, 2);
      // What arrives for a connection that has been given up does not reach the client.
      if (this.client.connection !== this) return;
      if (read.status === 'gap') this.client.gap = true;
      if (read.status !== 'ok' || read.events.length === 0) return;
      for (const { cursor, data } of read.events) {
        this.client.cursor = cursor;
        this.client.received.push(Number(data));
      }
    }
  }
}

/** What a client knows of a stream, whatever connections it had. */
class StreamClient {
  readonly received: number[] = [];
  cursor = '';
  gap = false;
  connection: Connection | undefined;

  constructor(
    readonly sessionId: string,
    readonly stream: StreamId,
  ) {}
}

class RunningCall {
  readonly heard: string[] = [];
  cancelled = false;
  unlisten: () => void = () => undefined;

  constructor(
    readonly id: number,
    readonly at: ReplicaIndex,
  ) {}
}

/** One session, as it is and as it should be. */
class Session {
  readonly id = `s${Math.random().toString(36).slice(2)}`;
  readonly clients = new Map(STREAMS.map((stream) => [stream, new StreamClient(this.id, stream)]));
  readonly said = new Map<StreamId, number>(STREAMS.map((stream) => [stream, 0]));
  readonly calls = new Map<Slot, RunningCall>();
  callsMade = 0;
}

class World {
  private time = Date.now();
  private readonly nodes;
  session = new Session();

  constructor(private readonly replicas: TestReplicas) {
    const now = (): number => this.time;
    this.nodes = replicas.links.map((link) => ({
      store: new RedisSessionStore(link, { idleMs: IDLE_MS, now }),
      events: new RedisEventLog(link, { ...LIMITS, now }),
      mailbox: new RedisMailbox(link),
    }));
  }

  private node(index: ReplicaIndex) {
    return this.nodes[index]!;
  }

  async open(): Promise<void> {
    this.session = new Session();
    const { id } = this.session;
    await this.node(0).store.create({
      id,
      owner: OWNER,
      revision: '2025-11-25',
      clientInfo: { name: 'client', version: '1' },
      clientCapabilities: {},
      logLevel: undefined,
      subscriptions: [],
      seen: 'c0',
      createdAt: this.time,
    });
  }

  async run(commands: readonly Command[]): Promise<void> {
    // What one client does to one stream, or to one call, it does in order; all else happens at the same time.
    const lanes = new Map<string, Command[]>();
    for (const each of commands) lanes.set(laneOf(each), [...(lanes.get(laneOf(each)) ?? []), each]);
    await Promise.all(
      [...lanes.values()].map(async (lane) => {
        for (const each of lane) await this.execute(each);
      }),
    );
    await this.settle();
  }

  private async execute(each: Command): Promise<void> {
    const { id, clients, said, calls: running } = this.session;
    switch (each.do) {
      case 'append': {
        const number = (said.get(each.stream) ?? 0) + 1;
        said.set(each.stream, number);
        // A stream has one producer.
        await this.node(each.stream === 'a' ? 0 : 1).events.append(id, each.stream, String(number));
        return;
      }
      case 'attach': {
        const client = clients.get(each.stream)!;
        const { events } = this.node(each.at);
        const connection = new Connection(events, client);
        client.connection = connection;
        connection.attachment = await events.attach(id, each.stream, connection);
        connection.wake();
        return;
      }
      case 'drop': {
        const client = clients.get(each.stream)!;
        const { connection } = client;
        client.connection = undefined;
        connection?.attachment?.detach();
        return;
      }
      case 'call': {
        const { store, mailbox } = this.node(each.at);
        const busy = running.get(each.slot);
        if (busy) {
          expect(await store.enter(id, OWNER, busy.id)).toEqual({ status: 'in-flight' });
          return;
        }
        this.session.callsMade += 1;
        const call = new RunningCall(this.session.callsMade, each.at);
        expect(await store.enter(id, OWNER, call.id)).toMatchObject({ status: 'ok' });
        running.set(each.slot, call);
        call.unlisten = mailbox.listen(id, call.id, {
          cancelled: (reason) => call.heard.push(`cancelled ${reason ?? ''}`),
          ended: () => call.heard.push('ended'),
        });
        return;
      }
      case 'finish': {
        const call = running.get(each.slot);
        if (!call) return;
        running.delete(each.slot);
        call.unlisten();
        await this.node(call.at).store.leave(id, call.id);
        return;
      }
      case 'cancel': {
        const call = running.get(each.slot);
        if (!call) return;
        await this.node(each.at).mailbox.cancel(id, call.id, 'enough');
        call.cancelled = true;
      }
    }
  }

  /** Everything that was said has arrived where it should, once and in order, and nowhere else. */
  private async settle(): Promise<void> {
    const { clients, said, calls: running } = this.session;
    await eventually(() => {
      for (const [stream, client] of clients) {
        const { received, gap, connection } = client;
        expect(received).toEqual(received.map((_number, index) => (received[0] ?? 0) + index));
        if (received.length > 0) expect(received[0]).toBe(1);
        const missed = (said.get(stream) ?? 0) - received.length;
        if (connection && !gap) expect(missed).toBe(0);
        // A gap is reported only where events are gone.
        if (gap) expect(missed).toBeGreaterThan(0);
        if (gap) expect(said.get(stream)).toBeGreaterThan(LIMITS.maxEvents);
      }
      for (const call of running.values()) expect(call.heard).toEqual(call.cancelled ? ['cancelled enough'] : []);
    });
  }

  /** As the wire does it. */
  async delete(): Promise<void> {
    const { session } = this;
    const open = [...session.clients.values()].flatMap(({ connection }) => connection ?? []);
    const { store, mailbox, events } = this.node(1);
    expect(await store.delete(session.id)).toBe(true);
    await mailbox.end(session.id);
    await events.clear(session.id);
    await eventually(() => {
      for (const call of session.calls.values()) expect(call.heard.at(-1)).toBe('ended');
      expect(open.map(({ displacements }) => displacements)).toEqual(open.map(() => 1));
    });
    await this.expectGone(session.id);
    const keys = await this.replicas.redis.keys(`${this.replicas.keyPrefix}?${session.id}?*`);
    expect(keys).toEqual([]);
    await this.open();
  }

  async expire(): Promise<void> {
    const { session } = this;
    this.time += IDLE_MS + 1;
    await this.expectGone(session.id);
    // Whoever holds something of it finds out at the next look.
    for (const link of this.replicas.links) await link.sweep();
    await eventually(() => {
      for (const call of session.calls.values()) expect(call.heard.at(-1)).toBe('ended');
      for (const client of session.clients.values()) expect(client.connection).toBeUndefined();
    });
    await this.open();
  }

  /** Waits for what is still being read. */
  async close(): Promise<void> {
    for (const { connection } of this.session.clients.values()) await connection?.displaced();
  }

  private async expectGone(id: string): Promise<void> {
    for (const { store, events } of this.nodes) {
      expect(await store.enter(id, OWNER)).toEqual({ status: 'unknown' });
      await expect(events.append(id, 'a', 'late')).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
    }
  }
}

function laneOf(each: Command): string {
  if (each.do === 'append') return `append ${each.stream}`;
  return 'stream' in each ? `read ${each.stream}` : `call ${each.slot}`;
}

describe.skipIf(url === '')('two replicas on Redis', () => {
  const opened: TestReplicas[] = [];
  afterAll(async () => {
    for (const replicas of opened) await replicas.close();
  });

  it('say everything once and in order under any interleaving', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 15 }), async (sequence) => {
        const replicas = await testReplicas(url, 2, { sweepMs: 600_000 });
        opened.push(replicas);
        const world = new World(replicas);
        await world.open();
        for (const each of sequence) {
          if (each === 'delete') await world.delete();
          else if (each === 'expire') await world.expire();
          else await world.run(each);
        }
        await world.close();
        await opened.pop()?.close();
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });
});
