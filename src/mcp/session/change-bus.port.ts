/** Something that clients may have asked to hear of. */
export type Change =
  | { readonly kind: 'tools' }
  | { readonly kind: 'prompts' }
  | { readonly kind: 'resources' }
  | { readonly kind: 'resource'; readonly uri: string };

export interface LoggedChange {
  /** Position on the bus; ordered, opaque to callers. */
  readonly cursor: string;
  readonly change: Change;
}

export type ChangeRead =
  | { readonly status: 'ok'; readonly changes: readonly LoggedChange[] }
  /** The bus does not cover the cursor (too old, or ahead of its tail): anything may have changed. */
  | { readonly status: 'gap'; readonly cursor: string };

/**
 * Changes of lists and resources, from any replica to every replica, with a short memory for who was away.
 *
 * By the time one of its promises resolves, the listeners of this replica have heard of all changes up to then: what
 * `since` returned is not heard of later.
 */
export interface ChangeBus {
  /** Tells every replica. A bus that cannot be reached keeps what it must tell until it can. */
  publish(change: Change): Promise<void>;

  /** The newest position. */
  cursor(): Promise<string>;

  /** What came after a position, oldest first. */
  since(cursor: string): Promise<ChangeRead>;

  /**
   * Hears every change from now on, in order. Listeners must not throw.
   * @param lost hears that changes were lost on the way here, and the position after them: anything may have changed
   * @returns the function that ends the subscription
   */
  subscribe(listener: (change: LoggedChange) => void, lost?: (cursor: string) => void): () => void;
}

export const ChangeBus = Symbol('ChangeBus');
