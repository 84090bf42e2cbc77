/** A client's answer to a request of the server: the JSON-RPC response, less its frame. */
export type ClientAnswer =
  | { readonly result: Readonly<Record<string, unknown>> }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } };

/** What a running call must hear, from whichever replica it was posted to. */
export interface CallListener {
  cancelled(reason: string | undefined): void;
  /** The session was deleted or expired. */
  ended(): void;
}

/** Carries messages of a session to the replica that runs the call they are meant for. */
export interface Mailbox {
  /**
   * Listens for a running call, from this moment on: nothing that comes later may be missed, so it must not have to wait
   * for anything elsewhere.
   * @returns the function that stops listening
   */
  listen(sessionId: string, requestId: string | number, listener: CallListener): () => void;

  /** Delivers a cancellation; unknown or finished requests are ignored, as the specification asks. */
  cancel(sessionId: string, requestId: string | number, reason: string | undefined): Promise<void>;

  /**
   * Registers a server-to-client request and resolves with its answer.
   * Call it before the request is sent. Rejects with the signal's reason when that aborts.
   * @param askId unguessable id of the server's request
   */
  expect(sessionId: string, askId: string, signal: AbortSignal): Promise<ClientAnswer>;

  /** Consumes the pending request atomically and wakes its call. @returns false if unknown, foreign or answered before */
  answer(sessionId: string, askId: string, answer: ClientAnswer): Promise<boolean>;

  /** Tells every running call of the session, on every replica, that it is over. */
  end(sessionId: string): Promise<void>;
}

export const Mailbox = Symbol('Mailbox');
