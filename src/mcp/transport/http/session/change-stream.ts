import { randomUUID } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { Change, LoggedChange } from '../../../session/change-bus.port.js';
import { type FanoutEntry, type Interest, LISTS, concerns, interestOf } from '../../../session/change-fanout.js';
import type { SessionRecord } from '../../../session/session-record.js';
import { changeNotification } from '../../change-notification.js';
import { notificationFrame } from '../../json-rpc.js';
import { SseResponse } from '../sse-response.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import { CHANGES_STREAM, changeEventId } from './event-id.js';
import { canPrime } from './event-pump.js';

/** How often an open stream renews its session, in milliseconds. */
const STAY_MS = 60_000;

/**
 * The stream that GET opens: changes of lists and of subscribed resources. It holds nothing of its own: it is the
 * change bus, seen through the subscriptions of the session, from where the session saw it last.
 *
 * One connection has it at a time, since a message must not go to two streams; a later one takes it over.
 */
export class ChangeStream {
  private readonly connection = randomUUID();
  private interest: Interest;
  private seen: string;
  /** What came while the past was still being read. */
  private backlog: LoggedChange[] | undefined = [];
  private entry: FanoutEntry | undefined;
  private readonly releases: (() => void)[] = [];
  private closed = false;

  constructor(
    private readonly services: WireServices & SessionServices,
    private readonly record: SessionRecord,
    private readonly sse: SseResponse,
  ) {
    this.seen = record.seen;
    this.interest = interestOf(record);
  }

  /**
   * @param after cursor of the last change the client has seen; undefined if it does not say
   * @throws McpError `UNAVAILABLE` when no further stream can be held
   */
  static async open(
    services: WireServices & SessionServices,
    record: SessionRecord,
    reply: FastifyReply,
    after: string | undefined,
  ): Promise<void> {
    const { options, streams, keepAlive } = services;
    const release = streams.open(() => {
      sse.send({ retry: options.retryMs });
      sse.end();
    });
    const sse = new SseResponse(reply, keepAlive, options);
    const stream = new ChangeStream(services, record, sse);
    stream.releases.push(release);
    sse.onClose(() => void stream.close());
    try {
      await stream.start(after);
    } catch (cause) {
      services.logger.error('A stream of changes could not be opened; its connection was closed.', cause);
      sse.destroy();
    }
  }

  private async start(after: string | undefined): Promise<void> {
    const { events, store, fanout, changes, options } = this.services;
    const { id } = this.record;
    const attachment = await events.attach(id, CHANGES_STREAM, {
      wake: () => undefined,
      displaced: () => {
        // At once: the connection that takes over goes on from where this one stopped.
        void this.close();
        this.sse.end();
      },
    });
    this.hold(() => attachment.detach());
    const watching = await store.watch(id, (record) => {
      this.interest = interestOf(record);
      this.entry?.change(this.interest);
    });
    this.hold(watching);
    // Only now, so that nothing that happens to the record falls between the look at it and the watch.
    const current = await store.enter(id, this.record.owner);
    if (current.status !== 'ok') return this.sse.end();
    this.interest = interestOf(current.record);
    this.seen = after ?? current.record.seen;
    if (canPrime(this.record)) {
      this.sse.send({ id: changeEventId(this.connection, this.seen), data: '', retry: options.retryMs });
    }
    const entry = fanout.add(this.interest, (change) => this.hear(change));
    this.entry = entry;
    this.hold(() => entry.remove());
    // Whoever listens is there: the session must not count as idle.
    const stay = setInterval(() => void this.stay(), STAY_MS).unref();
    this.hold(() => clearInterval(stay));

    const past = await changes.since(this.seen);
    if (past.status === 'gap') this.tellThatAnythingMayHaveChanged(past.cursor);
    else for (const change of past.changes) if (concerns(this.interest, change.change)) this.deliver(change);
    const told = new Set(past.status === 'ok' ? past.changes.map(({ cursor }) => cursor) : []);
    const backlog = this.backlog ?? [];
    this.backlog = undefined;
    for (const change of backlog) if (!told.has(change.cursor)) this.deliver(change);
  }

  private async stay(): Promise<void> {
    try {
      await this.services.store.enter(this.record.id, this.record.owner);
    } catch {
      // The store is away; the next time will do, as long as it comes before the session is idle for too long.
    }
  }

  private hear(change: LoggedChange): void {
    if (this.backlog) this.backlog.push(change);
    else this.deliver(change);
  }

  private deliver({ cursor, change }: LoggedChange): void {
    if (this.tell(change, { id: changeEventId(this.connection, cursor) })) this.seen = cursor;
  }

  /**
   * The bus does not reach back to where the client was: it has to look at everything again. Only the last event has
   * an id, since a client that is cut off before it has to be told of everything once more.
   */
  private tellThatAnythingMayHaveChanged(cursor: string): void {
    const all: Change[] = LISTS.map((kind) => ({ kind }));
    for (const uri of this.interest.uris) all.push({ kind: 'resource', uri });
    const last = all.pop();
    for (const change of all) if (!this.tell(change)) return;
    if (last) this.deliver({ cursor, change: last });
  }

  /** @returns false if it was not sent; the client then takes it up again from the last event it has */
  private tell(change: Change, { id }: { id?: string } = {}): boolean {
    const { method, params } = changeNotification(change);
    if (this.sse.closed) return false;
    const sent = this.sse.offer({ ...(id && { id }), data: notificationFrame(method, params) });
    if (!sent) this.sse.destroy();
    return sent;
  }

  /** Keeps what must be released when the connection closes; at once, if it has closed already. */
  private hold(release: () => void): void {
    if (this.closed || this.sse.closed) release();
    else this.releases.push(release);
  }

  private async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const release of this.releases.splice(0)) release();
    if (this.seen === this.record.seen) return;
    try {
      await this.services.store.update(this.record.id, { seen: this.seen });
    } catch (cause) {
      this.services.logger.warn('A session may be told of some changes twice: where it stopped was not stored.', cause);
    }
  }
}
