import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';
import { type Client, type Context, errors, Provider, type ResourceServerInfo, type Token } from 'oidc-provider';
import { freePort } from '../free-port.js';
import { Browser } from './browser.js';
import { loginAndConsent } from './login-and-consent.js';
import { memoryAdapter } from './memory-adapter.js';

type Claims = Readonly<Record<string, unknown>>;

/** A client that was registered by hand. Others register themselves (RFC 7591). */
export interface OidcClient {
  readonly id: string;
  /** How it proves who it is: a secret, or the public half of an ES256 key (`private_key_jwt`). */
  readonly secret?: string;
  readonly publicKey?: JWK;
  readonly grantTypes: readonly string[];
  readonly redirectUris?: readonly string[];
  /** Scopes of a resource that it may be given. Default: all. */
  readonly scopes?: readonly string[];
  /** Claims of the tokens that it gets in its own name. Default: none. */
  readonly claims?: Claims;
  /** Access tokens that say nothing to whom reads them (RFC 7662). Default false. */
  readonly opaqueTokens?: boolean;
}

export interface OidcServerOptions {
  /** Resource indicators (RFC 8707), each with the scopes it has. Default: none. */
  readonly resources?: Readonly<Record<string, readonly string[]>>;
  /** Those who can log in, with the claims that their access tokens carry. */
  readonly users?: Readonly<Record<string, Claims>>;
  readonly clients?: readonly OidcClient[];
  /** Seconds. Default 300. */
  readonly accessTokenSeconds?: number;
}

/** What a server signs with. */
export interface OidcKeys {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly kid: string;
}

/**
 * A real authorization server, oidc-provider, on the loopback interface: authorization code with PKCE, client
 * credentials, rotated refresh tokens, dynamic registration, introspection, RFC 8707 and RFC 9207.
 */
export class OidcServer implements AsyncDisposable {
  private constructor(
    readonly provider: Provider,
    readonly keys: OidcKeys,
    private readonly options: OidcServerOptions,
    private readonly server: Server,
  ) {}

  static async start(options: OidcServerOptions = {}): Promise<OidcServer> {
    const port = await freePort();
    const keys = { ...(await generateKeyPair('ES256', { extractable: true })), kid: randomUUID() };
    const jwk = { ...(await exportJWK(keys.privateKey)), kid: keys.kid, alg: 'ES256', use: 'sig' };
    const provider = new Provider(`http://127.0.0.1:${port}`, { ...configuration(options), jwks: { keys: [jwk] } });
    provider.use(loginAndConsent(provider, Object.keys(options.users ?? {})));

    const server = createServer(provider.callback()).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new OidcServer(provider, keys, options, server);
  }

  /** What it calls itself: its origin. */
  get issuer(): string {
    return this.provider.issuer;
  }

  /** A browser in which this user logs in and agrees to whatever is asked. */
  browser(user: string): Browser {
    return new Browser(user);
  }

  /** What it knows of a resource, as tokens of this client are concerned. */
  resource(resource: string, client: Client): ResourceServerInfo {
    return resourceFor(this.options, resource, client);
  }

  knows(user: string): boolean {
    return this.options.users?.[user] !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

function resourceFor(options: OidcServerOptions, resource: string, { clientId }: Client): ResourceServerInfo {
  const scopes = options.resources?.[resource];
  if (!scopes) throw new errors.InvalidTarget();
  const client = options.clients?.find(({ id }) => id === clientId);
  return {
    scope: scopes.filter((scope) => client?.scopes?.includes(scope) ?? true).join(' '),
    audience: resource,
    accessTokenTTL: options.accessTokenSeconds ?? 300,
    accessTokenFormat: client?.opaqueTokens ? 'opaque' : 'jwt',
  };
}

function claimsOf({ users, clients }: OidcServerOptions, token: Token): Claims | undefined {
  return token.accountId === undefined
    ? clients?.find(({ id }) => id === token.clientId)?.claims
    : users?.[token.accountId];
}

/** RFC 7591, section 2. */
function metadata({ id, secret, publicKey, grantTypes, redirectUris = [] }: OidcClient): Claims {
  return {
    client_id: id,
    grant_types: grantTypes,
    redirect_uris: redirectUris,
    response_types: redirectUris.length > 0 ? ['code'] : [],
    // In a header or, which oidc-provider takes for the same, in the body.
    token_endpoint_auth_method: 'client_secret_basic',
    ...(secret !== undefined && { client_secret: secret }),
    ...(publicKey && {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [publicKey] },
    }),
  };
}

const DAY_SECONDS = 86_400;

function configuration(options: OidcServerOptions): Record<string, unknown> {
  return {
    adapter: memoryAdapter(),
    clients: options.clients?.map(metadata),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    // As most do: whoever registered for refresh tokens gets them, `offline_access` or not.
    issueRefreshToken: (_: Context, client: Client) => client.grantTypeAllowed('refresh_token'),
    findAccount: (_: Context, id: string) =>
      options.users?.[id] && { accountId: id, claims: () => ({ sub: id, email: `${id}@example.com` }) },
    extraTokenClaims: (_: Context, token: Token) => claimsOf(options, token),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      registration: { enabled: true, initialAccessToken: false, idFactory: clientId },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: Context, resource: string, client: Client) => resourceFor(options, resource, client),
      },
    },
    // What follows are the defaults, given so that it does not warn of them.
    clientBasedCORS: () => false,
    renderError: (ctx: Context, out: unknown) => {
      ctx.type = 'json';
      ctx.body = out;
    },
    ttl: {
      AccessToken: (_: Context, token: Token & { resourceServer?: ResourceServerInfo }) =>
        token.resourceServer?.accessTokenTTL ?? 300,
      ClientCredentials: (_: Context, token: Token & { resourceServer?: ResourceServerInfo }) =>
        token.resourceServer?.accessTokenTTL ?? 300,
      AuthorizationCode: 60,
      IdToken: DAY_SECONDS,
      Interaction: 300,
      Grant: DAY_SECONDS,
      Session: DAY_SECONDS,
      RefreshToken: DAY_SECONDS,
    },
  };
}

/**
 * Takes what a client asked for at its registration off its scopes: a client that was held to the scopes of its first
 * request could not step up. An authorization server may ignore what it likes (RFC 7591, section 2).
 */
function clientId(ctx: Context): string {
  delete ctx.oidc.body['scope'];
  return randomUUID();
}
