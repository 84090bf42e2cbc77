import type { JsonObject } from '../transport/json-rpc.js';

/** A notification that the server sent. */
export interface TestNotification {
  readonly method: string;
  readonly params: JsonObject;
}

/** How long to wait for a notification. */
export interface WaitOptions {
  /** Milliseconds until the wait fails. Default 4,000: less than the limit of a test in Jest and Vitest. */
  readonly timeoutMs?: number;
}

/** Says whether a notification is the one that is waited for. */
export type NotificationMatcher = (params: JsonObject) => boolean;

interface Waiter {
  readonly method: string;
  readonly matches: NotificationMatcher;
  resolve(notification: TestNotification): void;
  reject(error: Error): void;
}

const DEFAULT_TIMEOUT_MS = 4_000;

/**
 * The notifications that a client has received, in the order in which they came.
 *
 * @example
 * ```ts
 * expect(client.notifications.of('notifications/progress')).toHaveLength(3);
 * ```
 */
export class NotificationLog {
  private readonly received: TestNotification[] = [];
  /** What a wait has handed out already, so that the next wait is for the next one. */
  private readonly handedOut = new WeakSet<TestNotification>();
  private readonly waiters = new Set<Waiter>();

  /** All of them. */
  get all(): readonly TestNotification[] {
    return [...this.received];
  }

  /** Those of one method, such as `notifications/progress`. */
  of(method: string): readonly TestNotification[] {
    return this.received.filter((notification) => notification.method === method);
  }

  /** Forgets what has come so far. */
  clear(): void {
    this.received.length = 0;
  }

  /** @internal */
  add(notification: TestNotification): void {
    this.received.push(notification);
    for (const waiter of this.waiters) {
      if (waiter.method !== notification.method || !waiter.matches(notification.params)) continue;
      this.handedOut.add(notification);
      waiter.resolve(notification);
      return;
    }
  }

  /** @internal */
  async waitFor(
    method: string,
    matches: NotificationMatcher = () => true,
    { timeoutMs = DEFAULT_TIMEOUT_MS }: WaitOptions = {},
  ): Promise<TestNotification> {
    const present = this.of(method).find((known) => !this.handedOut.has(known) && matches(known.params));
    if (present) {
      this.handedOut.add(present);
      return present;
    }
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
      };
      const waiter: Waiter = {
        method,
        matches,
        resolve: (notification) => (settle(), resolve(notification)),
        reject: (error) => (settle(), reject(error)),
      };
      const timer = setTimeout(
        () =>
          waiter.reject(new Error(`No ${method} that was waited for came within ${timeoutMs} ms. ${this.summary()}`)),
        timeoutMs,
      );
      this.waiters.add(waiter);
    });
  }

  /** Fails what is still waited for. @internal */
  close(): void {
    for (const waiter of [...this.waiters]) {
      waiter.reject(new Error(`The client was closed while ${waiter.method} was waited for. ${this.summary()}`));
    }
  }

  private summary(): string {
    if (this.received.length === 0) return 'No notification came at all.';
    return `What came: ${this.received.map(({ method, params }) => `${method} ${JSON.stringify(params)}`).join(', ')}`;
  }
}
