import type { LoggerService } from '@nestjs/common';
import { hasAll } from '../protocol/has-all.js';
import { ANONYMOUS, type Principal } from '../protocol/principal.js';
import type { Authenticator, Credentials } from './authenticator.port.js';
import { BearerChallenge } from './bearer-challenge.js';
import { checkTokenForm, readBearerToken } from './bearer-token.js';
import type { Clocks } from './clocks.js';
import { IssuerHttp } from './issuer-http.js';
import { readJwt } from './jwt-parts.js';
import type { OAuthOptions } from './oauth-options.js';
import { type OAuthSettings, oauthSettings } from './oauth-settings.js';
import { ResourceAuthenticator } from './protected-resource.js';
import { RememberedPrincipals } from './remembered-principals.js';
import { ScopeHierarchy } from './scope-hierarchy.js';
import { tokenDigest } from './token-digest.js';
import type { TokenIntrospection } from './token-introspection.js';
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
export class OAuthAuthenticator extends ResourceAuthenticator implements Authenticator {
  readonly anonymousMayUse = 'public';
  /** The options, checked, with their defaults. */
  readonly settings: OAuthSettings;
  readonly challenge: BearerChallenge;

  private readonly issuers: ReadonlyMap<unknown, TrustedIssuer>;
  private readonly introspections: readonly TokenIntrospection[];
  private readonly http: IssuerHttp;
  private readonly verified: RememberedPrincipals;
  private readonly logger: OAuthAuthenticatorEnvironment['logger'];

  /** @throws Error that names the option that is wrong and says what it must be */
  constructor(options: OAuthOptions, environment: OAuthAuthenticatorEnvironment) {
    super();
    const { logger, now = Date.now, monotonic = () => performance.now() } = environment;
    const settings = oauthSettings(options);
    const http = new IssuerHttp(settings.jwks.requestTimeoutMs);
    const scopes = new ScopeHierarchy(settings.scopeImplies);
    const surroundings = { settings, scopes, http, logger, now, monotonic };
    this.settings = settings;
    this.challenge = new BearerChallenge(settings);
    this.issuers = new Map(settings.issuers.map((issuer) => [issuer.issuer, new TrustedIssuer(issuer, surroundings)]));
    this.introspections = [...this.issuers.values()].flatMap(({ introspection }) => introspection ?? []);
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
   * Answers at once for nobody, and for a token that is remembered.
   * @throws McpError `UNAUTHORIZED` without a good token, `FORBIDDEN` when it lacks a required scope, `UNAVAILABLE`
   * when it cannot be checked at the moment
   */
  authenticate({ headers }: Credentials): Principal | Promise<Principal> {
    const token = this.tokenIn(headers['authorization']);
    if (token === undefined) return ANONYMOUS;
    const digest = tokenDigest(token);
    const known = this.verified.get(digest) ?? this.introspected(digest);
    return known ? this.withRequiredScopes(known) : this.verify(token, digest);
  }

  /** @returns undefined where there is none, and none is needed */
  private tokenIn(header: string | readonly string[] | undefined): string | undefined {
    try {
      const credential = readBearerToken(header);
      if (credential.kind === 'token') return credential.token;
      if (credential.kind === 'none' && this.settings.anonymous) return undefined;
    } catch (error) {
      throw this.refusal(error);
    }
    // RFC 6750 section 3.1: a request without a bearer token is told where to get one, and not that it did wrong.
    throw this.challenge.unauthorized();
  }

  private withRequiredScopes(principal: Principal): Principal {
    const { requiredScopes } = this.settings;
    if (hasAll(principal.scopes, requiredScopes)) return principal;
    throw this.challenge.insufficientScope(requiredScopes);
  }

  private async verify(token: string, digest: string): Promise<Principal> {
    try {
      checkTokenForm(token);
      const jwt = readJwt(token);
      if (!jwt) return this.withRequiredScopes(await this.introspect(token, digest));
      const issuer = this.issuers.get(jwt.issuer);
      if (!issuer) throw new TokenRefusal('issuer');
      const principal = await issuer.verify(jwt);
      this.verified.set(digest, principal);
      return this.withRequiredScopes(principal);
    } catch (error) {
      throw this.refusal(error);
    }
  }

  /** What the client is told of why its token was not accepted. */
  private refusal(error: unknown): unknown {
    if (!(error instanceof TokenRefusal)) return error;
    return this.challenge.unauthorized({ error: 'invalid_token', description: error.message });
  }

  /** Whom one of the issuers has said a moment ago that an opaque token is of. */
  private introspected(digest: string): Principal | undefined {
    for (const introspection of this.introspections) {
      const known = introspection.remembered(digest);
      if (known) return known;
    }
    return undefined;
  }

  /**
   * Asks one issuer after the other for as long as they do not know the token. One that cannot be asked ends this: the
   * token may be its own, which the next one has no business to see.
   */
  private async introspect(token: string, digest: string): Promise<Principal> {
    let refusal = new TokenRefusal('unknown');
    for (const introspection of this.introspections) {
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
