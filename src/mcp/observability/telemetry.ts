import { Logger } from '@nestjs/common';
import { SECRET_HEADERS, withoutHeaders } from '../protocol/secret-headers.js';
import { isThenable } from '../protocol/thenable.js';
import { runGuarded } from './run-guarded.js';
import type {
  ObservedCapability,
  ObservedOperation,
  OperationEnd,
  OperationWatch,
  ServerObserver,
  StreamLoss,
} from './server-observer.port.js';

type Heard = keyof ServerObserver;
type Hearing<K extends Heard> = ServerObserver & Required<Pick<ServerObserver, K>>;

/**
 * Tells whoever watches what the server does; nobody does unless they are added, and then it costs next to nothing.
 * Inject it to add an observer of your own. One that throws, or returns a promise that rejects, is logged once and does
 * no harm.
 *
 * @example
 * ```ts
 * constructor(telemetry: Telemetry, private readonly usage: UsageService) {
 *   telemetry.add({ operation: ({ principal }) => ({ ended: (end) => this.usage.count(principal, end) }) });
 * }
 * ```
 */
export class Telemetry implements Required<ServerObserver> {
  private readonly logger = new Logger('Telemetry');
  private observers: readonly ServerObserver[] = [];
  private readonly hearing: { [K in Heard]?: readonly Hearing<K>[] } = {};
  /** Those whose errors were logged. */
  private readonly failing = new WeakSet<ServerObserver>();

  /** @returns the function that takes the observer away again */
  add(observer: ServerObserver): () => void {
    this.change([...this.observers, observer]);
    return () => this.change(this.observers.filter((other) => other !== observer));
  }

  /** @returns `undefined` if nobody watches it */
  operation(operation: ObservedOperation): OperationWatch | undefined {
    const observers = this.of('operation');
    if (observers.length === 0) return undefined;
    const seen = withoutSecrets(operation);
    const watches: Watch[] = [];
    for (const observer of observers) {
      const guard: Guard = (say) => this.guard(observer, say);
      guard(() => {
        const watch = observer.operation(seen);
        if (!watch || isThenable(watch)) return watch;
        const { traceId } = watch;
        const failed = (error: unknown): void => this.failed(observer, error);
        watches.push({ watch, traceId, runs: watch.run !== undefined, guard, failed });
      });
    }
    return watches.length > 0 ? new OperationWatches(watches) : undefined;
  }

  handler<T>(capability: ObservedCapability, work: () => Promise<T>): Promise<T> {
    const observers = this.of('handler');
    if (observers.length === 0) return work();
    return observers.reduce<() => Promise<T>>(
      (inner, observer) => () =>
        runGuarded(
          (guarded) => observer.handler(capability, guarded),
          inner,
          (error) => this.failed(observer, error),
        ),
      work,
    )();
  }

  sessionStarted(): void {
    this.tell('sessionStarted', (observer) => observer.sessionStarted());
  }

  sessionDeleted(): void {
    this.tell('sessionDeleted', (observer) => observer.sessionDeleted());
  }

  sessionUnknown(): void {
    this.tell('sessionUnknown', (observer) => observer.sessionUnknown());
  }

  eventAppended(): void {
    this.tell('eventAppended', (observer) => observer.eventAppended());
  }

  streamResumed(): void {
    this.tell('streamResumed', (observer) => observer.streamResumed());
  }

  streamLost(reason: StreamLoss): void {
    this.tell('streamLost', (observer) => observer.streamLost(reason));
  }

  redisCommand(name: string): (error?: unknown) => void {
    if (this.of('redisCommand').length === 0) return NOBODY;
    const answers: (readonly [ServerObserver, (error?: unknown) => void])[] = [];
    this.tell('redisCommand', (observer) => {
      const answered: unknown = observer.redisCommand(name);
      if (typeof answered !== 'function') return answered;
      answers.push([observer, answered as (error?: unknown) => void]);
    });
    return (error) => {
      for (const [observer, answered] of answers) this.guard(observer, () => answered(error));
    };
  }

  wakeUp(latencyMs: number): void {
    this.tell('wakeUp', (observer) => observer.wakeUp(latencyMs));
  }

  private tell<K extends Heard>(event: K, say: (observer: Hearing<K>) => unknown): void {
    for (const observer of this.of(event)) this.guard(observer, () => say(observer));
  }

  /** Whatever an observer does, the request does not wait for it, and no rejection is left for the process to die of. */
  private guard(observer: ServerObserver, say: () => unknown): void {
    try {
      const said = say();
      if (isThenable(said)) said.then(undefined, (error: unknown) => this.failed(observer, error));
    } catch (error) {
      this.failed(observer, error);
    }
  }

  private failed(observer: ServerObserver, error: unknown): void {
    if (this.failing.has(observer)) return;
    this.failing.add(observer);
    this.logger.error('An observer failed: what it keeps is not complete. Further errors of it are not logged.', error);
  }

  private change(observers: readonly ServerObserver[]): void {
    this.observers = observers;
    for (const event of Object.keys(this.hearing) as Heard[]) delete this.hearing[event];
  }

  private of<K extends Heard>(event: K): readonly Hearing<K>[] {
    const known = this.hearing[event];
    if (known) return known;
    const hearing = this.observers.filter((observer): observer is Hearing<K> => observer[event] !== undefined);
    (this.hearing as Record<Heard, readonly ServerObserver[]>)[event] = hearing;
    return hearing;
  }
}

const NOBODY = (): void => undefined;

/** What an observer hears of an operation: nothing by which it could be repeated in the name of its caller. */
function withoutSecrets(operation: ObservedOperation): ObservedOperation {
  const { headers } = operation;
  return headers ? { ...operation, headers: withoutHeaders(headers, SECRET_HEADERS) } : operation;
}

type Guard = (say: () => unknown) => void;

interface Watch {
  readonly watch: OperationWatch;
  readonly traceId: string | undefined;
  readonly runs: boolean;
  readonly guard: Guard;
  readonly failed: (error: unknown) => void;
}

/** All who watch one operation, as one. */
class OperationWatches implements OperationWatch {
  readonly traceId?: string;

  constructor(private readonly watches: readonly Watch[]) {
    const traceId = watches.find((watch) => watch.traceId !== undefined)?.traceId;
    if (traceId !== undefined) this.traceId = traceId;
  }

  run<T>(work: () => T): T {
    const running = this.watches.filter(({ runs }) => runs);
    return running.reduce<() => T>(
      (inner, { watch, failed }) =>
        () =>
          runGuarded((guarded) => watch.run!(guarded), inner, failed),
      work,
    )();
  }

  ended(end: OperationEnd): void {
    for (const { watch, guard } of this.watches) guard(() => watch.ended(end));
  }
}
