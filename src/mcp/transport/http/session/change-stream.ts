import type { Change, LoggedChange } from '../../../session/change-bus.port.js';
import type { Attachment, AttachmentListener } from '../../../session/event-log.port.js';
import { Rounds } from '../../../session/rounds.js';
import type { SessionStore } from '../../../session/session-store.port.js';
import { type FanoutEntry, type Interest, changesOf, concerns, interestOf } from '../../../session/change-fanout.js';
import { PATIENCE_MS, patiently } from '../../../session/patience.js';
import type { SessionRecord } from '../../../session/session-record.js';
import type { Principal } from '../../../protocol/principal.js';
import { Audience } from '../../audience.js';
import { changeFrame } from '../../change-notification.js';
import type { HttpReply } from '../exchange.js';
import { spread } from '../jitter.js';
import { SseResponse } from '../sse-response.js';
import type { SessionServices, WireServices } from '../wire-services.js';
import { CHANGES_STREAM, changeEventId, newConnectionName } from './event-id.js';
import { canPrime } from './event-pump.js';

/** How often an open stream renews its session at least, in milliseconds. */
const STAY_MS = 60_000;

/** Whose stream is to be opened, and on what session. */
export interface StreamRequest {
  readonly record: SessionRecord;
  readonly principal: Principal;
}

/**
 * The stream that GET opens: changes of lists and of subscribed resources. It holds nothing of its own: it is the
 * change bus, seen through the subscriptions of the session, from where the session saw it last.
 *
 * One connection has it at a time, since a message must not go to two streams; a later one takes it over.
 */
export class ChangeStream implements AttachmentListener {
  private readonly connection = newConnectionName();
  private interest: Interest;
  private seen: string;
  /** What came while the past was still being read. */
  private backlog: LoggedChange[] | undefined = [];
  /** Where the bus went on, if it lost changes meanwhile. */
  private lostUpTo: string | undefined;
  private entry: FanoutEntry | undefined;
  /** The record, if it changed while the past was still being read, and since when that was not known here. */
  private changed: { readonly record: SessionRecord; readonly since: number } | undefined;
  private attachment: Attachment | undefined;
  private unwatch: (() => void) | undefined;
  private readonly record: SessionRecord;
  private readonly audience: Audience;
  private closed = false;

  constructor(
    private readonly services: WireServices & SessionServices,
    { record, principal }: StreamRequest,
    private readonly sse: SseResponse,
    private readonly release: () => void,
  ) {
    this.record = record;
    this.audience = new Audience(services, principal, () => sse.destroy());
    this.seen = record.seen;
    this.interest = interestOf(record);
  }

  /**
   * @param after cursor of the last change the client has seen; undefined if it does not say
   * @throws McpError `UNAVAILABLE` when no further stream can be held
   */
  static async open(
    services: WireServices & SessionServices,
    request: StreamRequest,
    reply: HttpReply,
    after: string | undefined,
  ): Promise<void> {
    const { options, streams, keepAlive } = services;
    const release = streams.open(request.principal, () => {
      sse.send({ retry: spread(options.retryMs) });
      sse.end();
    });
    const sse = new SseResponse(reply, keepAlive, options, 'get');
    const stream = new ChangeStream(services, request, sse, release);
    sse.onClose(() => void stream.close());
    try {
      await stream.start(after);
    } catch (cause) {
      services.logger.error('A stream of changes could not be opened; its connection was closed.', cause);
      sse.destroy();
    }
  }

  private async start(after: string | undefined): Promise<void> {
    const { events, store, changes, options } = this.services;
    const { id } = this.record;
    this.attachment = await events.attach(id, CHANGES_STREAM, this);
    if (this.gone) this.attachment.detach();
    this.unwatch = await patiently(PATIENCE_MS, () => this.watch());
    if (this.gone) this.unwatch();
    // Only now, so that nothing that happens to the record falls between the look at it and the watch.
    const current = await patiently(PATIENCE_MS, () => store.enter(id, this.record.owner));
    if (current.status !== 'ok') return this.sse.end();
    this.interest = interestOf(current.record);
    this.seen = after ?? current.record.seen;
    if (canPrime(this.record)) {
      this.sse.send({ id: changeEventId(this.connection, this.seen), data: '', retry: options.retryMs });
    }
    // What the client has seen must not be heard of here later, and told again.
    await patiently(PATIENCE_MS, () => changes.cursor());
    if (!this.gone) {
      this.entry = this.listen();
      staysOf(store).add(this);
    }
    const past = await patiently(PATIENCE_MS, () => changes.since(this.seen));
    if (past.status === 'gap') this.tellThatAnythingMayHaveChanged(past.cursor);
    else for (const change of past.changes) if (concerns(this.interest, change.change)) this.deliver(change);
    const told = new Set(past.status === 'ok' ? past.changes.map(({ cursor }) => cursor) : []);
    const backlog = this.backlog ?? [];
    this.backlog = undefined;
    for (const change of backlog) if (!told.has(change.cursor)) this.deliver(change);
    if (this.lostUpTo !== undefined) this.tellThatAnythingMayHaveChanged(this.lostUpTo);
    if (this.changed) this.turnTo(this.changed.record, this.changed.since);
  }

