import { Injectable, Module, Scope } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  ANONYMOUS,
  Authenticator,
  AccessPolicy,
  McpModule,
  McpPrompt,
  McpResource,
  McpTool,
  Public,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
} from '../../../src/index.js';
import { ERAS, bootError, serve } from '../nest/serve.js';
import { as, serveAsking } from './caller.js';

@Injectable()
class MethodTools {
  @McpTool()
  @RequireRoles('admin')
  close(): string {
    return 'closed';
  }
  @McpTool()
  @RequireRoles('admin')
  @RequireRoles('eu')
  closeInEurope(): string {
    return 'closed there';
  }
  @McpTool()
  look(): string {
    return 'looked';
  }
}

@Injectable()
@RequireRoles('staff')
class ClassTools {
  @McpTool()
  @RequireRoles('admin')
  both(): string {
    return 'both';
  }
  @McpTool()
  plain(): string {
    return 'plain';
  }
  @McpTool()
  @Public()
  hours(): string {
    return '9 to 5';
  }
  @McpPrompt()
  greet(): string {
    return 'hello';
  }
  @McpResource('shop://stock')
  stock(): string {
    return 'full';
  }
}

@Module({ providers: [ClassTools] })
@RequireRoles('shop')
class ShopModule {}

@Module({ providers: [MethodTools] })
@Public()
class PublicModule {}

const UNKNOWN = { code: -32602, status: 200 };

describe.each(ERAS)('access decorators in the %s era', (era) => {
  const names = async (app: Awaited<ReturnType<typeof serve>>, roles: string[]) => {
    const tools = await app.client({ era, headers: as({ roles }) }).listTools();
    return tools.map(({ name }) => name);
  };

  it('of a method hold for it alone', async () => {
    await using app = await serveAsking({ providers: [MethodTools] });

    expect(await names(app, [])).toEqual(['look']);
    expect(await names(app, ['admin'])).toEqual(['close', 'look']);
    expect(await names(app, ['eu', 'admin'])).toEqual(['close', 'closeInEurope', 'look']);
    await expect(app.client({ era, headers: as({}) }).call('close')).rejects.toMatchObject(UNKNOWN);
    expect(await app.client({ era, headers: as({ roles: ['admin'] }) }).call('close')).toMatchObject({
      content: [{ text: 'closed' }],
    });
  });

  it('of a class hold for all in it, besides what its methods say', async () => {
    await using app = await serveAsking({ providers: [ClassTools] });
    const staff = app.client({ era, headers: as({ roles: ['staff'] }) });
    const other = app.client({ era, headers: as({}) });

    expect(await names(app, ['staff'])).toEqual(['hours', 'plain']);
    expect(await names(app, ['admin'])).toEqual(['hours']);
    expect(await names(app, ['admin', 'staff'])).toEqual(['both', 'hours', 'plain']);
    expect((await staff.read('shop://stock')).contents).toHaveLength(1);
    expect((await staff.prompt('greet')).messages).toHaveLength(1);
    await expect(other.read('shop://stock')).rejects.toMatchObject({ message: 'Resource not found' });
    await expect(other.prompt('greet')).rejects.toMatchObject({ message: 'Unknown prompt: greet' });
  });

  it('of a module hold for all in it, and not for what imports it', async () => {
    await using app = await serveAsking({ imports: [ShopModule], providers: [MethodTools] });

    expect(await names(app, ['staff'])).toEqual(['hours', 'look']);
    expect(await names(app, ['staff', 'shop'])).toEqual(['hours', 'look', 'plain']);
  });

  it('that say @Public() win over what is around them', async () => {
    await using app = await serveAsking({ imports: [ShopModule] });
    const stranger = app.client({ era });

    expect((await stranger.listTools()).map(({ name }) => name)).toEqual(['hours']);
    expect(await stranger.call('hours')).toMatchObject({ content: [{ text: '9 to 5' }] });
    await expect(stranger.call('plain')).rejects.toMatchObject({ code: 401, status: 401 });
  });

  it('that require something win over a module that is @Public()', async () => {
    await using app = await serveAsking({ imports: [PublicModule] });
    const stranger = app.client({ era });

    expect((await stranger.listTools()).map(({ name }) => name)).toEqual(['look']);
    await expect(stranger.call('close')).rejects.toMatchObject({ code: 401 });
  });
});

class SomeAuthenticator implements Authenticator {
  authenticate() {
    return ANONYMOUS;
  }
}

class Engine implements AccessPolicy {
  allows(): boolean {
    return true;
  }
}

