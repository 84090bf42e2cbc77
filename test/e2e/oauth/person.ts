import { randomUUID } from 'node:crypto';
import type { OAuthClientProvider, OAuthDiscoveryState, OAuthTokens } from '@modelcontextprotocol/client';
import type { Browser } from '../../support/oauth/browser.js';

type ClientInformation = NonNullable<Awaited<ReturnType<OAuthClientProvider['clientInformation']>>>;

/** Where an application that runs on a person's machine waits for the answer (RFC 8252, section 7.3). */
export const CALLBACK = 'http://127.0.0.1:6274/callback';

/**
 * A person in front of an MCP client that nobody registered: what the client keeps for them, and the browser it sends
 * them to.
 */
export class Person implements OAuthClientProvider {
  readonly redirectUrl = CALLBACK;
  readonly clientMetadata = {
    client_name: 'desk client',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native' as const,
  };
  /** Parameters of the authorization requests, in order. */
  readonly asked: Record<string, string>[] = [];
  /** What came back to the client from the browser last. */
  answer: URLSearchParams | undefined;

  private registration: ClientInformation | undefined;
  private granted: OAuthTokens | undefined;
  private discovered: OAuthDiscoveryState | undefined;
  private verifier = '';
  private expectedState = '';

  constructor(private readonly browser: Browser) {}

  state(): string {
    return (this.expectedState = randomUUID());
  }

  async redirectToAuthorization(request: URL): Promise<void> {
    this.asked.push(Object.fromEntries(request.searchParams));
    this.answer = await this.browser.authorize(request, CALLBACK);
    if (this.answer.get('state') !== this.expectedState) throw new Error('This answers another question.');
  }

  clientInformation(): ClientInformation | undefined {
    return this.registration;
  }

  saveClientInformation(registration: ClientInformation): void {
    this.registration = registration;
  }

  tokens(): OAuthTokens | undefined {
    return this.granted;
  }

  saveTokens(tokens: OAuthTokens): void {
    this.granted = tokens;
  }

  invalidateCredentials(what: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): void {
    if (what === 'all' || what === 'tokens') this.granted = undefined;
    if (what === 'all' || what === 'client') this.registration = undefined;
    if (what === 'all' || what === 'verifier') this.verifier = '';
    if (what === 'all' || what === 'discovery') this.discovered = undefined;
  }

  codeVerifier(): string {
    return this.verifier;
  }

  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.discovered;
  }

  saveDiscoveryState(discovered: OAuthDiscoveryState): void {
    this.discovered = discovered;
  }
}
