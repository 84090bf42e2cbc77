import type { InjectionToken, LoggerService, OptionalFactoryDependency, Provider } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
import { Authenticator } from '../auth/authenticator.port.js';
import type { McpOptions } from '../mcp-options.js';
import { McpModule } from '../mcp.module.js';
import { McpServer } from '../mcp.providers.js';
import { MCP_OPTIONS } from '../mcp.tokens.js';
import { createHttpAdapter } from '../transport/http/http-adapter.js';
import type { HttpOptions } from '../transport/http/http-options.js';
import { type ModuleImport, findMcpModule } from './find-mcp-module.js';
import { McpTestApp } from './mcp-test-app.js';
import { TestAuthenticator } from './test-authenticator.js';

/** How an application is set up for a test. */
export interface McpTestAppOptions {
  /**
   * Providers to replace, each with the value to put in its place. One that no module provides is an error. For
   * guards, pipes, interceptors and filters use {@link prepare}.
   */
  readonly override?: readonly (readonly [token: InjectionToken, value: unknown])[];
  /**
   * Options of the MCP server; they win over those that the modules under test set themselves. Without any the
   * application stops at once: `http.drainGraceMs` lets calls that run finish first.
   */
  readonly options?: McpOptions;
  /**
   * Whether clients may say who they are (`principal`, `scopes`). Default true: the app's `Authenticator` is replaced.
   * With false it stays, and clients send it what it wants in `headers`.
   */
  readonly testPrincipals?: boolean;
  /** Where Nest logs to; false for nowhere. Default: errors to the console. */
  readonly logger?: LoggerService | false;
  /** Does what else Nest's testing module can do, such as `overrideGuard`. */
  readonly prepare?: (builder: TestingModuleBuilder) => void;
  /** Does before it starts what the team's `main.ts` does to the application: pipes, plugins, CORS. */
  readonly configure?: (app: NestFastifyApplication) => void | Promise<void>;
}

/** A test that is over waits for no call that it has left behind. */
const AT_ONCE: Partial<HttpOptions> = { drainDelayMs: 0, drainGraceMs: 0 };

const SILENT: LoggerService = { log: () => undefined, error: () => undefined, warn: () => undefined };

/**
 * Starts modules in process, on a real Fastify server that listens on a free port of 127.0.0.1, and hands out clients
 * that speak to it over HTTP. `McpModule` is added unless the modules import it themselves.
 *
 * @throws Error as at boot, when the application cannot start; nothing stays open then
 * @example
 * ```ts
 * await using app = await createMcpTestApp(RefundModule, { override: [[PaymentsService, fakePayments]] });
 * const client = app.client({ era: 'stateless', scopes: ['payments:refund'] }).onElicit(() => ({ confirmed: true }));
 * expect(await client.call('refundOrder', { orderId: 'ORD-000123' })).toMatchObject({
 *   structuredContent: { refunded: 4200 },
 * });
 * ```
 */
export async function createMcpTestApp(
  modules: ModuleImport | readonly ModuleImport[],
  setup: McpTestAppOptions = {},
): Promise<McpTestApp> {
  const { override = [], testPrincipals = true, prepare, configure, logger } = setup;
  const authenticates = !testPrincipals || override.some(([token]) => token === Authenticator);

  const builder = await withMcpModule(toList(modules), setup.options);
  if (logger !== undefined) builder.setLogger(logger || SILENT);
  if (!authenticates) builder.overrideProvider(Authenticator).useValue(new TestAuthenticator());
  for (const [token, value] of override) builder.overrideProvider(token).useValue(value);
  prepare?.(builder);
  const testing = await builder.compile();

  const app = testing.createNestApplication<NestFastifyApplication>(createHttpAdapter());
  try {
    for (const [token, value] of override) requireOverridden(testing, token, value);
    await configure?.(app);
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  const { path } = app.get(McpServer, { strict: false }).services.options;
  return new McpTestApp(app, new URL(path, await app.getUrl()).href, !authenticates);
}

/** The modules with exactly one `McpModule` among them. */
async function withMcpModule(modules: ModuleImport[], options: McpOptions = {}): Promise<TestingModuleBuilder> {
  const own = await findMcpModule(modules);
  if (!own) {
    // Nobody waits a second for a stream to be resumed when both ends are in one process.
    const http = { retryMs: 10, ...AT_ONCE, ...options.http };
    return Test.createTestingModule({ imports: [McpModule.forRoot({ ...options, http }), ...modules] });
  }
  const builder = Test.createTestingModule({ imports: modules });
  const { factory, inject } = factoryOf(own.providers ?? []);
  return builder.overrideProvider(MCP_OPTIONS).useFactory({
    factory: async (...injected: unknown[]) => merged(await factory(...injected), options),
    inject,
  });
}

interface OptionsFactory {
  readonly factory: (...injected: unknown[]) => McpOptions | Promise<McpOptions>;
  readonly inject: (InjectionToken | OptionalFactoryDependency)[];
}

/** What the module makes its options with, whether `forRoot` or `forRootAsync` made it. */
function factoryOf(providers: readonly Provider[]): OptionsFactory {
  const provider = providers.find((each) => 'provide' in each && each.provide === MCP_OPTIONS);
  if (provider && 'useFactory' in provider) {
    return { factory: provider.useFactory as OptionsFactory['factory'], inject: provider.inject ?? [] };
  }
  const options = provider && 'useValue' in provider ? (provider.useValue as McpOptions) : {};
  return { factory: () => options, inject: [] };
}

/** A deployment's hosts do not include the one that tests use, unless the test is about hosts. */
function merged(own: McpOptions, options: McpOptions): McpOptions {
  const http = { ...own.http, ...AT_ONCE, ...options.http };
  const hosts = options.http?.allowedHosts ?? (own.http?.allowedHosts && [...own.http.allowedHosts, '127.0.0.1']);
  return { ...own, ...options, http: { ...http, ...(hosts && { allowedHosts: hosts }) } };
}

/** Nest passes silently over an override that replaces nothing. @throws Error */
function requireOverridden(testing: TestingModule, token: InjectionToken, value: unknown): void {
  if (value instanceof Promise) return;
  let present: unknown;
  try {
    present = testing.get<unknown>(token, { strict: false });
  } catch {
    present = undefined;
  }
  if (present === value) return;
  const name = typeof token === 'function' ? token.name : String(token);
  throw new Error(`override: no module provides ${name}, so there is nothing to replace. Check token and imports.`);
}

function toList(modules: ModuleImport | readonly ModuleImport[]): ModuleImport[] {
  return Array.isArray(modules) ? [...(modules as readonly ModuleImport[])] : [modules as ModuleImport];
}
