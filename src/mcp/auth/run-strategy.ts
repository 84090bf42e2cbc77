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

/**
 * Runs a Passport strategy on one request, by its own instance instead of by its name in Passport's registry, which
 * all applications of a process share.
 *
 * @throws StrategyFailure when it refuses; whatever it gives to `error`, throws or rejects with
 */
export function runStrategy(strategy: RunnableStrategy, request: object): Promise<StrategyOutcome> {
  return new Promise((resolve, reject) => {
    // As Passport does it: requests that run at the same time must not share what they end with.
    const run = Object.create(strategy) as StrategyRun;
    run.success = (user: unknown) => resolve({ kind: 'success', user });
    run.pass = () => resolve({ kind: 'pass' });
    run.fail = (challenge?: unknown, status?: number) => {
      if (typeof challenge === 'number') reject(new StrategyFailure(undefined, challenge));
      else reject(new StrategyFailure(challenge, status));
    };
    run.redirect = (_url: string, status?: number) => reject(new StrategyFailure(undefined, status));
    run.error = reject;
    try {
      Promise.resolve(run.authenticate(request, {})).catch(reject);
    } catch (error) {
      reject(error);
    }
  });
}
