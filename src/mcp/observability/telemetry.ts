import { Logger } from '@nestjs/common';
import { SECRET_HEADERS, withoutHeaders } from '../protocol/secret-headers.js';
import { type GuardedWatch, OperationObserver, asOne, notAwaited } from './operation-watches.js';
import { runGuarded } from './run-guarded.js';
import type {
  ObservedCapability,
  ObservedOperation,
  OperationWatch,
  ServerObserver,
  StreamLoss,
} from './server-observer.port.js';

type Heard = Exclude<keyof ServerObserver, 'readsHeaders'>;
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
export class Telemetry implements Required<Pick<ServerObserver, Heard>> {
  private readonly logger = new Logger('Telemetry');
  private observers: readonly ServerObserver[] = [];
  private hearing: { readonly [K in Heard]: readonly Hearing<K>[] } = hearingOf([]);
  private operationObservers: readonly OperationObserver[] = [];
  private readsHeaders = false;
  /** Those whose errors were logged. */
  private readonly failing = new WeakSet<ServerObserver>();

  /** @returns the function that takes the observer away again */
  add(observer: ServerObserver): () => void {
    this.change([...this.observers, observer]);
    return () => this.change(this.observers.filter((other) => other !== observer));
  }

  /** @returns `undefined` if nobody watches it; without `run` if nobody wants it to run within something */
  operation(operation: ObservedOperation): OperationWatch | undefined {
    const observers = this.operationObservers;
    if (observers.length === 0) return undefined;
    const seen = this.readsHeaders ? withoutSecrets(operation) : withoutHeadersOf(operation);
    if (observers.length === 1) return observers[0]?.begins(seen);
    const watches: GuardedWatch[] = [];
    for (const observer of observers) {
      const watch = observer.begins(seen);
      if (watch) watches.push(watch);
    }
    return asOne(watches);
  }

  /** Whether somebody wants handlers to be run by it. */
  get hearsHandlers(): boolean {
    return this.hearing.handler.length > 0;
  }

  handler<T>(capability: ObservedCapability, work: () => Promise<T>): Promise<T> {
    const observers = this.hearing.handler;
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
    if (this.hearing.redisCommand.length === 0) return NOBODY;
    const answers: (readonly [ServerObserver, (error?: unknown) => void])[] = [];
    for (const observer of this.hearing.redisCommand) {
      this.guard(observer, () => {
        const answered: unknown = observer.redisCommand(name);
        if (typeof answered !== 'function') return answered;
        answers.push([observer, answered as (error?: unknown) => void]);
      });
    }
    return (error) => {
      for (const [observer, answered] of answers) this.guard(observer, () => answered(error));
    };
  }

  wakeUp(latencyMs: number): void {
    this.tell('wakeUp', (observer) => observer.wakeUp(latencyMs));
  }

  private tell<K extends Heard>(event: K, say: (observer: Hearing<K>) => unknown): void {
    for (const observer of this.hearing[event]) this.guard(observer, say);
  }

  private guard<O extends ServerObserver>(observer: O, say: (observer: O) => unknown): void {
    try {
      notAwaited(say(observer), (error) => this.failed(observer, error));
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
    this.hearing = hearingOf(observers);
    const { operation: watching } = this.hearing;
    this.readsHeaders = watching.some(({ readsHeaders = true }) => readsHeaders);
    this.operationObservers = watching.map(
      (observer) => new OperationObserver(observer, (error) => this.failed(observer, error)),
    );
  }
}

const NOBODY = (): void => undefined;

function hearingOf(observers: readonly ServerObserver[]): { readonly [K in Heard]: readonly Hearing<K>[] } {
  const of = <K extends Heard>(event: K): readonly Hearing<K>[] =>
    observers.filter((observer): observer is Hearing<K> => observer[event] !== undefined);
  return {
    operation: of('operation'),
    handler: of('handler'),
    sessionStarted: of('sessionStarted'),
    sessionDeleted: of('sessionDeleted'),
    sessionUnknown: of('sessionUnknown'),
    eventAppended: of('eventAppended'),
    streamResumed: of('streamResumed'),
    streamLost: of('streamLost'),
    redisCommand: of('redisCommand'),
    wakeUp: of('wakeUp'),
  };
}

/**
 * What an observer hears of an operation: never the object itself, which may know more, and nothing by which it could be repeated in
 * the name of its caller.
 */
function withoutSecrets(operation: ObservedOperation): ObservedOperation {
  const { headers } = operation;
  const others = withoutHeadersOf(operation);
  return headers ? { ...others, headers: withoutHeaders(headers, SECRET_HEADERS) } : others;
}

function withoutHeadersOf({ method, era, principal, params }: ObservedOperation): ObservedOperation {
  return { method, era, principal, params };
}
