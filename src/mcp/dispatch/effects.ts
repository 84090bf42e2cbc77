import { AsyncLocalStorage } from 'node:async_hooks';
import { CallSuspended } from '../protocol/interruptions.js';

const insideEffect = new AsyncLocalStorage<string>();

/**
 * Refuses to ask the client from inside an effect: the call would have to end before the effect has, and the effect
 * would run again.
 */
export function requireOutsideEffect(): void {
  const name = insideEffect.getStore();
  if (name === undefined) return;
  throw new Error(`once("${name}") asks the client. Ask before it, and use the answer in the effect.`);
}

/** The side effects of a call that must happen once: their values, and those that are under way. */
export class Effects {
  private readonly underWay = new Map<string, Promise<unknown>>();
  private closed = false;

  /** @param done values from earlier rounds */
  constructor(private readonly done: Record<string, unknown>) {}

  /** The values so far, as they go into the request state. */
  get values(): Readonly<Record<string, unknown>> {
    return this.done;
  }

  async once<T>(name: string, effect: () => T | Promise<T>): Promise<T> {
    if (Object.hasOwn(this.done, name)) return this.done[name] as T;
    const running = this.underWay.get(name);
    if (running) return running as Promise<T>;
    if (this.closed) throw new CallSuspended();

    const started = Promise.resolve()
      .then(() => insideEffect.run(name, effect))
      .then((value) => {
        // What later rounds get is JSON, so the first gets the same.
        const json = JSON.stringify(value) as string | undefined;
        this.done[name] = json === undefined ? null : (JSON.parse(json) as unknown);
        return this.done[name] as T;
      })
      .finally(() => this.underWay.delete(name));
    this.underWay.set(name, started);
    return started;
  }

  /** Waits for what is under way, then lets nothing start any more: a value that is lost would be made twice. */
  async close(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled(this.underWay.values());
    this.closed = true;
  }
}
