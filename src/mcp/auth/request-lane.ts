import { unavailable } from './unavailable.js';

export interface RequestLaneOptions {
  /** Requests under way at once. */
  readonly slots: number;
  /** Requests that may wait for a slot. */
  readonly queue: number;
  /** How long they may, in milliseconds. */
  readonly queueMs: number;
}

/** Lets so many requests run at once, and some more wait a little, in the order in which they came. */
export class RequestLane {
  private running = 0;
  /** Never any while a slot is free. */
  private readonly waiting = new Set<() => void>();

  constructor(private readonly options: RequestLaneOptions) {}

  /** @throws McpError `UNAVAILABLE` when there is no slot for it in time; whatever the request rejects with */
  async run<T>(request: () => Promise<T>): Promise<T> {
    if (this.running < this.options.slots) this.running++;
    else await this.wait();
    try {
      return await request();
    } finally {
      this.leave();
    }
  }

  private wait(): Promise<void> {
    const { queue, queueMs } = this.options;
    if (this.waiting.size >= queue) return Promise.reject(unavailable());
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(enter);
        reject(unavailable());
      }, queueMs);
      this.waiting.add(enter);
    });
  }

  /** The slot goes to the next one, so that nobody who comes now can be faster. */
  private leave(): void {
    const [next] = this.waiting;
    if (!next) {
      this.running--;
      return;
    }
    this.waiting.delete(next);
    next();
  }
}
