import type { LoggerService } from '@nestjs/common';
import { McpError } from '../protocol/errors.js';
import type { Principal } from '../protocol/principal.js';
import { type AccessTokenRequest, AccessTokenStrategy } from './access-token.strategy.js';
import type { Clocks } from './clocks.js';
import type { IssuerHttp } from './issuer-http.js';
import { FixedKey, JwksKeys, type KeySource } from './issuer-keys.js';
import { IssuerMetadata } from './issuer-metadata.js';
import type { IssuerSettings } from './issuer-settings.js';
import { acceptedHeader, type UnverifiedJwt } from './jwt-parts.js';
import type { OAuthSettings } from './oauth-settings.js';
import { OutageLog } from './outage-log.js';
import { runStrategy, StrategyFailure } from './run-strategy.js';
import type { ScopeHierarchy } from './scope-hierarchy.js';
import { TokenIntrospection } from './token-introspection.js';
import { TokenRefusal } from './token-refusal.error.js';

/** What all issuers have in common. */
export interface IssuerSurroundings extends Clocks {
  readonly settings: OAuthSettings;
  readonly scopes: ScopeHierarchy;
  readonly http: IssuerHttp;
  readonly logger: Pick<LoggerService, 'log' | 'warn'>;
}

/** An authorization server whose tokens are accepted: its keys, its metadata, its introspection. */
export class TrustedIssuer {
  readonly issuer: string;
  readonly introspection: TokenIntrospection | undefined;
  private readonly metadata: IssuerMetadata;
  private readonly keys: KeySource;
  private readonly strategy: AccessTokenStrategy;

  constructor(
    private readonly settings: IssuerSettings,
    private readonly surroundings: IssuerSurroundings,
  ) {
    const { scopes, now, monotonic, http } = surroundings;
    const { clockSkewMs } = surroundings.settings;
    this.issuer = settings.issuer;
    this.metadata = new IssuerMetadata(settings.issuer, http, monotonic);
    this.keys = this.createKeys();
    this.strategy = new AccessTokenStrategy({ settings, keys: this.keys, scopes, clockSkewMs, now });
    this.introspection = this.createIntrospection();
  }

  /** Tries to have keys and metadata ahead of the first token. Never rejects: what goes wrong is logged. */
  async prepare(): Promise<void> {
    await this.keys.prepare();
    await this.introspection?.prepare();
  }

  /** @throws TokenRefusal; McpError `UNAVAILABLE` when the keys cannot be fetched */
  async verify(jwt: UnverifiedJwt): Promise<Principal> {
    const request = { token: jwt.token, header: acceptedHeader(jwt, this.settings.algorithms) };
    const tried = this.keys.current;
    try {
      return await this.run(request);
    } catch (error) {
      if (!(error instanceof TokenRefusal && error.check === 'signature')) throw error;
      // So fares every good token when the issuer has put another key under the same id, or under none.
      await this.keys.search();
      if (this.keys.current === tried) throw error;
      return this.run(request);
    }
  }

  private async run(request: AccessTokenRequest): Promise<Principal> {
    try {
      const outcome = await runStrategy(this.strategy, request);
      if (outcome.kind === 'success') return outcome.user as Principal;
    } catch (error) {
      const reason = error instanceof StrategyFailure ? error.challenge : error;
      if (reason instanceof TokenRefusal || reason instanceof McpError) throw reason;
      // An error of jsonwebtoken may quote what it could not read, so it goes no further.
      if (!(error instanceof StrategyFailure)) throw error;
    }
    throw new TokenRefusal('signature');
  }

  private createKeys(): KeySource {
    const { keys } = this.settings;
    if (keys.kind === 'fixed') return new FixedKey(keys.key);
    const { settings, http, monotonic } = this.surroundings;
    return new JwksKeys({
      uri: async () => keys.uri ?? (await this.metadata.endpoint('jwks_uri')),
      http,
      outages: this.outages('Keys'),
      maxAgeMs: settings.jwks.maxAgeMs,
      staleIfErrorMs: settings.jwks.staleIfErrorMs,
      now: monotonic,
    });
  }

  private createIntrospection(): TokenIntrospection | undefined {
    const client = this.settings.introspection;
    if (!client) return undefined;
    const { settings, scopes, http, now, monotonic } = this.surroundings;
    return new TokenIntrospection({
      settings: this.settings,
      client,
      endpoint: async () => client.endpoint ?? (await this.metadata.endpoint('introspection_endpoint')),
      scopes,
      clockSkewMs: settings.clockSkewMs,
      http,
      outages: this.outages('Introspection'),
      now,
      monotonic,
    });
  }

  private outages(what: string): OutageLog {
    return new OutageLog(`${what} of issuer ${this.issuer}`, this.surroundings.logger, this.surroundings.monotonic);
  }
}
