import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable, UseGuards } from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { AccessPolicy, type AccessRequest, McpModule, McpTool, Public, RequirePolicy } from '../../../src/index.js';
import type { TestPrincipal } from '../../../src/testing.js';
import { ERAS, serve } from '../nest/serve.js';
import { as, serveAsking } from './caller.js';

interface TenantOptions {
  readonly argument: string;
}

/** Lets a tenant see what it likes, and use what names it. */
@Injectable()
class SameTenant implements AccessPolicy<TenantOptions> {
  readonly asked: AccessRequest<TenantOptions>[] = [];

  async allows(request: AccessRequest<TenantOptions>): Promise<boolean> {
    this.asked.push(request);
    const { action, principal, arguments: given, options } = request;
    if (action === 'see') return principal.tenant !== undefined;
    return given?.[options.argument] === principal.tenant;
  }
}

@Injectable()
class Broken implements AccessPolicy {
  allows({ principal }: AccessRequest): boolean {
    throw new Error(`no engine for ${principal.subject}`);
  }
}

const Report = z.object({ customer: z.string() });

@Injectable()
class Reports {
  runs = 0;

  @McpTool({ input: Report })
  @RequirePolicy(SameTenant, { argument: 'customer' })
  report(): string {
    this.runs += 1;
    return 'a report';
  }
  @McpTool()
  @RequirePolicy(Broken)
  broken(): string {
    this.runs += 1;
    return 'never';
  }
}

const PROVIDERS = [Reports, SameTenant, Broken];
const UNKNOWN = { code: -32602, status: 200, message: 'Unknown tool: report' };
const FORBIDDEN = { code: 403, status: 403, message: 'This is not allowed.' };

describe.each(ERAS)('policies in the %s era', (era) => {
  it('decide who sees, and who uses with which arguments', async () => {
    await using app = await serve({ providers: PROVIDERS });
    const [acme, nobody] = [
      app.client({ era, principal: { tenant: 'acme' } }),
      app.client({ era, principal: { subject: 'bob' } }),
    ];

    expect((await acme.listTools()).map(({ name }) => name)).toEqual(['report']);
    expect(await nobody.listTools()).toEqual([]);
    await expect(nobody.call('report', { customer: 'acme' })).rejects.toMatchObject(UNKNOWN);
    await expect(acme.call('report', { customer: 'other' })).rejects.toMatchObject(FORBIDDEN);
    expect(app.get(Reports).runs).toBe(0);
    expect(await acme.call('report', { customer: 'acme' })).toMatchObject({ content: [{ text: 'a report' }] });
  });

  it('are told of the caller, the tool, the options, and of arguments only for a use', async () => {
    await using app = await serve({ providers: PROVIDERS });
    const principal: TestPrincipal = { subject: 'ann', tenant: 'acme', claims: { department: 7 } };
    await app.client({ era, principal }).call('report', { customer: 'acme' });
    const told = {
      kind: 'tool',
      name: 'report',
      options: { argument: 'customer' },
      principal: expect.objectContaining({ subject: 'ann', tenant: 'acme', claims: { department: 7 } }) as unknown,
    };

    expect(app.get(SameTenant).asked).toEqual([
      { ...told, action: 'see' },
      { ...told, action: 'use', arguments: { customer: 'acme' } },
    ]);
  });

  it('are asked before arguments are checked, so that these tell nothing', async () => {
    await using app = await serve({ providers: PROVIDERS });

    await expect(app.client({ era, principal: {} }).call('report', { customer: 7 })).rejects.toMatchObject(UNKNOWN);
    await expect(app.client({ era, principal: { tenant: 'acme' } }).call('report', {})).rejects.toMatchObject(
      FORBIDDEN,
    );
  });

  it('that fail deny, and the log says which and why', async () => {
    const error = vi.fn();
    const logger = { log: () => undefined, warn: () => undefined, error };
    await using app = await serve({ providers: PROVIDERS }, { logger });
    const ann = app.client({ era, principal: { subject: 'ann', tenant: 'acme' } });

    expect((await ann.listTools()).map(({ name }) => name)).toEqual(['report']);
    await expect(ann.call('broken')).rejects.toMatchObject({ message: 'Unknown tool: broken' });
    expect(app.get(Reports).runs).toBe(0);
    expect(error).toHaveBeenCalledWith(
      'The policy Broken failed on tool broken, so access was denied.',
      expect.stringContaining('no engine for ann'),
      'Access',
    );
  });
});

