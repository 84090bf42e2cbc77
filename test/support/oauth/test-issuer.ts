import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, type CryptoKey } from 'jose';

/** The resource that tokens are for unless told otherwise. */
export const TEST_RESOURCE = 'https://mcp.example.com/mcp';
/** The client that may introspect. */
export const TEST_CLIENT = { clientId: 'rookery', clientSecret: 'not:so secret+%' } as const;

export type TestEndpoint = 'oauth-metadata' | 'oidc-metadata' | 'jwks' | 'introspect';

/** How an endpoint misbehaves: a status, silence, text that is no JSON, more than anyone wants, or a way elsewhere. */
export type TestFault = number | 'hang' | 'garbage' | 'huge' | { readonly redirect: string };

export interface TestIssuerOptions {
  /** Of the issuer's URL, such as `/realms/acme`. Default: none. */
  readonly path?: string;
  /** `aud` of its tokens. Default {@link TEST_RESOURCE}. */
  readonly audience?: string;
  /** One published key for each; the first is what tokens are signed with. Default ES256 and RS256. */
  readonly algs?: readonly string[];
}

export interface TestTokenOptions {
  /** Default: the first of the issuer's. `none` leaves the signature empty. */
  readonly alg?: string;
  /** Default: that of the newest key of the algorithm. `null` leaves it out. */
  readonly kid?: string | null;
  /** Default `at+jwt`. `null` leaves it out. */
  readonly typ?: string | null;
  /** Default: the newest key of the algorithm. */
  readonly key?: CryptoKey | Uint8Array;
  /** Header parameters beside these. */
  readonly header?: Readonly<Record<string, unknown>>;
}

interface TestKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** An authorization server as far as a resource server sees it: metadata, keys, introspection, and tokens. */
export class TestIssuer implements AsyncDisposable {
  /** Requests that each endpoint has had. */
  readonly requests: Record<TestEndpoint, number> = { 'oauth-metadata': 0, 'oidc-metadata': 0, jwks: 0, introspect: 0 };
  /** Members of the metadata that differ from the right ones; `undefined` leaves one out. */
  readonly metadata: Record<string, unknown> = {};

  private readonly faults = new Map<TestEndpoint, TestFault>();
  private readonly opaque = new Map<string, Readonly<Record<string, unknown>>>();
  private keys: TestKey[] = [];
  private server: Server | undefined;
  private port = 0;

  private constructor(private readonly options: TestIssuerOptions) {}

  static async start(options: TestIssuerOptions = {}): Promise<TestIssuer> {
    const issuer = new TestIssuer(options);
    const algs = options.algs ?? ['ES256', 'RS256'];
    issuer.keys = await Promise.all(algs.map((alg) => createKey(alg)));
    await issuer.resume();
    return issuer;
  }

  /** Its identifier, `iss` of its tokens. */
  get issuer(): string {
    return `${this.origin}${this.options.path ?? ''}`;
  }

  get jwksUri(): string {
    return `${this.origin}/jwks`;
  }

  get introspectionEndpoint(): string {
    return `${this.origin}/introspect`;
  }

  get jwksFetches(): number {
    return this.requests.jwks;
  }

  /** An access token; a claim that is `undefined` is left out. */
  async token(claims: Readonly<Record<string, unknown>> = {}, options: TestTokenOptions = {}): Promise<string> {
    const alg = options.alg ?? this.keys[0]!.alg;
    const known = options.key === undefined && alg !== 'none' ? this.keyOf(alg) : undefined;
    const kid = options.kid === undefined ? known?.kid : options.kid;
    const typ = options.typ === undefined ? 'at+jwt' : options.typ;
    const header = { alg, ...(kid != null && { kid }), ...(typ != null && { typ }), ...options.header };
    const payload = new TextEncoder().encode(JSON.stringify({ ...this.defaultClaims(), ...claims }));
    if (alg === 'none') return `${base64url(JSON.stringify(header))}.${base64url(payload)}.`;
    // jose refuses to sign what it does not understand, unless told that it does.
    const crit = (options.header?.['crit'] ?? []) as string[];
    return new CompactSign(payload)
      .setProtectedHeader(header)
      .sign(options.key ?? known!.privateKey, { crit: Object.fromEntries(crit.map((name) => [name, true])) });
  }

  /** A token that says nothing but to `/introspect`. */
  opaqueToken(claims: Readonly<Record<string, unknown>> = {}): string {
    const token = randomBytes(24).toString('base64url');
    this.opaque.set(token, { ...this.defaultClaims(), token_type: 'Bearer', ...claims });
    return token;
  }

  /** From now on an opaque token is not active. */
  revoke(token: string): void {
    this.opaque.delete(token);
  }

