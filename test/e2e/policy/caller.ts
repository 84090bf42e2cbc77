import type { ModuleMetadata } from '@nestjs/common';
import { Authenticator } from '../../../src/index.js';
import { TestAuthenticator } from '../../../src/mcp/testing/test-authenticator.js';
import {
  TEST_PRINCIPAL_HEADER,
  type TestPrincipal,
  encodeTestPrincipal,
} from '../../../src/mcp/testing/test-principal.js';
import type { McpTestApp, McpTestAppOptions } from '../../../src/testing.js';
import { type Json, initialize, post, statelessRequest } from '../../support/wire.js';
import { serve } from '../nest/serve.js';

export type Era = 'stateless' | 'session';

/** Believes callers who they are, and lets those who do not say so use what is public alone. */
const ASKING: Authenticator = {
  anonymousMayUse: 'public',
  authenticate: (credentials) => new TestAuthenticator().authenticate(credentials),
};

/** Serves an application whose callers have to say who they are: by the headers of {@link as}. */
export function serveAsking(metadata: ModuleMetadata, setup: McpTestAppOptions = {}): Promise<McpTestApp> {
  return serve(metadata, { ...setup, override: [[Authenticator, ASKING], ...(setup.override ?? [])] });
}

/** The headers of somebody. */
export function as(principal: TestPrincipal, ...scopes: string[]): Record<string, string> {
  return { [TEST_PRINCIPAL_HEADER]: encodeTestPrincipal(principal, scopes) };
}

/** What of an answer is to be the same, or not. */
export interface Answer {
  readonly status: number;
  readonly challenge: string | null;
  readonly type: string | null;
  readonly body: string;
}

/** Somebody who speaks HTTP, and sees the bytes of what is answered. */
export class Caller {
  private constructor(
    private readonly url: string,
    readonly era: Era,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly session: string | undefined,
  ) {}

  /** In a session unless it is told otherwise: the headers are those of each of its requests. */
  static async open(url: string, era: Era, headers: Readonly<Record<string, string>> = {}, revision = '2025-11-25') {
    if (era === 'stateless') return new Caller(url, era, headers, undefined);
    const response = await post(url, JSON.stringify(initialize(revision)), headers);
    const session = {
      'mcp-session-id': response.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': revision,
    };
    return new Caller(url, era, { ...headers, ...session }, session['mcp-session-id']);
  }

  request(method: string, params: Json = {}, headers: Record<string, string> = {}): Promise<Response> {
    const all = { ...this.headers, ...headers };
    if (this.session === undefined) return statelessRequest(this.url, method, params, { headers: all });
    return post(this.url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), all);
  }

  /** The answer, to the last byte. */
  async ask(method: string, params: Json = {}, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.request(method, params, headers);
    return {
      status: response.status,
      challenge: response.headers.get('www-authenticate'),
      type: response.headers.get('content-type'),
      body: await response.text(),
    };
  }

  call(name: string, args: Json = {}): Promise<Answer> {
    return this.ask('tools/call', { name, arguments: args });
  }

  post(message: unknown): Promise<Response> {
    return post(this.url, JSON.stringify(message), this.headers);
  }

  /** The stream of changes of a session. */
  listen(signal: AbortSignal): Promise<Response> {
    return fetch(this.url, { headers: { ...this.headers, accept: 'text/event-stream' }, signal });
  }
}
