import {
  type CanActivate,
  Injectable,
  type LoggerService,
  Module,
  type OnApplicationShutdown,
  UseGuards,
  forwardRef,
} from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { Authenticator, CurrentCall, McpError, McpModule, McpTool, type Principal } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';

@Injectable()
class Payments implements OnApplicationShutdown {
  static shutdowns = 0;

  refund(): number {
    throw new Error('Real money!');
  }

  onApplicationShutdown(): void {
    Payments.shutdowns += 1;
  }
}

@Injectable()
class Closed implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Injectable()
class Tools {
  constructor(
    private readonly payments: Payments,
    private readonly current: CurrentCall,
  ) {}

  @McpTool()
  refund(): number {
    return this.payments.refund();
  }

  @McpTool()
  whoAmI(): object {
    const { issuer, subject, client, tenant, scopes, claims } = this.current.get().principal;
    return { issuer, subject, client, tenant, scopes: [...scopes], claims };
  }

  @McpTool()
  @UseGuards(Closed)
  guarded(): string {
    return 'open';
  }
}

@Module({ providers: [Payments, Tools] })
class ToolsModule {}

const OWN = { name: 'own', http: { path: '/own', allowedHosts: ['mcp.example.com'] } };

@Module({ imports: [McpModule.forRoot(OWN), ToolsModule] })
class RootModule {}

@Module({ providers: [{ provide: 'OPTIONS', useValue: OWN }], exports: ['OPTIONS'] })
class OptionsModule {}

@Module({
  imports: [
    McpModule.forRootAsync({
      imports: [OptionsModule],
      inject: ['OPTIONS'],
      useFactory: (options: typeof OWN) => options,
    }),
    ToolsModule,
  ],
})
class AsyncRootModule {}

@Module({ imports: [forwardRef(() => RootModule)] })
class OuterModule {}

const serverOf = async (app: Awaited<ReturnType<typeof createMcpTestApp>>): Promise<unknown> => {
  const { _meta: meta } = await app.client().request('server/discover');
  return (meta as Record<string, { name: string }>)['io.modelcontextprotocol/serverInfo']?.name;
};

describe.each(['stateless', 'session'] as const)('a caller in the %s era', (era) => {
  it('is who the test says', async () => {
    await using app = await createMcpTestApp(ToolsModule);
    const principal = { subject: 'ann', client: 'cli', tenant: 'acme', claims: { level: 3 } };
    const { content } = await app.client({ era, principal, scopes: ['payments:refund'] }).call('whoAmI');

    const expected = { issuer: 'test', ...principal, scopes: ['payments:refund'] };
    expect(JSON.parse((content[0] as { text: string }).text)).toEqual(expected);
  });

  it.each([
    ['anonymous', {}, { issuer: 'anonymous', subject: 'anonymous', scopes: [] }],
    ['a tester with scopes', { scopes: ['a', 'b'] }, { issuer: 'test', subject: 'tester', scopes: ['a', 'b'] }],
    ['one with a name that is no header', { principal: { subject: 'Zoë 🦩' } }, { subject: 'Zoë 🦩' }],
  ])('may be %s', async (_name, options, expected) => {
    await using app = await createMcpTestApp(ToolsModule);
    const { content } = await app.client({ era, ...options }).call('whoAmI');

    expect(JSON.parse((content[0] as { text: string }).text)).toMatchObject(expected);
  });

  it('is another with each client', async () => {
    await using app = await createMcpTestApp(ToolsModule);
    const clients = ['ann', 'bob'].map((subject) => app.client({ era, principal: { subject } }));
    const results = await Promise.all(clients.map((client) => client.call('whoAmI')));

    expect(results.map(({ content }) => JSON.parse((content[0] as { text: string }).text).subject)).toEqual([
      'ann',
      'bob',
    ]);
  });

  it("is found out by the app's own authenticator when the test wants it", async () => {
    const authenticate = ({ headers }: { headers: Record<string, unknown> }): Principal => {
      if (headers['authorization'] === 'Bearer good') {
        return { issuer: 'idp', subject: 'real', scopes: new Set(), claims: {} };
      }
      throw new McpError('UNAUTHORIZED', 'Sign in.');
    };
    await using app = await createMcpTestApp(ToolsModule, { override: [[Authenticator, { authenticate }]] });
    const known = app.client({ era, headers: { authorization: 'Bearer good' } });

    expect(await known.call('whoAmI')).toMatchObject({ content: [{ text: expect.stringContaining('real') }] });
    await expect(app.client({ era }).call('whoAmI')).rejects.toMatchObject({ code: 401, status: 401 });
    expect(() => app.client({ era, scopes: ['a'] })).toThrow(/authenticates its callers itself/);
  });

  it('uses what the test puts in place of a provider', async () => {
    await using app = await createMcpTestApp(ToolsModule, { override: [[Payments, { refund: () => 4200 }]] });

    expect(await app.client({ era }).call('refund')).toMatchObject({ content: [{ text: '4200' }] });
  });
});

