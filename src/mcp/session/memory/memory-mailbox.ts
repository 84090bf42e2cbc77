import { McpError } from '../../protocol/errors.js';
import type { CallListener, ClientAnswer, Mailbox } from '../mailbox.port.js';
import { notify, warnOfListenerError, type ListenerErrorHandler } from '../notify.js';

export interface MemoryMailboxOptions {
  /** Hears of an error that a listener threw. Default: a process warning. */
  readonly onListenerError?: ListenerErrorHandler;
}

interface Call {
  /** The request id as JSON: `1` and `"1"` are two ids. */
  readonly requestId: string;
  readonly listener: CallListener;
}

/** Both forget the ask before they settle it. */
interface PendingAsk {
  resolve(answer: ClientAnswer): void;
  reject(reason: unknown): void;
}

/** What is under way on one session; dropped as soon as both are empty. */
interface Box {
  readonly calls: Set<Call>;
  readonly asks: Map<string, PendingAsk>;
}

/** The mailbox of one process, where every call of a session runs. It holds what is under way and nothing else. */
export class MemoryMailbox implements Mailbox {
  readonly #boxes = new Map<string, Box>();
  readonly #onListenerError: ListenerErrorHandler;

  constructor(options: MemoryMailboxOptions = {}) {
    this.#onListenerError = options.onListenerError ?? warnOfListenerError;
  }

  listen(sessionId: string, requestId: string | number, listener: CallListener): () => void {
    const box = this.#open(sessionId);
    const call: Call = { requestId: JSON.stringify(requestId), listener };
    box.calls.add(call);
    return () => {
      box.calls.delete(call);
      this.#closeIfEmpty(sessionId, box);
    };
  }

  async cancel(sessionId: string, requestId: string | number, reason: string | undefined): Promise<void> {
    const id = JSON.stringify(requestId);
    for (const call of this.#boxes.get(sessionId)?.calls ?? []) {
      if (call.requestId === id) notify(() => call.listener.cancelled(reason), this.#onListenerError);
    }
  }

  /**
   * Rejects with McpError `SESSION_NOT_FOUND` when the session ends meanwhile.
   * @throws Error when an ask with this id is pending: ids are random, so that is a fault of the caller
   */
  async expect(sessionId: string, askId: string, signal: AbortSignal): Promise<ClientAnswer> {
    signal.throwIfAborted();
    const box = this.#open(sessionId);
    if (box.asks.has(askId)) throw new Error('A request with this id is pending. Make a new random id.');

    return new Promise<ClientAnswer>((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        signal.removeEventListener('abort', onAbort);
        box.asks.delete(askId);
        this.#closeIfEmpty(sessionId, box);
        outcome();
      };
      const onAbort = (): void => settle(() => reject(signal.reason));
      signal.addEventListener('abort', onAbort);
      box.asks.set(askId, {
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (reason) => settle(() => reject(reason)),
      });
    });
  }

  async answer(sessionId: string, askId: string, answer: ClientAnswer): Promise<boolean> {
    const ask = this.#boxes.get(sessionId)?.asks.get(askId);
    ask?.resolve(answer);
    return ask !== undefined;
  }

  async end(sessionId: string): Promise<void> {
    const box = this.#boxes.get(sessionId);
    if (!box) return;

    this.#boxes.delete(sessionId);
    for (const ask of box.asks.values()) {
      ask.reject(new McpError('SESSION_NOT_FOUND', 'The session has ended. Initialize a new one.'));
    }
    for (const { listener } of box.calls) notify(() => listener.ended(), this.#onListenerError);
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
