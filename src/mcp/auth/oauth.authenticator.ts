import type { LoggerService } from '@nestjs/common';
import { ANONYMOUS, type Principal } from '../protocol/principal.js';
import type { Authenticator, Credentials } from './authenticator.port.js';
import { BearerChallenge } from './bearer-challenge.js';
import { readBearerToken } from './bearer-token.js';
import type { Clocks } from './clocks.js';
import { IssuerHttp } from './issuer-http.js';
import { readJwt, type UnverifiedJwt } from './jwt-parts.js';
import type { OAuthOptions } from './oauth-options.js';
import { type OAuthSettings, oauthSettings } from './oauth-settings.js';
import { RememberedPrincipals } from './remembered-principals.js';
import { ScopeHierarchy } from './scope-hierarchy.js';
import { tokenDigest } from './token-digest.js';
import { TokenRefusal } from './token-refusal.error.js';
import { TrustedIssuer } from './trusted-issuer.js';

/** Default clocks: `Date.now` and `performance.now`. */
export interface OAuthAuthenticatorEnvironment extends Partial<Clocks> {
  readonly logger: Pick<LoggerService, 'log' | 'warn'>;
}

/**
 * Takes callers for whom their OAuth access token says they are: this server as the resource server of OAuth 2.1.
 *
 * It owns the order of events: find the token, find out whose it is, have its issuer's part check it, then look at the
 * scopes that every caller needs. It never forwards a token but to the introspection endpoint of an issuer, and keeps
 * none.
 */
export class OAuthAuthenticator implements Authenticator {
  readonly anonymousMayUse = 'public';
  /** The options, checked, with their defaults. */
  readonly settings: OAuthSettings;
  readonly challenge: BearerChallenge;

  private readonly issuers: ReadonlyMap<unknown, TrustedIssuer>;
  private readonly http: IssuerHttp;
  private readonly verified: RememberedPrincipals;
  private readonly logger: OAuthAuthenticatorEnvironment['logger'];

  /** @throws Error that names the option that is wrong and says what it must be */
  constructor(options: OAuthOptions, environment: OAuthAuthenticatorEnvironment) {
    const { logger, now = Date.now, monotonic = () => performance.now() } = environment;
    const settings = oauthSettings(options);
    const http = new IssuerHttp(settings.jwks.requestTimeoutMs);
    const scopes = new ScopeHierarchy(settings.scopeImplies);
    const surroundings = { settings, scopes, http, logger, now, monotonic };
    this.settings = settings;
    this.challenge = new BearerChallenge(settings);
    this.issuers = new Map(settings.issuers.map((issuer) => [issuer.issuer, new TrustedIssuer(issuer, surroundings)]));
    this.http = http;
    const { clockSkewMs, verifiedTokens } = settings;
    this.verified = new RememberedPrincipals({ ...verifiedTokens, clockSkewMs, now, monotonic });
    this.logger = logger;
  }

  /** Tries to have all keys before the first request. An issuer that is away is asked again when a token needs it. */
  async start(): Promise<void> {
    for (const { issuer, keys } of this.settings.issuers) {
      if (keys.kind === 'fixed' && keys.key.type === 'secret') {
        this.logger.warn(`Issuer ${issuer} has a shared secret, which is for development alone.`);
      }
    }
    await Promise.all([...this.issuers.values()].map((issuer) => issuer.prepare()));
  }

  /** Ends requests to issuers that are under way, and forgets all tokens. */
  close(): void {
    this.http.close();
    this.verified.clear();
  }

  /**
   * @throws McpError `UNAUTHORIZED` without a good token, `FORBIDDEN` when it lacks a required scope, `UNAVAILABLE`
   * when it cannot be checked at the moment
   */
  async authenticate({ headers }: Credentials): Promise<Principal> {
    const principal = await this.identify(headers['authorization']);
    const { requiredScopes } = this.settings;
    if (principal !== ANONYMOUS && !requiredScopes.every((scope) => principal.scopes.has(scope))) {
      throw this.challenge.insufficientScope(requiredScopes);
    }
    return principal;
  }

  private async identify(header: string | readonly string[] | undefined): Promise<Principal> {
    try {
      const credential = readBearerToken(header);
      if (credential.kind === 'token') return await this.verify(credential.token);
      if (credential.kind === 'none' && this.settings.anonymous) return ANONYMOUS;
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error;
      throw this.challenge.unauthorized({ error: 'invalid_token', description: error.message });
    }
    // RFC 6750 section 3.1: a request without a bearer token is told where to get one, and not that it did wrong.
    throw this.challenge.unauthorized();
  }

  private async verify(token: string): Promise<Principal> {
    const jwt = readJwt(token);
    return jwt ? this.verifyJwt(jwt) : this.introspect(token);
  }

  private async verifyJwt(jwt: UnverifiedJwt): Promise<Principal> {
    const digest = tokenDigest(jwt.token);
    const known = this.verified.get(digest);
    if (known) return known;
    const issuer = this.issuers.get(jwt.issuer);
    if (!issuer) throw new TokenRefusal('issuer');
    const principal = await issuer.verify(jwt);
    this.verified.set(digest, principal);
    return principal;
  }

  /**
   * Asks one issuer after the other for as long as they do not know the token. One that cannot be asked ends this: the
   * token may be its own, which the next one has no business to see.
   */
  private async introspect(token: string): Promise<Principal> {
    const digest = tokenDigest(token);
    const asked = [...this.issuers.values()].flatMap(({ introspection }) => introspection ?? []);
    for (const introspection of asked) {
      const known = introspection.remembered(digest);
      if (known) return known;
    }
    let refusal = new TokenRefusal('unknown');
    for (const introspection of asked) {
      try {
        return await introspection.introspect(token, digest);
      } catch (error) {
        if (!(error instanceof TokenRefusal && error.check === 'inactive')) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }
}