describe('createMcpTestApp', () => {
  it('leaves the authenticator alone with testPrincipals: false', async () => {
    await using app = await createMcpTestApp(ToolsModule, { testPrincipals: false });

    expect(() => app.client({ principal: {} })).toThrow(/authenticates its callers itself/);
    expect(await app.client().call('whoAmI')).toMatchObject({
      content: [{ text: expect.stringContaining('anonymous') }],
    });
  });

  it.each([
    ['a class', Closed, 'Closed'],
    ['a string', 'NO_SUCH_TOKEN', 'NO_SUCH_TOKEN'],
  ])('refuses to override %s that no module provides', async (_name, token, name) => {
    await expect(createMcpTestApp(ToolsModule, { override: [[token, {}]] })).rejects.toThrow(
      `override: no module provides ${name}`,
    );
  });

  it("does what else Nest's testing module can", async () => {
    await using app = await createMcpTestApp(ToolsModule, {
      prepare: (builder) => builder.overrideGuard(Closed).useValue({ canActivate: () => true }),
    });

    expect(await app.client().call('guarded')).toMatchObject({ content: [{ text: 'open' }] });
  });

  it('takes several modules', async () => {
    @Module({ providers: [{ provide: 'MORE', useValue: 1 }] })
    class MoreModule {}
    await using app = await createMcpTestApp([ToolsModule, MoreModule]);

    expect(app.get('MORE')).toBe(1);
    expect(await app.client().listTools()).toHaveLength(3);
  });

  it.each([
    ['adds McpModule where there is none', ToolsModule, 'rookery', '/mcp'],
    ['keeps the McpModule of a root module', RootModule, 'own', '/own'],
    ['keeps a McpModule that is set up by a factory', AsyncRootModule, 'own', '/own'],
    ['finds a McpModule behind forwardRef', OuterModule, 'own', '/own'],
    ['finds a McpModule in a promise', Promise.resolve({ module: RootModule }), 'own', '/own'],
  ])('%s', async (_name, module, name, path) => {
    await using app = await createMcpTestApp(module);

    expect(new URL(app.url).pathname).toBe(path);
    expect(new URL(app.url).hostname).toBe('127.0.0.1');
    expect(await serverOf(app)).toBe(name);
  });

  it.each([
    ['adds', ToolsModule],
    ['finds', RootModule],
    ['finds set up by a factory', AsyncRootModule],
  ])('gives its options to the McpModule that it %s', async (_name, module) => {
    await using app = await createMcpTestApp(module, { options: { name: 'test', http: { path: '/test' } } });

    expect(new URL(app.url).pathname).toBe('/test');
    expect(await serverOf(app)).toBe('test');
  });

  it('keeps to the hosts that a test is about', async () => {
    await using app = await createMcpTestApp(RootModule, { options: { http: { allowedHosts: ['only.example.com'] } } });

    await expect(app.client().listTools()).rejects.toMatchObject({ code: 403, status: 403 });
  });

  it('configures the application before it starts', async () => {
    await using app = await createMcpTestApp(ToolsModule, {
      configure: async (nest) => void nest.setGlobalPrefix('api').enableCors({ origin: 'https://a.example' }),
    });
    const response = await fetch(app.url, { headers: { origin: 'https://a.example' } });

    expect(response.headers.get('access-control-allow-origin')).toBe('https://a.example');
  });

  it('logs where it is told to', async () => {
    const error = vi.fn();
    const logger: LoggerService = { log: () => undefined, warn: () => undefined, error };
    await using app = await createMcpTestApp(ToolsModule, { logger });
    await app
      .client()
      .call('refund')
      .catch(() => undefined);

    expect(error).toHaveBeenCalledWith(expect.stringContaining('Real money!'), expect.anything(), 'Mcp');
  });
});

