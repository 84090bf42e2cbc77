import type { NowOrLater } from '../protocol/now-or-later.js';
import type { WireError } from '../protocol/errors.js';

/** How a call ended; the wire puts it into its frame. */
export type Outcome =
  | ResultOutcome
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

export interface ResultOutcome {
  readonly kind: 'result';
  /** The `result` object, serialised. */
  readonly json: string;
  /** True if it says that a tool could not do what it was asked to. */
  readonly failed?: boolean;
  /**
   * `json` and the brace that ends its JSON-RPC frame, in UTF-8. There for what is long and sent again and again: whoever
   * sends these bytes encodes nothing but the head of the frame.
   */
  readonly frameEnd?: Buffer;
}

export type ErrorOutcome = Extract<Outcome, { kind: 'error' }>;

/** A call under way, or one that was over as soon as it had begun. */
export interface RunningCall {
  /** There at once if nothing had to be waited for. Never rejects. */
  readonly outcome: NowOrLater<Outcome>;
  /** Aborts the call; its outcome becomes `cancelled`. Does nothing once it has ended. */
  cancel(reason?: string): void;
  /** Aborts the call because the server stops; its outcome becomes an error. Does nothing once it has ended. */
  stop(): void;
}
