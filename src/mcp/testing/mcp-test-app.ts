import type { InjectionToken } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { McpTestClientOptions } from './client-options.js';
import { McpTestClient } from './mcp-test-client.js';
import { TEST_PRINCIPAL_HEADER, encodeTestPrincipal } from './test-principal.js';

/**
 * An application under test, as `createMcpTestApp` starts it. It is closed by `await using`, or by {@link close}.
 */
export class McpTestApp {
  private readonly clients = new Set<McpTestClient>();
  private closing: Promise<void> | undefined;

  /** @internal */
  constructor(
    /** The Nest application: a real Fastify server that listens on a free port of 127.0.0.1. */
    readonly app: NestFastifyApplication,
    /** The MCP endpoint, as `http://127.0.0.1:40123/mcp`. */
    readonly url: string,
    private readonly knowsTestPrincipals: boolean,
  ) {}

  /**
   * A provider of any module.
   * @example `app.get(McpRegistry).addTool({ name: 'ping', handler: () => 'pong' });`
   * @throws Error when there is none
   */
  get<T>(token: InjectionToken<T>): T {
    return this.app.get<T>(token, { strict: false });
  }

  /**
   * A client of this application. It closes with the application, or before.
   * @throws Error when it has a principal or scopes, but the application authenticates its callers itself
   */
  client(options: McpTestClientOptions = {}): McpTestClient {
    const { principal, scopes, headers } = options;
    const named = principal !== undefined || scopes !== undefined;
    if (named && !this.knowsTestPrincipals) {
      throw new Error(
        'This app authenticates its callers itself, so a test client cannot say who it is. ' +
          'Send credentials in `headers`, or leave `testPrincipals: false` and the override of Authenticator out.',
      );
    }
    const identity = named ? { [TEST_PRINCIPAL_HEADER]: encodeTestPrincipal(principal ?? {}, scopes ?? []) } : {};
    const client = new McpTestClient(this.url, { ...options, headers: { ...identity, ...headers } });
    this.clients.add(client);
    return client;
  }

  /** Closes the clients, then the application with all its lifecycle hooks. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async closeAll(): Promise<void> {
    await Promise.all([...this.clients].map((client) => client.close()));
    await this.app.close();
  }
}
