import { McpError } from '../../protocol/errors.js';
import type { CallListener, ClientAnswer, Mailbox } from '../mailbox.port.js';
import { notify, warnOfListenerError, type ListenerErrorHandler } from '../notify.js';
import { inBatches } from './in-batches.js';
import { ANSWER, CANCEL, END, EXPECT } from './mailbox-scripts.js';
import { PATIENCE_MS, patiently } from '../patience.js';
import type { ReplicaLink } from './replica-link.js';

export interface RedisMailboxOptions {
  /** A question is forgotten this long after it was last looked at. Milliseconds; default 20 minutes. */
  readonly askRetentionMs?: number;
  /** How long registering a question is tried again while Redis is away. Milliseconds; default 10,000. */
  readonly patienceMs?: number;
  /** Hears of an error that a listener threw. Default: a process warning. */
  readonly onListenerError?: ListenerErrorHandler;
}

interface Call {
  /** The request id as JSON: `1` and `"1"` are two ids. */
  readonly requestId: string;
  readonly listener: CallListener;
  cancelled: boolean;
}

/** Both forget the ask, here and in Redis, and settle it; the first one counts. */
interface PendingAsk {
  resolve(answer: ClientAnswer): void;
  reject(reason: unknown): void;
}

/** What is under way on one session on this replica; dropped as soon as both are empty. */
interface Box {
  readonly calls: Set<Call>;
  readonly asks: Map<string, PendingAsk>;
}

/**
 * The mailbox of all replicas. Each keeps what runs on it; cancellations, answers and the end of a session are written
 * to Redis and told by a message, and the sweep looks at what is written in case the message was lost.
 */
export class RedisMailbox implements Mailbox {
  readonly #link: ReplicaLink;
  readonly #askRetentionMs: number;
  readonly #patienceMs: number;
  readonly #onListenerError: ListenerErrorHandler;
  readonly #boxes = new Map<string, Box>();

