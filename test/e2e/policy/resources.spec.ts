import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type AccessPolicy,
  type AccessRequest,
  type CompletionInput,
  McpCompletion,
  McpPrompt,
  McpRegistry,
  McpResource,
  Public,
  RateLimit,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
} from '../../../src/index.js';
import { ERAS } from '../nest/serve.js';
import { Caller, as, serveAsking } from './caller.js';

const text = (contents: readonly object[]): unknown => (contents[0] as { text?: string }).text;

/** Lets a tenant read what is its own. */
@Injectable()
class OwnTenant implements AccessPolicy {
  static readonly asked: AccessRequest[] = [];

  allows(request: AccessRequest): boolean {
    OwnTenant.asked.push(request);
    return request.action === 'see' || request.arguments?.['tenant'] === request.principal.tenant;
  }
}

@Injectable()
class Files {
  @McpResource('f://{+path}')
  @Public()
  any({ path }: { path: string }): string {
    return `any ${path}`;
  }
  @McpResource('f://staff/{name}')
  @RequireRoles('staff')
  ofStaff({ name }: { name: string }): string {
    return `staff ${name}`;
  }
  @McpResource('f://staff/secret')
  @RequireRoles('admin')
  secret(): string {
    return 'secret';
  }
  @McpResource('f://billed/{name}')
  @RequireScopes('billing')
  billed({ name }: { name: string }): string {
    return `billed ${name}`;
  }
  @McpResource('tenants://{tenant}/{report}')
  @RequirePolicy(OwnTenant)
  report({ tenant, report }: { tenant: string; report: string }): string {
    return `${report} of ${tenant}`;
  }
}

const PROVIDERS = [Files, OwnTenant];

describe.each(ERAS)('a URI that several match, in the %s era', (era) => {
  it.each([
    ['a stranger', {}, 'f://staff/ann', 'any staff/ann'],
    ['a stranger', {}, 'f://staff/secret', 'any staff/secret'],
    ['a stranger', {}, 'f://billed/1', 'any billed/1'],
    ['somebody', as({}), 'f://staff/ann', 'any staff/ann'],
    ['somebody', as({}), 'f://staff/secret', 'any staff/secret'],
    ['one of the staff', as({ roles: ['staff'] }), 'f://staff/ann', 'staff ann'],
    ['one of the staff', as({ roles: ['staff'] }), 'f://staff/secret', 'staff secret'],
    ['an admin', as({ roles: ['admin'] }), 'f://staff/secret', 'secret'],
    ['an admin', as({ roles: ['admin'] }), 'f://staff/ann', 'any staff/ann'],
    ['who pays', as({}, 'billing'), 'f://billed/1', 'billed 1'],
  ])('means to %s (%j) by %s: %s', async (_who, headers, uri, expected) => {
    await using app = await serveAsking({ providers: PROVIDERS });

    expect(text((await app.client({ era, headers }).read(uri)).contents)).toBe(expected);
  });

  it('is not read as something else by who lacks a scope alone', async () => {
    await using app = await serveAsking({ providers: PROVIDERS });

    await expect(app.client({ era, headers: as({}) }).read('f://billed/1')).rejects.toMatchObject({ code: 403 });
  });

  it('is subscribed to by whoever sees one of them', async () => {
    await using app = await serveAsking({ providers: PROVIDERS });
    const client = app.client({ era, headers: as({}) });
    await client.subscribe('f://staff/secret');
    await app.get(McpRegistry).resourceUpdated('f://staff/secret');

    expect((await client.waitForNotification('notifications/resources/updated')).params).toEqual({
      uri: 'f://staff/secret',
    });
  });
});