  /**
   * Publishes new keys and signs with them at once.
   * @param keepOld also publishes the keys so far. Default true, as a careful issuer does.
   */
  async rotate({ keepOld = true }: { readonly keepOld?: boolean } = {}): Promise<void> {
    const algs = [...new Set(this.keys.map(({ alg }) => alg))];
    const fresh = await Promise.all(algs.map((alg) => createKey(alg)));
    this.keys = keepOld ? [...fresh, ...this.keys] : fresh;
  }

  /** The newest public key of the algorithm, as PEM. */
  publicKeyPem(alg = this.keys[0]!.alg): Promise<string> {
    return exportSPKI(this.keyOf(alg).publicKey);
  }

  /** From now on, until {@link heal}, the endpoint does this. */
  fault(endpoint: TestEndpoint, fault: TestFault): void {
    this.faults.set(endpoint, fault);
  }

  heal(): void {
    this.faults.clear();
  }

  /** Goes away: connections are refused until {@link resume}. */
  async pause(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (!server) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  /** Is back, at the same address. */
  async resume(): Promise<void> {
    const server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pause();
  }

  private get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private keyOf(alg: string): TestKey {
    const key = this.keys.find((candidate) => candidate.alg === alg);
    if (!key) throw new Error(`The test issuer has no key for ${alg}: start it with algs, or give a key.`);
    return key;
  }

  private defaultClaims(): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.issuer,
      aud: this.options.audience ?? TEST_RESOURCE,
      sub: 'alice',
      client_id: 'cli',
      scope: 'mcp:read mcp:write',
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
    };
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const endpoint = this.endpointAt(new URL(request.url!, this.origin).pathname);
    if (!endpoint) return send(response, 404, { error: 'not_found' });
    this.requests[endpoint]++;
    const fault = this.faults.get(endpoint);
    if (fault !== undefined) return misbehave(response, fault);
    switch (endpoint) {
      case 'jwks':
        return send(response, 200, { keys: await Promise.all(this.keys.map(toJwk)) });
      case 'introspect':
        return this.introspect(request, response);
      case 'oauth-metadata':
      case 'oidc-metadata':
        return send(response, 200, this.describe());
    }
  }

  private endpointAt(pathname: string): TestEndpoint | undefined {
    const path = this.options.path ?? '';
    const endpoints: Record<string, TestEndpoint> = {
      // RFC 8414 section 3.1 puts the well-known part before the path, OpenID Connect Discovery 4.1 behind it.
      [`/.well-known/oauth-authorization-server${path}`]: 'oauth-metadata',
      [`${path}/.well-known/openid-configuration`]: 'oidc-metadata',
      '/jwks': 'jwks',
      '/introspect': 'introspect',
    };
    return endpoints[pathname];
  }

  private describe(): Record<string, unknown> {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.origin}/authorize`,
      token_endpoint: `${this.origin}/token`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      jwks_uri: this.jwksUri,
      introspection_endpoint: this.introspectionEndpoint,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
      ...this.metadata,
    };
  }

  private async introspect(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return send(response, 405, { error: 'invalid_request' });
    // RFC 6749 section 2.3.1: each half is form-encoded before the two are joined.
    const pair = [TEST_CLIENT.clientId, TEST_CLIENT.clientSecret].map(formEncode).join(':');
    const basic = /^Basic (.*)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (formDecode(Buffer.from(basic, 'base64').toString()) !== formDecode(pair)) {
      return send(response, 401, { error: 'invalid_client' });
    }
    const claims = this.opaque.get(new URLSearchParams(await text(request)).get('token') ?? '');
    send(response, 200, claims ? { active: true, ...claims } : { active: false });
  }
}

async function createKey(alg: string): Promise<TestKey> {
  return { alg, kid: randomUUID(), ...(await generateKeyPair(alg, { extractable: true })) };
}

async function toJwk({ publicKey, alg, kid }: TestKey): Promise<Record<string, unknown>> {
  return { ...(await exportJWK(publicKey)), alg, kid, use: 'sig' };
}

function misbehave(response: ServerResponse, fault: TestFault): void {
  if (fault === 'hang') return;
  if (typeof fault === 'number') return send(response, fault, { error: 'temporarily_unavailable' });
  if (fault === 'garbage') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('<html>{');
  } else if (fault === 'huge') {
    send(response, 200, { keys: [], issuer: '', padding: 'x'.repeat(4 * 1024 * 1024) });
  } else {
    response.writeHead(302, { location: fault.redirect }).end();
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function base64url(value: string | Uint8Array): string {
  return Buffer.from(value).toString('base64url');
}

function formEncode(value: string): string {
  return new URLSearchParams({ v: value }).toString().slice(2);
}

function formDecode(value: string): string {
  return decodeURIComponent(value.replaceAll('+', '%20'));
}
