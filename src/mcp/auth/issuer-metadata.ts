import {
  allowInsecureRequests,
  type AuthorizationServer,
  customFetch,
  discoveryRequest,
  processDiscoveryResponse,
} from 'oauth4webapi';
import type { IssuerHttp } from './issuer-http.js';
import { IssuerUnavailable } from './issuer-unavailable.error.js';
import { isLoopback, secureUrl } from './secure-url.js';

/** Age from which on metadata is read again before it is used for something. */
const MAX_AGE_MS = 60 * 60 * 1_000;

export type IssuerEndpoint = 'jwks_uri' | 'introspection_endpoint';

/** What an issuer says about itself. */
export class IssuerMetadata {
  private known: { readonly metadata: AuthorizationServer; readonly readAt: number } | undefined;
  private reading: Promise<AuthorizationServer> | undefined;

  /** @param now milliseconds by a clock that nobody sets */
  constructor(
    private readonly issuer: string,
    private readonly http: Pick<IssuerHttp, 'fetch'>,
    private readonly now: () => number,
  ) {}

  /**
   * The URL of an endpoint; the one that was known before while the issuer cannot be asked.
   * @throws IssuerUnavailable when it cannot be asked, or does not say
   */
  async endpoint(name: IssuerEndpoint): Promise<string> {
    const metadata = await this.current();
    const value = metadata[name];
    if (value === undefined) throw new IssuerUnavailable(`its metadata has no ${name}: give the URL in the options`);
    try {
      const url = secureUrl(name, value);
      // An issuer elsewhere has no business on this machine.
      if (url.protocol !== 'https:' && !isLoopback(new URL(this.issuer))) throw new Error(`${name} must be https.`);
    } catch (error) {
      throw new IssuerUnavailable(`its metadata is unusable: ${(error as Error).message}`);
    }
    return value;
  }

  private async current(): Promise<AuthorizationServer> {
    if (this.known && this.now() < this.known.readAt + MAX_AGE_MS) return this.known.metadata;
    try {
      return await (this.reading ??= this.read().finally(() => (this.reading = undefined)));
    } catch (error) {
      if (this.known) return this.known.metadata;
      throw error;
    }
  }

  private async read(): Promise<AuthorizationServer> {
    const troubles: string[] = [];
    for (const algorithm of ['oauth2', 'oidc'] as const) {
      try {
        const metadata = await this.readFrom(algorithm);
        this.known = { metadata, readAt: this.now() };
        return metadata;
      } catch (error) {
        troubles.push((error as Error).message);
      }
    }
    throw new IssuerUnavailable(`its metadata cannot be read: ${troubles.join('; ')}`);
  }

  private async readFrom(algorithm: 'oauth2' | 'oidc'): Promise<AuthorizationServer> {
    const issuer = new URL(this.issuer);
    // Options and metadata have been through secureUrl, which allows http on loopback alone.
    const options = { algorithm, [customFetch]: this.http.fetch, [allowInsecureRequests]: true as const };
    const metadata = await processDiscoveryResponse(issuer, await discoveryRequest(issuer, options));
    // RFC 8414 section 3.3 wants them identical; oauth4webapi compares URLs, for which more texts than one are the same.
    if (metadata.issuer !== this.issuer) {
      throw new IssuerUnavailable('the issuer that it names is not exactly the configured one');
    }
    return metadata;
  }
}