  constructor(link: ReplicaLink, options: RedisMailboxOptions = {}) {
    this.#link = link;
    this.#askRetentionMs = options.askRetentionMs ?? 20 * 60_000;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#onListenerError = options.onListenerError ?? warnOfListenerError;
    link.on('cancel', ([sessionId = '', requestId = '', reason = '']) => this.#cancelled(sessionId, requestId, reason));
    link.on('answered', ([sessionId = '', askId = '']) => {
      // An answer that cannot be fetched now is fetched by the sweep.
      this.#fetch(sessionId, askId).catch(() => undefined);
    });
    link.on('ended', ([sessionId = '']) => this.#ended(sessionId));
    link.on('gone', ([sessionId = '']) => this.#ended(sessionId));
    link.onSweep(() => inBatches([...this.#boxes], ([sessionId, box]) => this.#lookAround(sessionId, box)));
  }

  /** Without a word to Redis. */
  listen(sessionId: string, requestId: string | number, listener: CallListener): () => void {
    const box = this.#open(sessionId);
    const call: Call = { requestId: JSON.stringify(requestId), listener, cancelled: false };
    box.calls.add(call);
    return () => {
      box.calls.delete(call);
      this.#closeIfEmpty(sessionId, box);
    };
  }

  /** @throws McpError `UNAVAILABLE` when other replicas could not be told */
  async cancel(sessionId: string, requestId: string | number, reason: string | undefined): Promise<void> {
    const { keys } = this.#link;
    const [id, why] = [JSON.stringify(requestId), JSON.stringify(reason ?? null)];
    this.#cancelled(sessionId, id, why);
    await this.#link.run(CANCEL, [keys.session(sessionId)], [keys.everyone, sessionId, id, why]);
  }

  /**
   * Rejects with McpError `SESSION_NOT_FOUND` when the session ends meanwhile.
   * @throws McpError `UNAVAILABLE` when the question could not be registered
   * @throws Error when an ask with this id is pending: ids are random, so that is a fault of the caller
   */
  async expect(sessionId: string, askId: string, signal: AbortSignal): Promise<ClientAnswer> {
    signal.throwIfAborted();
    const box = this.#open(sessionId);
    if (box.asks.has(askId)) throw new Error('A request with this id is pending. Make a new random id.');

    return new Promise<ClientAnswer>((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        if (!box.asks.delete(askId)) return;
        signal.removeEventListener('abort', onAbort);
        this.#closeIfEmpty(sessionId, box);
        outcome();
        // Not before it is registered, whatever way that takes through a cluster. What stays lapses by itself.
        void registered.then(() => this.#forget(sessionId, askId));
      };
      const onAbort = (): void => settle(() => reject(signal.reason));
      const ask: PendingAsk = {
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (reason) => settle(() => reject(reason)),
      };
      signal.addEventListener('abort', onAbort);
      box.asks.set(askId, ask);
      // Its command is on the way when this returns: the caller sends the question next, and the answer must be later.
      const registered = this.#register(sessionId, askId, ask).catch((error) => ask.reject(error));
    });
  }

  /** @throws McpError `UNAVAILABLE` */
  async answer(sessionId: string, askId: string, answer: ClientAnswer): Promise<boolean> {
    const { keys, id } = this.#link;
    const args = [askId, JSON.stringify(answer), id, keys.inboxPrefix, sessionId];
    const asker = await this.#link.run(ANSWER, [keys.asks(sessionId)], args);
    if (asker === id) this.#askOf(sessionId, askId)?.resolve(answer);
    // It may wait there since a try whose reply was lost.
    if (asker === '') this.#fetch(sessionId, askId).catch(() => undefined);
    return asker !== '';
  }

  /** @throws McpError `UNAVAILABLE` when other replicas could not be told */
  async end(sessionId: string): Promise<void> {
    const { keys } = this.#link;
    this.#ended(sessionId);
    await this.#link.run(END, [keys.asks(sessionId)], [keys.everyone, sessionId]);
  }

  /** Has the question wait in Redis, or takes its answer if that is there. */
  async #register(sessionId: string, askId: string, ask: PendingAsk): Promise<void> {
    const { keys, id } = this.#link;
    const args = [askId, id, this.#askRetentionMs];
    const stands = await patiently(this.#patienceMs, () => this.#link.run(EXPECT, [keys.asks(sessionId)], args));
    take(ask, stands as string);
  }

  /**
   * Takes the answer that is kept for an ask of this replica. It is removed only when it is here: a reply may be lost
   * on its way, and the command be sent again.
   */
  async #fetch(sessionId: string, askId: string): Promise<void> {
    const ask = this.#askOf(sessionId, askId);
    if (!ask) return;
    const key = this.#link.keys.asks(sessionId);
    take(ask, await this.#link.send((client) => client.hget(key, askId), 'hget'));
  }

  async #forget(sessionId: string, askId: string): Promise<void> {
    const key = this.#link.keys.asks(sessionId);
    await this.#link.send((client) => client.hdel(key, askId), 'hdel').catch(() => undefined);
  }

  /** Looks at what is written of a session, in case a message was lost. */
  async #lookAround(sessionId: string, box: Box): Promise<void> {
    const calls = [...box.calls];
    const key = this.#link.keys.session(sessionId);
    const marks = calls.map(({ requestId }) => `c:${requestId}`);
    const [owner, ...reasons] = await this.#link.send((client) => client.hmget(key, 'owner', ...marks), 'hmget');
    if (owner == null) return this.#ended(sessionId);

    calls.forEach((call, i) => {
      const reason = reasons[i];
      if (reason != null && box.calls.has(call)) this.#tellCancelled(call, reason);
    });
    for (const [askId, ask] of [...box.asks]) {
      // Registering it again also makes up for a failover that lost it.
      if (box.asks.has(askId)) await this.#register(sessionId, askId, ask);
    }
  }

  #cancelled(sessionId: string, requestId: string, reason: string): void {
    for (const call of [...(this.#boxes.get(sessionId)?.calls ?? [])]) {
      if (call.requestId === requestId) this.#tellCancelled(call, reason);
    }
  }

  /** @param reason as JSON */
  #tellCancelled(call: Call, reason: string): void {
    if (call.cancelled) return;
    call.cancelled = true;
    const why = JSON.parse(reason) as string | null;
    notify(() => call.listener.cancelled(why ?? undefined), this.#onListenerError);
  }

  #ended(sessionId: string): void {
    const box = this.#boxes.get(sessionId);
    if (!box) return;

    this.#boxes.delete(sessionId);
    for (const ask of [...box.asks.values()]) {
      ask.reject(new McpError('SESSION_NOT_FOUND', 'The session has ended. Initialize a new one.'));
    }
    for (const { listener } of box.calls) notify(() => listener.ended(), this.#onListenerError);
  }

  #askOf(sessionId: string, askId: string): PendingAsk | undefined {
    return this.#boxes.get(sessionId)?.asks.get(askId);
  }

  #open(sessionId: string): Box {
    const box = this.#boxes.get(sessionId) ?? { calls: new Set(), asks: new Map() };
    this.#boxes.set(sessionId, box);
    return box;
  }

  #closeIfEmpty(sessionId: string, box: Box): void {
    if (box.calls.size + box.asks.size > 0) return;
    // A later box of the same session is not ours to drop.
    if (this.#boxes.get(sessionId) === box) this.#boxes.delete(sessionId);
  }
}

/** @param stands where the question stands in Redis: with `a`, its answer follows */
function take(ask: PendingAsk, stands: string | null): void {
  if (stands?.startsWith('a')) ask.resolve(JSON.parse(stands.slice(1)) as ClientAnswer);
}