@Injectable()
class Policed {
  @McpTool()
  @RequirePolicy(Engine)
  pay(): string {
    return 'paid';
  }
}

@Injectable()
class Named {
  @McpTool()
  @RequirePolicy('ENGINE')
  pay(): string {
    return 'paid';
  }
}

@Injectable()
class Contradicting {
  @McpTool()
  @Public()
  @RequireScopes('orders')
  pay(): string {
    return 'paid';
  }
}

@Injectable()
@Public()
@RequireRoles('staff')
class ContradictingClass {
  @McpTool()
  pay(): string {
    return 'paid';
  }
}

describe('the application does not start', () => {
  it.each([
    [Contradicting, 'Contradicting.pay is @Public() and requires something at the same time. Keep one of the two.'],
    [
      ContradictingClass,
      'ContradictingClass.pay is @Public() and requires something at the same time. Keep one of the two.',
    ],
  ])('when a level contradicts itself (%o)', async (tools, message) => {
    expect(await bootError({ providers: [tools] })).toBe(message);
  });

  it('when a policy is missing', async () => {
    expect(await bootError({ providers: [Policed] })).toBe(
      'Policed.pay requires the policy Engine, which no module provides as a singleton. ' +
        'Add it to the providers of one.',
    );
    expect(await bootError({ providers: [Named] })).toContain('Named.pay requires the policy ENGINE, which no module');
  });

  it.each([Scope.REQUEST, Scope.TRANSIENT])('when a policy is there for a request only (scope %i)', async (scope) => {
    expect(await bootError({ providers: [Policed, { provide: Engine, useClass: Engine, scope }] })).toContain(
      'Policed.pay requires the policy Engine, which no module provides as a singleton.',
    );
  });

  it.each([{}, null, undefined, 'engine'])('when the policy is %j', async (useValue) => {
    expect(await bootError({ providers: [Named, { provide: 'ENGINE', useValue }] })).toBe(
      'Named.pay requires the policy ENGINE, which has no method allows(). Implement AccessPolicy.',
    );
  });

  it.each([
    ['is none', { provide: AccessPolicy, useValue: { allow: () => true } }],
    ['is null', { provide: AccessPolicy, useFactory: () => null }],
    ['is undefined', { provide: AccessPolicy, useFactory: () => undefined }],
  ])('when the policy for all %s', async (_what, adapter) => {
    expect(await bootError({ imports: [McpModule.forRoot({ adapters: [adapter] })], providers: [MethodTools] })).toBe(
      'The provider of AccessPolicy gives nothing that has a method allows(). Implement AccessPolicy.',
    );
  });

  it('when the policy for all is there for a request only', async () => {
    const adapter = { provide: AccessPolicy, useClass: Engine, scope: Scope.REQUEST };

    expect(await bootError({ imports: [McpModule.forRoot()], providers: [adapter] })).toBe(
      'The AccessPolicy is request-scoped or transient. Make it a singleton: it is asked about every call.',
    );
  });

  it('when an adapter of the module is there for a request only, which would leave it without an endpoint', async () => {
    const adapter = { provide: Authenticator, useClass: SomeAuthenticator, scope: Scope.REQUEST };
    const boot = async () => {
      const imports = [McpModule.forRoot({ adapters: [adapter] })];
      await using app = await serve({ imports }, { testPrincipals: false });
      return app.url;
    };

    await expect(boot()).rejects.toThrow(/depends on an Authenticator that is request-scoped/);
  });

  it.each([
    ['roles', MethodTools, 'MethodTools.close'],
    ['roles of the class', ClassTools, 'ClassTools.both'],
  ])('when %s are required of callers who are not asked', async (_what, tools, origin) => {
    const boot = async () => {
      await using app = await serve({ providers: [tools] }, { testPrincipals: false });
      return app.url;
    };

    await expect(boot()).rejects.toThrow(
      `${origin} requires scopes or roles, but callers are not asked who they are. Configure authentication ` +
        '(the option `auth`, AUTH_ISSUERS), or provide an Authenticator.',
    );
  });
});

describe('a policy', () => {
  it('is found in whatever module has it, by its class or its token', async () => {
    @Module({ providers: [Engine, { provide: 'ENGINE', useExisting: Engine }] })
    class Elsewhere {}
    @Injectable()
    class Other {
      @McpTool({ name: 'other' })
      @RequirePolicy('ENGINE')
      pay(): string {
        return 'paid';
      }
    }
    await using app = await serve({ imports: [Elsewhere], providers: [Policed, Other] }, { testPrincipals: false });

    expect((await app.client().listTools()).map(({ name }) => name)).toEqual(['other', 'pay']);
  });
});
