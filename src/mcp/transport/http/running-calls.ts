import type { RunningCall } from '../../dispatch/outcome.js';

/** A request from the moment it is taken until its answer is given. */
export interface CallEntry {
  /** Says what is to be stopped when the time is over; it is stopped at once if that is already so. */
  runs(call: Pick<RunningCall, 'stop'>): void;
  /** Counts it out. */
  leave(): void;
}

/** The calls that this process runs, of both eras: how many there are, and how they end when it stops. */
export class RunningCalls {
  private readonly entries = new Set<CallEntry & Pick<RunningCall, 'stop'>>();
  private readonly whenIdle: (() => void)[] = [];
  private stopped = false;

  get size(): number {
    return this.entries.size;
  }

  /** Whether calls were stopped: what comes now does not begin. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /** Counts a call in. */
  enter(): CallEntry {
    const entry = new Entry(this);
    if (this.stopped) entry.stop();
    this.entries.add(entry);
    return entry;
  }

  /** Resolves as soon as no call runs. */
  async idle(): Promise<void> {
    if (this.entries.size > 0) await new Promise<void>((resolve) => this.whenIdle.push(resolve));
  }

  /** Stops all that run, and whatever begins from now on. @returns how many ran */
  stop(): number {
    this.stopped = true;
    // A call that ends counts itself out meanwhile.
    const running = [...this.entries];
    for (const entry of running) entry.stop();
    return running.length;
  }

  /** @internal */
  remove(entry: CallEntry): void {
    this.entries.delete(entry as Entry);
    if (this.entries.size === 0) for (const resolve of this.whenIdle.splice(0)) resolve();
  }
}

class Entry implements CallEntry {
  private call: Pick<RunningCall, 'stop'> | undefined;
  private stopped = false;

  constructor(private readonly all: RunningCalls) {}

  leave(): void {
    this.all.remove(this);
  }

  runs(call: Pick<RunningCall, 'stop'>): void {
    this.call = call;
    if (this.stopped) call.stop();
  }

  stop(): void {
    this.stopped = true;
    this.call?.stop();
  }
}
