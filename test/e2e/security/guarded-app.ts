import type { InjectionToken, LoggerService, Provider, Type } from '@nestjs/common';
import type { IssuerOptions, McpOptions, OAuthOptions } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { TEST_RESOURCE, TestIssuer, type TestIssuerOptions } from '../../support/oauth/test-issuer.js';
import { type Json, WireSession, initialize, post, statelessRequest } from '../../support/wire.js';

/** Where a challenge says that the metadata of {@link TEST_RESOURCE} is. */
export const METADATA = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"';

export type Headers = Record<string, string | undefined>;

interface GuardedOptions {
  readonly imports?: Type[];
  readonly providers?: Provider[];
  readonly options?: Omit<McpOptions, 'auth'>;
  readonly auth?: Partial<OAuthOptions>;
  /** How the issuer is trusted. */
  readonly trust?: Partial<IssuerOptions>;
  readonly issuer?: TestIssuerOptions;
  /** What has become of the issuer before the server starts. */
  readonly before?: (issuer: TestIssuer) => void | Promise<void>;
  readonly logger?: LoggerService | false;
}

/** A server that takes the tokens of one issuer of its own, and that issuer. */
export class GuardedApp implements AsyncDisposable {
  private constructor(
    readonly issuer: TestIssuer,
    private readonly app: McpTestApp,
  ) {}

  static async start(setup: GuardedOptions = {}): Promise<GuardedApp> {
    const { imports = [], providers = [], options, auth, trust, issuer, before, logger = false } = setup;
    const issued = await TestIssuer.start({ algs: ['ES256'], ...issuer });
    await before?.(issued);
    const trusted = [{ issuer: issued.issuer, ...trust }];
    class GuardedModule {}
    const app = await createMcpTestApp(
      { module: GuardedModule, imports, providers },
      {
        testPrincipals: false,
        logger,
        options: { ...options, auth: { resource: TEST_RESOURCE, issuers: trusted, ...auth } },
      },
    );
    return new GuardedApp(issued, app);
  }

  get url(): string {
    return this.app.url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get<T>(token: InjectionToken<T>): T {
    return this.app.get(token);
  }

  /** A header with a token of the issuer. */
  async bearer(claims: Json = {}): Promise<{ authorization: string }> {
    return bearer(await this.issuer.token(claims));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.app.app.getHttpServer().closeAllConnections();
    await this.app.close();
    await this.issuer[Symbol.asyncDispose]();
  }
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** What a request is about in each era that needs nothing before it: the same must be said of both. */
export const KNOCKS = [
  {
    era: 'stateless',
    knock: (url: string, headers: Headers = {}) => statelessRequest(url, 'tools/list', {}, { headers }),
  },
  {
    era: 'session',
    knock: (url: string, headers: Headers = {}) => post(url, JSON.stringify(initialize('2025-11-25')), headers),
  },
] as const;

/** Opens a session with a token. */
export async function sessionFor(
  url: string,
  headers: Headers,
  capabilities: Json = {},
  revision = '2025-11-25',
): Promise<WireSession> {
  const opened = await post(url, JSON.stringify(initialize(revision, capabilities)), headers);
  if (opened.status !== 200) throw new Error(`No session: ${opened.status} ${await opened.text()}`);
  await opened.body?.cancel();
  const session = as({ url, id: opened.headers.get('mcp-session-id') ?? '', revision }, headers);
  await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return session;
}

/** The same session, as whoever these headers belong to sends requests to it; at another address, if one is given. */
export function as(
  { url, id, revision }: Pick<WireSession, 'url' | 'id' | 'revision'>,
  headers: Headers,
  address = url,
): WireSession {
  return Object.assign(Object.create(WireSession.prototype) as WireSession, {
    url: address,
    id,
    revision,
    headers: (more: Headers = {}) => ({
      'mcp-session-id': id,
      'mcp-protocol-version': revision,
      ...headers,
      ...more,
    }),
  });
}