@Injectable()
class OfficeHours implements AccessPolicy {
  open = true;
  readonly asked: string[] = [];

  allows({ name, principal }: AccessRequest): boolean {
    this.asked.push(name);
    return this.open || principal.subject === 'root';
  }
}

@Injectable()
class Office {
  @McpTool()
  file(): string {
    return 'filed';
  }
  @McpTool()
  @Public()
  hours(): string {
    return '9 to 5';
  }
}

describe.each(ERAS)('a policy for all in the %s era', (era) => {
  it('is asked of everything that is not public, now', async () => {
    const policy = new OfficeHours();
    const adapters = [{ provide: AccessPolicy, useValue: policy }];
    await using app = await serve({ imports: [McpModule.forRoot({ adapters })], providers: [Office] });
    const [ann, root] = ['ann', 'root'].map((subject) => app.client({ era, principal: { subject } }));

    expect((await ann?.listTools())?.map(({ name }) => name)).toEqual(['file', 'hours']);
    policy.open = false;
    expect((await ann?.listTools())?.map(({ name }) => name)).toEqual(['hours']);
    expect((await root?.listTools())?.map(({ name }) => name)).toEqual(['file', 'hours']);
    await expect(ann?.call('file')).rejects.toMatchObject({ message: 'Unknown tool: file' });
    expect(await root?.call('file')).toMatchObject({ content: [{ text: 'filed' }] });
    expect(await ann?.call('hours')).toMatchObject({ content: [{ text: '9 to 5' }] });
    expect(policy.asked).not.toContain('hours');
  });
});

class OnlyAnn implements CanActivate {
  static readonly seen: string[] = [];

  canActivate(context: ExecutionContext): boolean {
    OnlyAnn.seen.push(context.getHandler().name);
    throw new ForbiddenException();
  }
}

@Injectable()
class Guarded {
  @McpTool()
  @UseGuards(OnlyAnn)
  @RequirePolicy(SameTenant, { argument: 'customer' })
  both(): string {
    return 'never';
  }
}

describe.each(ERAS)('a guard of Nest beside a policy in the %s era', (era) => {
  it('is asked after it, hides nothing, and must agree as well', async () => {
    OnlyAnn.seen.length = 0;
    await using app = await serve({ providers: [Guarded, SameTenant] });
    const acme = app.client({ era, principal: { tenant: 'acme' } });

    expect(await acme.listTools()).toHaveLength(1);
    await expect(acme.call('both', { customer: 'other' })).rejects.toMatchObject(FORBIDDEN);
    expect(OnlyAnn.seen).toEqual([]);
    await expect(acme.call('both', { customer: 'acme' })).rejects.toMatchObject({ code: 403, status: 200 });
    expect(OnlyAnn.seen).toEqual(['both']);
  });
});

describe.each(ERAS)('access.undeclared in the %s era', (era) => {
  it('nobody: what carries no decorator is for nobody', async () => {
    await using app = await serveAsking({ providers: [Office] }, { options: { access: { undeclared: 'nobody' } } });
    const ann = app.client({ era, headers: as({ roles: ['admin'] }, 'everything') });

    expect((await ann.listTools()).map(({ name }) => name)).toEqual(['hours']);
    await expect(ann.call('file')).rejects.toMatchObject({ message: 'Unknown tool: file' });
  });

  it('authenticated, the default: what carries no decorator is for those who say who they are', async () => {
    await using app = await serveAsking({ providers: [Office] });

    expect((await app.client({ era, headers: as({}) }).listTools()).map(({ name }) => name)).toEqual(['file', 'hours']);
    expect((await app.client({ era }).listTools()).map(({ name }) => name)).toEqual(['hours']);
    await expect(app.client({ era }).call('file')).rejects.toMatchObject({ code: 401, status: 401 });
  });
});
