import type { WireError } from '../protocol/errors.js';

/** How a call ended; the wire puts it into its frame. */
export type Outcome =
  /** The `result` object, serialised; `failed` if it says that a tool could not do what it was asked to. */
  | { readonly kind: 'result'; readonly json: string; readonly failed?: boolean }
  /**
   * `status` is what HTTP says if nothing has been sent yet; in sessions only where there are `headers`: then it is the
   * HTTP request that is refused.
   */
  | {
      readonly kind: 'error';
      readonly error: WireError;
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The client has gone or has cancelled: nothing is to be sent. */
  | { readonly kind: 'cancelled' };

export type ErrorOutcome = Extract<Outcome, { kind: 'error' }>;

/** A call under way. */
export interface RunningCall {
  readonly outcome: Promise<Outcome>;
  /** Aborts the call; its outcome becomes `cancelled`. Does nothing once it has ended. */
  cancel(reason?: string): void;
  /** Aborts the call because the server stops; its outcome becomes an error. Does nothing once it has ended. */
  stop(): void;
}