describe.each(ERAS)('a policy of a template in the %s era', (era) => {
  it('is told its variables', async () => {
    OwnTenant.asked.length = 0;
    await using app = await serveAsking({ providers: PROVIDERS });
    const acme = app.client({ era, headers: as({ tenant: 'acme' }) });

    expect(text((await acme.read('tenants://acme/sales')).contents)).toBe('sales of acme');
    expect(OwnTenant.asked.at(-1)).toMatchObject({
      action: 'use',
      kind: 'template',
      name: 'tenants://{tenant}/{report}',
      arguments: { tenant: 'acme', report: 'sales' },
    });
    await expect(acme.read('tenants://other/sales')).rejects.toMatchObject({ code: 403, status: 403 });
  });
});

@Injectable()
class Completed {
  @McpPrompt({ input: z.object({ account: z.string(), month: z.string(), note: z.string() }) })
  @RequireRoles('staff')
  statement(): string {
    return '';
  }
  @McpCompletion({ prompt: 'statement', argument: 'month' })
  months(): string[] {
    return ['january'];
  }
  @McpCompletion({ prompt: 'statement', argument: 'account' })
  @RequireRoles('auditor')
  @RateLimit({ perHour: 1 })
  accounts({ value }: CompletionInput): string[] {
    return [`${value}-4711`];
  }
  @McpPrompt({ input: z.object({ city: z.string(), street: z.string() }) })
  @Public()
  directions(): string {
    return '';
  }
  @McpCompletion({ prompt: 'directions', argument: 'city' })
  @Public()
  cities(): string[] {
    return ['Berlin'];
  }
  @McpCompletion({ prompt: 'directions', argument: 'street' })
  streets(): string[] {
    return ['Main Street'];
  }
}

const STATEMENT = { type: 'ref/prompt', name: 'statement' } as const;
const DIRECTIONS = { type: 'ref/prompt', name: 'directions' } as const;

describe.each(ERAS)('completions in the %s era', (era) => {
  const clientOf = (app: Awaited<ReturnType<typeof serveAsking>>, ...roles: string[]) =>
    app.client({ era, headers: as({ roles }) });

  it('are for those who may use what is completed', async () => {
    await using app = await serveAsking({ providers: [Completed] });
    const month = { name: 'month', value: '' };

    expect((await clientOf(app, 'staff').complete(STATEMENT, month)).values).toEqual(['january']);
    await expect(clientOf(app).complete(STATEMENT, month)).rejects.toMatchObject({
      code: -32602,
      message: 'Unknown prompt: statement',
    });
    await expect(app.client({ era }).complete(STATEMENT, month)).rejects.toMatchObject({ code: 401, status: 401 });
  });

  it('may require more: without it they are as if there were none', async () => {
    await using app = await serveAsking({ providers: [Completed] });
    const account = { name: 'account', value: 'x' };
    const nothing = { values: [], total: 0, hasMore: false };
    const staff = await Caller.open(app.url, era, as({ roles: ['staff'] }));
    const complete = (name: string) =>
      staff.ask('completion/complete', { ref: STATEMENT, argument: { name, value: 'x' } });

    expect((await clientOf(app, 'staff', 'auditor').complete(STATEMENT, account)).values).toEqual(['x-4711']);
    expect(await clientOf(app, 'staff').complete(STATEMENT, account)).toEqual(nothing);
    await expect(clientOf(app, 'auditor').complete(STATEMENT, account)).rejects.toMatchObject({ code: -32602 });
    // Not even its limit shows: an argument that nobody completes has none.
    for (let time = 0; time < 3; time += 1) expect(await complete('account')).toEqual(await complete('note'));
  });

  it('of something public are for strangers if they are public themselves', async () => {
    await using app = await serveAsking({ providers: [Completed] });
    const stranger = app.client({ era });
    const street = { name: 'street', value: '' };

    expect((await stranger.complete(DIRECTIONS, { name: 'city', value: '' })).values).toEqual(['Berlin']);
    expect((await stranger.complete(DIRECTIONS, street)).values).toEqual([]);
    expect((await clientOf(app).complete(DIRECTIONS, street)).values).toEqual(['Main Street']);
  });
});
