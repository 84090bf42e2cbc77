import type { WireError } from '../protocol/errors.js';

/** How a call ended; the wire puts it into its frame. */
export type Outcome =
  /** The `result` object, serialised. */
  | { readonly kind: 'result'; readonly json: string }
  /** `status` is what HTTP says if nothing has been sent yet. */
  | { readonly kind: 'error'; readonly error: WireError; readonly status: number }
  /** The client has gone or has cancelled: nothing is to be sent. */
  | { readonly kind: 'cancelled' };

/** A call under way. */
export interface RunningCall {
  readonly outcome: Promise<Outcome>;
  /** Aborts the call; its outcome becomes `cancelled`. Does nothing once it has ended. */
  cancel(reason?: string): void;
  /** Aborts the call because the server stops; its outcome becomes an error. Does nothing once it has ended. */
  stop(): void;
}