describe('disposal', () => {
  /** Sockets and timers that would keep the process alive; those of the test runner are there before and after. */
  const openHandles = (): string[] =>
    process
      .getActiveResourcesInfo()
      .filter((name) => /TCP|Timeout/.test(name))
      .sort();

  /** Lets sockets close that are told to; without a timer, which would be an open handle itself. */
  const closed = async (): Promise<void> => {
    for (let turn = 0; turn < 1_000 && openHandles().some((name) => name.startsWith('TCP')); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it.each(['stateless', 'session'] as const)('leaves nothing open in the %s era', async (era) => {
    await closed();
    const before = openHandles();
    const shutdowns = Payments.shutdowns;
    const app = await createMcpTestApp(ToolsModule);
    const client = app.client({ era });
    const { server } = app.app.getHttpAdapter().getInstance();
    await client.call('whoAmI');
    await client.listen({ toolsListChanged: true });

    expect(server.listening).toBe(true);
    await app[Symbol.asyncDispose]();
    expect(server.listening).toBe(false);
    expect(Payments.shutdowns).toBe(shutdowns + 1);
    await closed();
    const after = openHandles();
    expect(after.filter((name) => name.startsWith('TCP'))).toEqual([]);
    expect(after.length).toBeLessThanOrEqual(before.length);
  });

  it('happens once, however often it is asked for', async () => {
    const shutdowns = Payments.shutdowns;
    const app = await createMcpTestApp(ToolsModule);

    await Promise.all([app.close(), app.close()]);
    await app.close();
    expect(Payments.shutdowns).toBe(shutdowns + 1);
  });

  it('happens when a test fails', async () => {
    const shutdowns = Payments.shutdowns;
    const failing = async (): Promise<void> => {
      await using _app = await createMcpTestApp(ToolsModule);
      throw new Error('failed');
    };

    await expect(failing()).rejects.toThrow('failed');
    expect(Payments.shutdowns).toBe(shutdowns + 1);
  });

  it('happens when the application cannot start', async () => {
    const shutdowns = Payments.shutdowns;
    const configure = (): never => {
      throw new Error('no way');
    };

    await expect(createMcpTestApp(ToolsModule, { configure })).rejects.toThrow('no way');
    expect(Payments.shutdowns).toBe(shutdowns + 1);
  });

  it('ends the session of a client', async () => {
    await using app = await createMcpTestApp(ToolsModule);
    const { server } = app.app.getHttpAdapter().getInstance();
    const methods: unknown[] = [];
    server.on('request', ({ method }) => methods.push(method));
    {
      await using client = app.client({ era: 'session' });
      await client.listTools();
      await client.close();
    }

    expect(methods).toEqual(['POST', 'POST', 'POST', 'DELETE']);
  });
});

describe('the name that a test client gives itself', () => {
  it('is refused when it is none', async () => {
    await using app = await createMcpTestApp(ToolsModule);
    const client = app.client({ headers: { 'x-rookery-test-principal': 'bm9uc2Vuc2U' } });

    await expect(client.listTools()).rejects.toMatchObject({ code: 401 });
  });

  it('means nothing to an authenticator that is not of the kit', async () => {
    await using app = await createMcpTestApp(ToolsModule, { testPrincipals: false });
    const token = Buffer.from(JSON.stringify({ subject: 'ann', scopes: ['all'] })).toString('base64url');
    const { content } = await app.client({ headers: { 'x-rookery-test-principal': token } }).call('whoAmI');

    expect(content).toEqual([{ type: 'text', text: expect.stringContaining('"subject":"anonymous"') }]);
  });
});
