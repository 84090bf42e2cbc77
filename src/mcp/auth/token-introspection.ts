import {
  allowInsecureRequests,
  type AuthorizationServer,
  ClientSecretBasic,
  customFetch,
  introspectionRequest,
  processIntrospectionResponse,
} from 'oauth4webapi';
import type { Principal } from '../protocol/principal.js';
import type { Clocks } from './clocks.js';
import { ExpiringMap } from './expiring-map.js';
import type { IssuerHttp } from './issuer-http.js';
import type { IssuerSettings } from './issuer-settings.js';
import type { IntrospectionOptions } from './oauth-options.js';
import type { OutageLog } from './outage-log.js';
import { RememberedPrincipals } from './remembered-principals.js';
import { RequestLane } from './request-lane.js';
import type { ScopeHierarchy } from './scope-hierarchy.js';
import { checkIntrospectedClaims, type Claims } from './token-checks.js';
import { principalOf } from './token-principal.js';
import { TokenRefusal } from './token-refusal.error.js';
import { unavailable } from './unavailable.js';

/** Of which there are two: for tokens that were active before, and for all others. */
const LANE = { slots: 32, queue: 64, queueMs: 1_000 };
const MAX_REMEMBERED = 10_000;
/** A token that was revoked goes on working for so long at most. */
const ACTIVE_TTL_MS = 30_000;
const REFUSED_TTL_MS = 5_000;
const FAMILIAR_TTL_MS = 60 * 60 * 1_000;
/** When a token ends that does not say when: its streams end then, and the client has to come back with a good one. */
const UNLIMITED_LASTS_MS = 5 * 60 * 1_000;

export interface TokenIntrospectionOptions extends Clocks {
  readonly settings: IssuerSettings;
  readonly client: IntrospectionOptions;
  /** Where to ask, found out before every request. */
  readonly endpoint: () => Promise<string>;
  readonly scopes: ScopeHierarchy;
  readonly clockSkewMs: number;
  readonly http: Pick<IssuerHttp, 'fetch'>;
  readonly outages: Pick<OutageLog, 'failed' | 'succeeded'>;
}

/** Asks one issuer about opaque tokens (RFC 7662), and remembers for a little while what it said. */
export class TokenIntrospection {
  private readonly active: RememberedPrincipals;
  /** Apart from the others, so that made-up tokens cannot push real ones out. */
  private readonly refused: ExpiringMap<TokenRefusal>;
  /** Digests of tokens that were active the last time. */
  private readonly familiar: ExpiringMap<true>;
  private readonly asking = new Map<string, Promise<Principal>>();
  private readonly lanes = { familiar: new RequestLane(LANE), strange: new RequestLane(LANE) };

  constructor(private readonly options: TokenIntrospectionOptions) {
    const { now, monotonic, clockSkewMs } = options;
    this.active = new RememberedPrincipals({
      max: MAX_REMEMBERED,
      ttlMs: ACTIVE_TTL_MS,
      clockSkewMs,
      now,
      monotonic,
    });
    this.refused = new ExpiringMap(MAX_REMEMBERED, monotonic);
    this.familiar = new ExpiringMap(MAX_REMEMBERED, monotonic);
  }

  /** Whom the issuer has said a moment ago that the token of this digest is of. */
  remembered(digest: string): Principal | undefined {
    return this.active.get(digest);
  }

  /**
   * Asks the issuer about a token that is not remembered.
   * @throws TokenRefusal when the token is not active, or not for this server; McpError `UNAVAILABLE` when the issuer
   * cannot be asked, or too many requests wait for it already
   */
  async introspect(token: string, digest: string): Promise<Principal> {
    const refusal = this.refused.get(digest);
    if (refusal) throw refusal;
    const asked = this.asking.get(digest);
    if (asked) return asked;
    // Made-up tokens can only keep each other, and new ones, waiting.
    const lane = this.familiar.get(digest) ? this.lanes.familiar : this.lanes.strange;
    const asking = lane.run(() => this.ask(token, digest)).finally(() => this.asking.delete(digest));
    this.asking.set(digest, asking);
    return asking;
  }

  /** Tries to find the endpoint before it is needed. Never rejects: what goes wrong is logged. */
  async prepare(): Promise<void> {
    await this.options.endpoint().catch((error: unknown) => this.failed(error));
  }

  private async ask(token: string, digest: string): Promise<Principal> {
    const { settings, scopes, clockSkewMs, now } = this.options;
    const claims = await this.request(token);
    try {
      checkIntrospectedClaims(claims, { ...settings, clockSkewMs, now: now() });
      const principal = ending(principalOf(claims, settings, scopes), now() + UNLIMITED_LASTS_MS);
      this.active.set(digest, principal);
      this.familiar.set(digest, true, FAMILIAR_TTL_MS);
      return principal;
    } catch (error) {
      this.familiar.delete(digest);
      if (error instanceof TokenRefusal) this.refused.set(digest, error, REFUSED_TTL_MS);
      throw error;
    }
  }

  private async request(token: string): Promise<Claims> {
    const { client, settings, http, outages, endpoint } = this.options;
    try {
      const server: AuthorizationServer = { issuer: settings.issuer, introspection_endpoint: await endpoint() };
      const asClient = { client_id: client.clientId };
      const response = await introspectionRequest(server, asClient, ClientSecretBasic(client.clientSecret), token, {
        additionalParameters: { token_type_hint: 'access_token' },
        [customFetch]: http.fetch,
        [allowInsecureRequests]: true,
      });
      const claims: Claims = { ...(await processIntrospectionResponse(server, asClient, response)) };
      outages.succeeded();
      return claims;
    } catch (error) {
      this.failed(error);
      throw unavailable();
    }
  }

  private failed(error: unknown): void {
    this.options.outages.failed(error, 'Opaque tokens that are not remembered are answered with 503.');
  }
}

function ending(principal: Principal, expiresAt: number): Principal {
  return principal.expiresAt === undefined ? Object.freeze({ ...principal, expiresAt }) : principal;
}