  /** @internal What may have been appended is on the bus. */
  wake(): void {
    // Nothing is read from the log.
  }

  /** @internal The connection that takes over goes on from where this one stopped, which is then stored. */
  displaced(): Promise<void> {
    this.sse.end();
    return this.close();
  }

  private watch(): Promise<() => void> {
    return this.services.store.watch(this.record.id, (record, since) => this.turnTo(record, since));
  }

  private listen(): FanoutEntry {
    return this.services.fanout.add(
      this.interest,
      (change) => this.hear(change),
      (cursor) => this.hearOfLoss(cursor),
    );
  }

  /**
   * The session subscribed to other resources. That was on some replica, and took a moment to be known here: what has
   * changed since is told now.
   */
  private turnTo(record: SessionRecord, since: number | undefined): void {
    // It was opened by somebody nameless, who has logged in since, or whose session somebody else took.
    if (record.owner !== this.record.owner) return this.sse.end();
    if (this.backlog) {
      this.changed = { record, since: Math.min(since ?? Infinity, this.changed?.since ?? Infinity) };
      return;
    }
    const added = new Set(record.subscriptions.filter((uri) => !this.interest.uris.has(uri)));
    this.interest = interestOf(record);
    this.entry?.change(this.interest);
    if (added.size === 0 || since === undefined) return;
    const heard = this.services.fanout.heardSince(since)?.map(({ change }) => change);
    const missed = heard ?? [...added].map((uri): Change => ({ kind: 'resource', uri }));
    // Without ids: where the client has to go on has not changed.
    for (const change of missed) {
      if (change.kind === 'resource' && added.has(change.uri)) this.audience.tell(change, () => void this.send(change));
    }
  }

  /** @internal Whoever listens is there: the session must not count as idle. */
  async stay(): Promise<void> {
    try {
      const { status } = await this.services.store.enter(this.record.id, this.record.owner);
      // It was deleted or is too old, and word of it did not come through.
      if (status === 'unknown') this.sse.end();
    } catch {
      // The store is away; the next time will do, as long as it comes before the session is idle for too long.
    }
  }

  private hear(change: LoggedChange): void {
    if (this.backlog) this.backlog.push(change);
    else this.deliver(change);
  }

  private hearOfLoss(cursor: string): void {
    if (this.backlog) this.lostUpTo = cursor;
    else this.tellThatAnythingMayHaveChanged(cursor);
  }

  private deliver({ cursor, change }: LoggedChange): void {
    this.audience.tell(change, () => {
      if (this.send(change, changeEventId(this.connection, cursor))) this.seen = cursor;
    });
  }

  /**
   * The bus does not reach back to where the client was: it has to look at everything again. Only the last event has
   * an id, since a client that is cut off before it has to be told of everything once more.
   */
  private tellThatAnythingMayHaveChanged(cursor: string): void {
    const { interest } = this;
    this.services.telemetry.streamLost('gap');
    this.audience.inTurn(async () => {
      const all = await this.audience.only(changesOf(interest));
      const last = all.pop();
      for (const change of all) if (!this.send(change)) return;
      if (last && this.send(last, changeEventId(this.connection, cursor))) this.seen = cursor;
    });
  }

  /** @returns false if it was not sent; the client then takes it up again from the last event it has */
  private send(change: Change, id?: string): boolean {
    if (this.sse.closed) return false;
    const data = changeFrame(change);
    const sent = this.sse.offer(id === undefined ? { data } : { id, data });
    if (!sent) this.sse.destroy();
    return sent;
  }

  /** True once what is still taken for it must be let go of at once. */
  private get gone(): boolean {
    return this.closed || this.sse.closed;
  }

  private async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.audience.close();
    this.release();
    this.attachment?.detach();
    this.unwatch?.();
    this.entry?.remove();
    staysOf(this.services.store).remove(this);
    if (this.seen === this.record.seen) return;
    try {
      await this.services.store.update(this.record.id, { seen: this.seen });
    } catch (cause) {
      this.services.logger.warn('A session may be told of some changes twice: where it stopped was not stored.', cause);
    }
  }
}

/** The open streams of a store, so that none needs a timer of its own. */
const stays = new WeakMap<SessionStore, Rounds<ChangeStream>>();

function staysOf(store: SessionStore): Rounds<ChangeStream> {
  let rounds = stays.get(store);
  if (!rounds) {
    rounds = new Rounds(Math.min(STAY_MS, store.idleMs / 3), (stream) => void stream.stay());
    stays.set(store, rounds);
  }
  return rounds;
}
