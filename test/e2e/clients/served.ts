import { Module, type Provider } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpModule, type McpOptions, McpRegistry } from '../../../src/index.js';

/** What an application logged as an error. */
export type ErrorLog = readonly unknown[][];

/** An application behind a real socket of the loopback interface. */
export interface Served extends AsyncDisposable {
  readonly app: NestFastifyApplication;
  readonly registry: McpRegistry;
  readonly server: Server;
  readonly port: number;
  /** Address of the MCP endpoint. */
  readonly url: string;
  readonly errors: ErrorLog;
}

/** Serves providers as a team's module would, on a free port. */
export async function serve(providers: Provider[], options: McpOptions = {}): Promise<Served> {
  @Module({ providers })
  class FixtureModule {}

  const errors: unknown[][] = [];
  const silent = { log: () => undefined, warn: () => undefined, error: (...said: unknown[]) => void errors.push(said) };
  // A test that is over waits for no call that it has left behind.
  const http = { drainGraceMs: 0, ...options.http };
  const testing = await Test.createTestingModule({ imports: [McpModule.forRoot({ ...options, http }), FixtureModule] })
    .setLogger(silent)
    .compile();
  const app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer();
  const { port } = server.address() as AddressInfo;
  return {
    app,
    registry: app.get(McpRegistry),
    server,
    port,
    url: `http://127.0.0.1:${port}/mcp`,
    errors,
    [Symbol.asyncDispose]: async () => {
      // What a test left open must not hold up the end.
      server.closeAllConnections();
      await app.close();
    },
  };
}
