import { isThenable } from '../protocol/thenable.js';

/** What every Passport strategy has. */
export interface RunnableStrategy {
  authenticate(request: object, options?: object): unknown;
}

/** What Passport adds to a strategy for each request (passportjs.org, "Strategy API"). */
interface StrategyRun extends RunnableStrategy {
  success(user: unknown): void;
  fail(challenge?: unknown, status?: number): void;
  redirect(url: string, status?: number): void;
  pass(): void;
  error(error: unknown): void;
}

/** How a strategy ended that did not fail. */
export type StrategyOutcome =
  | { readonly kind: 'success'; readonly user: unknown }
  /** It has no opinion (`pass`). */
  | { readonly kind: 'pass' };

/** A strategy that said no (`fail`, `redirect`). */
export class StrategyFailure extends Error {
  constructor(
    /** What it gave as its reason: a `WWW-Authenticate` challenge, an error, or anything else. */
    readonly challenge: unknown,
    readonly status: number | undefined,
  ) {
    super('The Passport strategy refused the request.');
    this.name = 'StrategyFailure';
  }
}

/** How a strategy ends: the first time counts, and may have come before anybody waits for it. */
class StrategyEnding {
  private settled: { readonly outcome: StrategyOutcome } | { readonly error: unknown } | undefined;
  private waiter: { resolve(outcome: StrategyOutcome): void; reject(error: unknown): void } | undefined;

  end(outcome: StrategyOutcome): void {
    this.settled ??= { outcome };
    this.waiter?.resolve(outcome);
  }

  fail(error: unknown): void {
    this.settled ??= { error };
    this.waiter?.reject(error);
  }

  /** @throws what the strategy failed with; where it is still at work, rejects with that */
  wait(): StrategyOutcome | Promise<StrategyOutcome> {
    const { settled } = this;
    if (!settled) return new Promise((resolve, reject) => (this.waiter = { resolve, reject }));
    if ('error' in settled) throw settled.error;
    return settled.outcome;
  }
}

const PASSED: StrategyOutcome = Object.freeze({ kind: 'pass' });

/**
 * Runs a Passport strategy on one request, by its own instance instead of by its name in Passport's registry, which
 * all applications of a process share. One that ends at once is answered for at once.
 *
 * @throws StrategyFailure when it refuses; whatever it gives to `error`, throws or rejects with; where it takes its time,
 * rejects with them
 */
export function runStrategy(strategy: RunnableStrategy, request: object): StrategyOutcome | Promise<StrategyOutcome> {
  const ending = new StrategyEnding();
  // As Passport does it: requests that run at the same time must not share what they end with.
  const run = Object.create(strategy) as StrategyRun;
  run.success = (user: unknown) => ending.end({ kind: 'success', user });
  run.pass = () => ending.end(PASSED);
  run.fail = (challenge?: unknown, status?: number) => {
    if (typeof challenge === 'number') ending.fail(new StrategyFailure(undefined, challenge));
    else ending.fail(new StrategyFailure(challenge, status));
  };
  run.redirect = (_url: string, status?: number) => ending.fail(new StrategyFailure(undefined, status));
  run.error = (error: unknown) => ending.fail(error);
  try {
    const working = run.authenticate(request, {});
    if (isThenable(working)) Promise.resolve(working).catch((error: unknown) => ending.fail(error));
  } catch (error) {
    ending.fail(error);
  }
  return ending.wait();
}
