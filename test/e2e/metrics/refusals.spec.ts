import { Injectable } from '@nestjs/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ANONYMOUS,
  Authenticator,
  McpError,
  McpMetricsModule,
  McpModule,
  type McpOptions,
  McpTool,
  type ObservedCapability,
  type ObservedOperation,
  type OperationEnd,
  Public,
  RequireRoles,
  type ServerObserver,
} from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { ERAS } from '../limits/caller.js';
import { Scrape } from './scrape.js';

@Injectable()
class Shop {
  @McpTool()
  @Public()
  greet(): string {
    return 'hello';
  }

  @McpTool()
  @RequireRoles('admin')
  hidden(): string {
    return 'never';
  }

  @McpTool()
  undeclared(): string {
    return 'never';
  }
}

async function boot(options: McpOptions = {}, authenticator?: Authenticator): Promise<McpTestApp> {
  class ShopModule {}
  const modules = [McpModule.forRoot(), McpMetricsModule.forRoot(), { module: ShopModule, providers: [Shop] }];
  const override = authenticator ? [[Authenticator, authenticator] as const] : [];
  const app = await createMcpTestApp(modules, { logger: false, options, override });
  onTestFinished(() => app.close());
  return app;
}

/** Notes all that it hears. */
class Notes implements ServerObserver {
  readonly begun: ObservedOperation[] = [];
  readonly ended: OperationEnd[] = [];
  readonly handled: ObservedCapability[] = [];

  operation(operation: ObservedOperation) {
    this.begun.push(operation);
    return { ended: (end: OperationEnd) => void this.ended.push(end) };
  }

  handler<T>(capability: ObservedCapability, work: () => Promise<T>): Promise<T> {
    this.handled.push(capability);
    return work();
  }
}

describe('callers who could not be identified', () => {
  it.each([
    ['because the issuer is away', new McpError('UNAVAILABLE', 'Try again later.'), 'unavailable', undefined],
    ['because the authenticator is broken', new TypeError('a defect'), 'internal_error', undefined],
    ['because their token is none', new McpError('UNAUTHORIZED', 'No.'), 'denied', 'authentication'],
  ])('%s are counted so', async (_why, error, type, reason) => {
    const app = await boot({}, { authenticate: () => Promise.reject(error) });
    await (await fetch(app.url, { method: 'POST', body: '{}' })).text();

    const scrape = await Scrape.of(app.url);

    expect(scrape.value('mcp_server_operation_duration_seconds_count', { error_type: type })).toBe(1);
    expect(scrape.value('mcp_server_operation_duration_seconds_count')).toBe(1);
    expect(scrape.value('mcp_server_denials_total')).toBe(reason ? 1 : 0);
    if (reason) expect(scrape.value('mcp_server_denials_total', { reason })).toBe(1);
  });
});

describe.each(ERAS)('in the %s era', (era) => {
  it('what a caller must not know of is named nowhere, and the reason is', async () => {
    const app = await boot({ access: { undeclared: 'nobody' } }, authenticatorOfAda);
    const client = app.client({ era });
    for (const tool of ['hidden', 'undeclared']) await client.call(tool).catch(() => undefined);

    const scrape = await Scrape.of(app.url);

    expect(scrape.text).not.toMatch(/"(hidden|undeclared)",g/);
    expect(scrape.value('mcp_server_denials_total', { reason: 'role' })).toBe(1);
    expect(scrape.value('mcp_server_denials_total', { reason: 'undeclared' })).toBe(1);
  });

  it('observers are given names that stay, and no credentials', async () => {
    const notes = new Notes();
    const app = await boot({ observers: [notes] });
    const headers = { authorization: 'Bearer SECRET', cookie: 'SECRET' };
    const client = app.client({ era, headers });
    for (let i = 0; i < 2; i += 1) await client.call('greet');
    const [first, second] = notes.handled;

    expect(first).toEqual({ kind: 'tool', key: 'greet' });
    expect(Object.isFrozen(first)).toBe(true);
    expect([second, notes.ended.at(-1)?.capability]).toEqual([first, first]);
    expect(second === first && notes.ended.at(-1)?.capability === first).toBe(true);
    expect(notes.begun.length).toBeGreaterThanOrEqual(2);
    expect(notes.begun.every(({ headers: seen }) => seen?.['host'] !== undefined)).toBe(true);
    expect(JSON.stringify(notes.begun.map(({ headers: seen }) => seen))).not.toMatch(/SECRET|mcp-session-id/);
  });
});

const authenticatorOfAda: Authenticator = {
  authenticate: () => ({ ...ANONYMOUS, issuer: 'test', subject: 'ada' }),
};
