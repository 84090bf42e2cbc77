import {
  Client as ClientV2,
  ClientCredentialsProvider as ClientCredentialsV2,
  type ClientCredentialsProviderOptions,
  type OAuthClientProvider,
  PrivateKeyJwtProvider as PrivateKeyJwtV2,
  type PrivateKeyJwtProviderOptions,
  StreamableHTTPClientTransport as TransportV2,
  UnauthorizedError as UnauthorizedV2,
} from '@modelcontextprotocol/client';
import {
  auth as authV1,
  extractWWWAuthenticateParams,
  type OAuthClientProvider as ProviderV1,
  UnauthorizedError as UnauthorizedV1,
} from '@modelcontextprotocol/sdk/client/auth.js';
import {
  ClientCredentialsProvider as ClientCredentialsV1,
  PrivateKeyJwtProvider as PrivateKeyJwtV1,
} from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Json } from '../../support/wire.js';
import { Person } from './person.js';

/** A client of the field that brings a token, as far as these tests use it. */
export interface OAuthClient extends AsyncDisposable {
  /** What it sent to whom, and how that went: `POST /mcp 401`. */
  readonly trace: string[];
  listTools(): Promise<string[]>;
  /** The text of the result. */
  call(name: string): Promise<string>;
}

export interface OAuthClientKind {
  readonly name: string;
  readonly era: 'stateless' | 'session';
  /** Connects; whoever is asked to log in does, and the client goes on from there. */
  connect(url: string, provider: OAuthClientProvider): Promise<OAuthClient>;
  /** What it has for machines: a secret, and a key. */
  withSecret(options: ClientCredentialsProviderOptions): OAuthClientProvider;
  withKey(options: PrivateKeyJwtProviderOptions): OAuthClientProvider;
}

const INFO = { name: 'oauth-client', version: '1.0.0' };

/** A fetch that writes down what it does, and keeps the last challenge it was given. */
function tracing() {
  const trace: string[] = [];
  const seen: { challenge?: Response } = {};
  const traced = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const response = await fetch(url, init);
    trace.push(`${init?.method ?? 'GET'} ${new URL(url).pathname} ${response.status}`);
    if (response.headers.has('www-authenticate')) seen.challenge = response;
    return response;
  };
  return { trace, seen, fetch: traced };
}

function textOf(result: Json): string {
  return (result['content'] as { text: string }[])[0]?.text ?? '';
}

async function connectV2(mode: 'auto' | 'legacy', url: string, provider: OAuthClientProvider): Promise<OAuthClient> {
  const { trace, fetch } = tracing();
  let transport = new TransportV2(new URL(url), { authProvider: provider, fetch });

  async function signedIn<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof UnauthorizedV2 && provider instanceof Person && provider.answer)) throw error;
      await transport.finishAuth(provider.answer);
      return attempt();
    }
  }

  let client: ClientV2 | undefined;
  await signedIn(async () => {
    // A transport starts once; the provider keeps what it has learnt.
    if (client) transport = new TransportV2(new URL(url), { authProvider: provider, fetch });
    client = new ClientV2(INFO, { versionNegotiation: { mode } });
    await client.connect(transport);
  });
  const connected = client!;
  return {
    trace,
    listTools: () => signedIn(async () => (await connected.listTools()).tools.map(({ name }) => name)),
    call: (name) => signedIn(async () => textOf(await connected.callTool({ name, arguments: {} }))),
    [Symbol.asyncDispose]: () => connected.close(),
  };
}

async function connectV1(url: string, provider: OAuthClientProvider): Promise<OAuthClient> {
  const { trace, seen, fetch } = tracing();
  const options = { authProvider: provider as ProviderV1, fetch };
  let transport = new TransportV1(new URL(url), options);

  async function signedIn<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (!(provider instanceof Person)) throw error;
      const missing = insufficientScope(error) && seen.challenge && extractWWWAuthenticateParams(seen.challenge);
      if (missing) await stepUp(provider, missing);
      else if (!(error instanceof UnauthorizedV1)) throw error;
      await transport.finishAuth(provider.answer?.get('code') ?? '');
      return attempt();
    }
  }

  /** Version 1 refreshes in answer to a 403, which widens nothing (RFC 6749, section 6), and leaves the rest to its host. */
  async function stepUp(person: Person, missing: { resourceMetadataUrl?: URL; scope?: string }): Promise<void> {
    const scopes = new Set([...(person.tokens()?.scope?.split(' ') ?? []), ...(missing.scope?.split(' ') ?? [])]);
    person.invalidateCredentials('tokens');
    await authV1(provider, { serverUrl: url, ...missing, scope: [...scopes].join(' '), fetchFn: fetch });
  }

  let client: ClientV1 | undefined;
  await signedIn(async () => {
    if (client) transport = new TransportV1(new URL(url), options);
    client = new ClientV1(INFO);
    await client.connect(transport);
  });
  const connected = client!;
  return {
    trace,
    listTools: () => signedIn(async () => (await connected.listTools()).tools.map(({ name }) => name)),
    call: (name) => signedIn(async () => textOf(await connected.callTool({ name, arguments: {} }))),
    [Symbol.asyncDispose]: () => connected.close(),
  };
}

function insufficientScope(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 403 && error.message.includes('upscoping');
}

const MACHINES_V2: Pick<OAuthClientKind, 'withSecret' | 'withKey'> = {
  withSecret: (options) => new ClientCredentialsV2(options),
  withKey: (options) => new PrivateKeyJwtV2(options),
};

export const OAUTH_CLIENTS: readonly OAuthClientKind[] = [
  {
    name: 'SDK v2, auto',
    era: 'stateless',
    connect: (url, provider) => connectV2('auto', url, provider),
    ...MACHINES_V2,
  },
  {
    name: 'SDK v2, legacy',
    era: 'session',
    connect: (url, provider) => connectV2('legacy', url, provider),
    ...MACHINES_V2,
  },
  {
    name: 'SDK v1',
    era: 'session',
    connect: connectV1,
    withSecret: (options) => new ClientCredentialsV1(options),
    withKey: (options) => new PrivateKeyJwtV1(options),
  },
];
