import { Injectable, Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  McpCall,
  McpModule,
  type McpOptions,
  McpTool,
  Public,
  RequireRoles,
  RequireScopes,
} from '../../../src/index.js';
import { freePort } from '../../support/free-port.js';

/** Scopes of the shop, as an authorization server knows them. */
export const SHOP_SCOPES = ['orders:read', 'orders:refund'] as const;

@Injectable()
class ShopTools {
  @McpTool()
  @RequireScopes('orders:read')
  orders(): string {
    return 'ORD-001, ORD-002';
  }

  @McpTool()
  @RequireScopes('orders:read', 'orders:refund')
  refund(): string {
    return 'refunded';
  }

  @McpTool()
  @RequireRoles('auditor')
  ledger(): string {
    return 'all is well';
  }

  @McpTool()
  whoami({ principal }: McpCall): string {
    const { issuer, subject, client, tenant, scopes } = principal;
    return JSON.stringify({ issuer, subject, client, tenant, scopes: [...scopes].sort() });
  }

  @McpTool()
  session({ sessionId }: McpCall): string {
    return sessionId ?? 'none';
  }
}

/** What a shop has for everyone besides. */
@Injectable()
export class OpeningHours {
  @McpTool()
  @Public()
  hours({ principal }: McpCall): string {
    return `9 to 5, ${principal.subject}`;
  }
}

/** Name of a resource that nothing serves yet: an authorization server has to know it beforehand. */
export async function freeResource(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}/mcp`;
}

/** Serves a shop, for callers with tokens, where its resource says; with what else it is given. */
export async function serveShop(
  resource: string,
  auth: Omit<Exclude<NonNullable<McpOptions['auth']>, string>, 'resource'>,
  more: readonly Provider[] = [],
): Promise<AsyncDisposable> {
  @Module({
    imports: [McpModule.forRoot({ auth: { resource, ...auth }, http: { drainGraceMs: 0 } })],
    providers: [ShopTools, ...more],
  })
  class ShopModule {}

  const app = await NestFactory.create<NestFastifyApplication>(ShopModule, new FastifyAdapter(), { logger: ['error'] });
  await app.listen(Number(new URL(resource).port), '127.0.0.1');
  return {
    [Symbol.asyncDispose]: async () => {
      // What a test left open must not hold up the end.
      app.getHttpServer().closeAllConnections();
      await app.close();
    },
  };
}
