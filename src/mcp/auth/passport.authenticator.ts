import { type AccessChallenge, PLAIN_CHALLENGE } from '../protocol/access-challenge.js';
import { McpError } from '../protocol/errors.js';
import { ANONYMOUS, type Principal } from '../protocol/principal.js';
import { within } from '../protocol/within.js';
import type { Authenticator, Credentials } from './authenticator.port.js';
import { type RunnableStrategy, runStrategy, StrategyFailure, type StrategyOutcome } from './run-strategy.js';

export interface PassportAuthenticatorOptions<User> {
  /** Who the user is that the strategy has found. */
  readonly toPrincipal: (user: User) => Principal | Promise<Principal>;
  /** What callers may use on whom the strategy has no opinion (`pass`). Default `public`. */
  readonly anonymousMayUse?: 'all' | 'public';
  /** How callers are told what they lack where the strategy did not refuse them. Default: a bare `Bearer`. */
  readonly challenge?: AccessChallenge;
  /** For how long the strategy may think. Milliseconds, default 10,000. */
  readonly timeoutMs?: number;
}

/** A field value (RFC 9110 section 5.5) in visible ASCII. */
const HEADER_VALUE = /^[\x20-\x7e]+$/;

/**
 * Authenticates callers by a Passport strategy of your own: an API key, a client certificate behind a proxy, SAML.
 * The strategy sees the headers of the request and nothing else of it, and must not redirect.
 *
 * @example
 * ```ts
 * const authenticator = new PassportAuthenticator(new ApiKeyStrategy(keys), {
 *   toPrincipal: ({ id, tenant }: ApiUser) => ({ issuer: 'api-keys', subject: id, tenant, scopes: new Set(), claims: {} }),
 * });
 * ```
 */
export class PassportAuthenticator<User = unknown> implements Authenticator {
  readonly anonymousMayUse: 'all' | 'public';
  readonly challenge: AccessChallenge;

  constructor(
    private readonly strategy: RunnableStrategy,
    private readonly options: PassportAuthenticatorOptions<User>,
  ) {
    this.anonymousMayUse = options.anonymousMayUse ?? 'public';
    this.challenge = options.challenge ?? PLAIN_CHALLENGE;
  }

  /**
   * Answers at once where the strategy does.
   * @throws McpError `UNAUTHORIZED` when the strategy fails, with its challenge as `WWW-Authenticate`; `UNAVAILABLE`
   * when it ends with an error or not in time
   */
  authenticate({ headers }: Credentials): Principal | Promise<Principal> {
    const outcome = this.run(headers);
    return outcome instanceof Promise ? this.principalOfLate(outcome) : this.principalOf(outcome);
  }

  private run(headers: Credentials['headers']): StrategyOutcome | Promise<StrategyOutcome> {
    try {
      return runStrategy(this.strategy, { headers: { ...headers } });
    } catch (error) {
      throw asMcpError(error);
    }
  }

  private principalOf(outcome: StrategyOutcome): Principal | Promise<Principal> {
    return outcome.kind === 'pass' ? ANONYMOUS : this.options.toPrincipal(outcome.user as User);
  }

  private async principalOfLate(late: Promise<StrategyOutcome>): Promise<Principal> {
    let outcome: StrategyOutcome;
    try {
      outcome = await within(this.options.timeoutMs ?? 10_000, late, () => {
        throw new Error('The Passport strategy did not answer in time.');
      });
    } catch (error) {
      throw asMcpError(error);
    }
    return this.principalOf(outcome);
  }
}

function asMcpError(error: unknown): McpError {
  if (error instanceof McpError) return error;
  if (!(error instanceof StrategyFailure)) {
    return new McpError('UNAVAILABLE', 'The caller cannot be identified at the moment. Try again later.', undefined, {
      cause: error,
    });
  }
  const { challenge } = error;
  if (challenge instanceof McpError) return challenge;
  const valid = typeof challenge === 'string' && HEADER_VALUE.test(challenge);
  return new McpError('UNAUTHORIZED', 'This request needs valid credentials.', undefined, {
    // RFC 9110 section 15.5.2: a 401 always has one.
    headers: { 'www-authenticate': valid ? challenge : 'Bearer' },
  });
}
