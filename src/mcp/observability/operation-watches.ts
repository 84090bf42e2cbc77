import { isThenable } from '../protocol/thenable.js';
import { runGuarded } from './run-guarded.js';
import type { ObservedOperation, OperationEnd, OperationWatch, ServerObserver } from './server-observer.port.js';

type Failed = (error: unknown) => void;

/** Whatever an observer does, the request does not wait for it, and no rejection is left for the process to die of. */
export function notAwaited(said: unknown, failed: Failed): void {
  if (isThenable(said)) said.then(undefined, failed);
}

/** An observer that watches operations. What goes wrong with it does them no harm. */
export class OperationObserver {
  private last: GuardedWatch | undefined;

  constructor(
    private readonly observer: ServerObserver & Required<Pick<ServerObserver, 'operation'>>,
    private readonly failed: Failed,
  ) {}

  begins(operation: ObservedOperation): GuardedWatch | undefined {
    try {
      const watch = this.observer.operation(operation);
      if (!watch) return undefined;
      if (isThenable(watch)) return void notAwaited(watch, this.failed);
      const { traceId } = watch;
      const { last } = this;
      // The one watch of an observer that does not tell operations apart.
      if (last && last.watch === watch && last.traceId === traceId) return last;
      return (this.last = new (watch.run ? RunningWatch : GuardedWatch)(watch, traceId, this.failed));
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }
}

/** The watch of one observer; it throws nothing. */
export class GuardedWatch implements OperationWatch {
  constructor(
    readonly watch: OperationWatch,
    readonly traceId: string | undefined,
    protected readonly failed: Failed,
  ) {}

  ended(end: OperationEnd): void {
    try {
      notAwaited(this.watch.ended(end), this.failed);
    } catch (error) {
      this.failed(error);
    }
  }
}

/** Of an observer within which the operation runs. */
class RunningWatch extends GuardedWatch {
  run<T>(work: () => T): T {
    return runGuarded((guarded) => this.watch.run!(guarded), work, this.failed);
  }
}

/** All who watch one operation, as one. */
class OperationWatches implements OperationWatch {
  constructor(protected readonly watches: readonly GuardedWatch[]) {}

  get traceId(): string | undefined {
    for (const { traceId } of this.watches) if (traceId !== undefined) return traceId;
    return undefined;
  }

  ended(end: OperationEnd): void {
    for (const watch of this.watches) watch.ended(end);
  }
}

class RunningWatches extends OperationWatches {
  /** The last one is the outermost. */
  run<T>(work: () => T): T {
    let run = work;
    for (const watch of this.watches) {
      const inner = run;
      if (watch instanceof RunningWatch) run = () => watch.run(inner);
    }
    return run();
  }
}

/** @returns a watch that has no `run` if none of them has one */
export function asOne(watches: readonly GuardedWatch[]): OperationWatch | undefined {
  if (watches.length < 2) return watches[0];
  return new (watches.some((watch) => watch instanceof RunningWatch) ? RunningWatches : OperationWatches)(watches);
}
