/** Who may issue the access tokens of this server, and for what they must be. */
export interface OAuthOptions {
  /**
   * Canonical URI of the MCP endpoint, such as `https://mcp.example.com/mcp`: what clients name as `resource`
   * (RFC 8707) and tokens must carry as `aud`. https, or http on loopback; no user, query or fragment. One without a
   * path needs its slash (`https://mcp.example.com/`), which is how clients write it.
   */
  readonly resource: string;
  /** Authorization servers whose tokens are accepted: at least one, each `issuer` once. */
  readonly issuers: readonly IssuerOptions[];
  /** Scopes that every token needs. Default: none. */
  readonly requiredScopes?: readonly string[];
  /** Scopes that the metadata lists (RFC 9728 section 2). Default: the required ones. */
  readonly scopesSupported?: readonly string[];
  /**
   * What a broader scope implies, however many steps away: `{ 'mcp:admin': ['mcp:write'], 'mcp:write': ['mcp:read'] }`.
   * Default: nothing.
   */
  readonly scopeImplies?: Readonly<Record<string, readonly string[]>>;
  /** How far the clocks of an issuer and this server may differ. Milliseconds, 0 to 60,000; default 30,000. */
  readonly clockSkewMs?: number;
  /** Name of this server for people (RFC 9728 section 2). Default: none. */
  readonly resourceName?: string;
  /** URL of what developers should read (RFC 9728 section 2). Default: none. */
  readonly resourceDocumentation?: string;
  /** Whether callers without a token are let in, to what is `@Public()`. Default true; false answers them with 401. */
  readonly anonymous?: boolean;
  /** For how long what a JWT says is remembered instead of verified again. */
  readonly verifiedTokens?: VerifiedTokensOptions;
  /** How the keys of issuers are fetched. */
  readonly jwks?: JwksOptions;
}

export interface VerifiedTokensOptions {
  /** Tokens that are remembered at most; 0 remembers none. Default 10,000. */
  readonly max?: number;
  /** Milliseconds, never longer than the token lasts; 0 remembers none. Default 30,000. */
  readonly ttlMs?: number;
}

export interface JwksOptions {
  /** Age at which keys are fetched again. Milliseconds, default 10 minutes. */
  readonly maxAgeMs?: number;
  /**
   * For how long after that they go on being used until new ones have been fetched, which no request waits for.
   * Milliseconds, default 1 hour.
   */
  readonly staleIfErrorMs?: number;
  /** What one request to an issuer (for metadata, keys or introspection) may take. Milliseconds, default 5,000. */
  readonly requestTimeoutMs?: number;
}

/** An authorization server, and how its tokens are checked. */
export interface IssuerOptions {
  /** Its identifier: exactly what `iss` of its tokens and `issuer` of its metadata say. https, or http on loopback. */
  readonly issuer: string;
  /** Where its keys are. Default: `jwks_uri` of its metadata (RFC 8414, else OpenID Connect Discovery). */
  readonly jwksUri?: string;
  /** Its only key, as PEM, instead of `jwksUri`. RSA keys have 2,048 bits or more. */
  readonly publicKey?: string;
  /**
   * Secret for HS256, instead of `jwksUri`; 32 bytes or more. For development alone: whoever can check such a token
   * can make one. Refused when `NODE_ENV` is `production`.
   */
  readonly sharedSecret?: string;
  /**
   * How to ask it about tokens that are no JWTs (RFC 7662). Default: such tokens are refused. Where several issuers
   * have it they are asked in order, so each of them sees the opaque tokens of those behind it; the next one is asked
   * only when the one before says "not active". While that one cannot be asked, the tokens of those behind it that are
   * not remembered are answered with 503.
   */
  readonly introspection?: IntrospectionOptions;
  /**
   * What `aud` of its tokens must be or contain, exactly. Default: the resource. With another one a JWT that is not
   * `typ: at+jwt` must bear a mark of an access token, because ID tokens may be for that audience, too: `scope`, `scp`,
   * `token_use: access`, or `roles` beside `azp`, `appid` or `client_id`.
   */
  readonly audience?: string;
  /** Algorithms that its tokens may be signed with. Default: RS, PS and ES with 256, 384 and 512. */
  readonly algorithms?: readonly AsymmetricAlgorithm[];
  /**
   * Whether a JWT must say that it is an access token (`typ: at+jwt`, RFC 9068). Default false: `JWT` or nothing will
   * do as well, if nothing else says that the token is of another kind.
   */
  readonly requireAccessTokenType?: boolean;
  /**
   * Claim that names the tenant, or a dotted path to it. A token without it has no tenant; one in which it is anything
   * but a text that is not empty is refused. Default: no tenant.
   */
  readonly tenantClaim?: string;
  /** Claim that lists the roles, or a dotted path to it such as `realm_access.roles`. Default `roles`. */
  readonly rolesClaim?: string;
}

/** This server as a client of the introspection endpoint; it authenticates with HTTP Basic. */
export interface IntrospectionOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Default: `introspection_endpoint` of the issuer's metadata. */
  readonly endpoint?: string;
}

export const ASYMMETRIC_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;

export type AsymmetricAlgorithm = (typeof ASYMMETRIC_ALGORITHMS)[number];
