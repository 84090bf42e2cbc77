import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  type AccessOptions,
  type AccessPolicy,
  type AccessRequest,
  McpPrompt,
  McpRegistry,
  McpResource,
  McpTool,
  Public,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
} from '../../../src/index.js';
import type { McpTestApp } from '../../../src/testing.js';
import type { Json } from '../../support/wire.js';
import { ERAS, serve } from '../nest/serve.js';
import { gate } from '../stateless/requests.js';
import { Caller, type Era, as, serveAsking } from './caller.js';

const METHODS = [
  ['tools/list', 'tools'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
  ['prompts/list', 'prompts'],
] as const;

/** For each kind one thing for everyone, one for admins, one for those with a scope, and one for those with a name. */
@Injectable()
class Offer {
  @McpTool()
  @Public()
  open(): void {}
  @McpTool()
  @RequireRoles('admin')
  admin(): void {}
  @McpTool()
  @RequireScopes('more')
  scoped(): void {}
  @McpTool()
  plain(): void {}

  @McpResource('r://open', { name: 'open' })
  @Public()
  openResource(): string {
    return '';
  }
  @McpResource('r://admin', { name: 'admin' })
  @RequireRoles('admin')
  adminResource(): string {
    return '';
  }
  @McpResource('r://scoped', { name: 'scoped' })
  @RequireScopes('more')
  scopedResource(): string {
    return '';
  }
  @McpResource('r://plain', { name: 'plain' })
  plainResource(): string {
    return '';
  }

  @McpResource('t://open/{id}', { name: 'open' })
  @Public()
  openTemplate(): string {
    return '';
  }
  @McpResource('t://admin/{id}', { name: 'admin' })
  @RequireRoles('admin')
  adminTemplate(): string {
    return '';
  }
  @McpResource('t://scoped/{id}', { name: 'scoped' })
  @RequireScopes('more')
  scopedTemplate(): string {
    return '';
  }
  @McpResource('t://plain/{id}', { name: 'plain' })
  plainTemplate(): string {
    return '';
  }

  @McpPrompt({ name: 'open' })
  @Public()
  openPrompt(): string {
    return '';
  }
  @McpPrompt({ name: 'admin' })
  @RequireRoles('admin')
  adminPrompt(): string {
    return '';
  }
  @McpPrompt({ name: 'scoped' })
  @RequireScopes('more')
  scopedPrompt(): string {
    return '';
  }
  @McpPrompt({ name: 'plain' })
  plainPrompt(): string {
    return '';
  }
}

const namesOf = (body: string, field: string): string[] => {
  const { result } = JSON.parse(body) as { result: Record<string, { name: string }[]> };
  return (result[field] ?? []).map(({ name }) => name).sort();
};

describe.each(ERAS)('lists in the %s era', (era) => {
  it.each(METHODS)('%s shows each caller what he may use', async (method, field) => {
    await using app = await serveAsking({ providers: [Offer] });
    const seen = async (headers: Record<string, string>) =>
      namesOf((await (await Caller.open(app.url, era, headers)).ask(method)).body, field);

    expect(await seen({})).toEqual(['open']);
    expect(await seen(as({}))).toEqual(['open', 'plain']);
    expect(await seen(as({}, 'more'))).toEqual(['open', 'plain', 'scoped']);
    expect(await seen(as({ roles: ['admin'] }))).toEqual(['admin', 'open', 'plain']);
    expect(await seen(as({ roles: ['admin'] }, 'more'))).toEqual(['admin', 'open', 'plain', 'scoped']);
  });

  it.each(METHODS)(
    '%s has the same bytes for callers with the same rights, in whatever order they come',
    async (method) => {
      await using app = await serveAsking({ providers: [Offer] });
      const ask = async (headers: Record<string, string>) => (await Caller.open(app.url, era, headers)).ask(method);
      const [ann, admin] = [await ask(as({ subject: 'ann' }, 'more')), await ask(as({ roles: ['admin'] }))];

      expect(await ask(as({ subject: 'bob', tenant: 'acme' }, 'other', 'more'))).toEqual(ann);
      expect(await ask(as({ subject: 'eve', roles: ['admin', 'x'] }))).toEqual(admin);
      expect(admin.body).not.toBe(ann.body);
    },
  );

  it('have pages and cursors of what is seen alone', async () => {
    await using app = await serveAsking({ providers: [Offer] }, { options: { pageSize: 1 } });
    const caller = await Caller.open(app.url, era, as({}));
    const pages: string[][] = [];
    const cursors: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await caller.ask('tools/list', cursor === undefined ? {} : { cursor });
      pages.push(namesOf(body, 'tools'));
      cursor = (JSON.parse(body) as { result: { nextCursor?: string } }).result.nextCursor;
      if (cursor !== undefined) cursors.push(Buffer.from(cursor, 'base64url').toString());
    } while (cursor !== undefined);

    expect(pages).toEqual([['open'], ['plain']]);
    expect(cursors).toEqual(['{"after":"open"}']);
  });
});

const PUBLIC = { listCache: { ttlMs: 1_000, scope: 'public' } } as const;

async function scopeOf(app: McpTestApp, method: string, params: Json = {}, headers = {}): Promise<unknown> {
  const { body } = await (await Caller.open(app.url, 'stateless', headers)).ask(method, params);
  return (JSON.parse(body) as { result: Json }).result['cacheScope'];
}

@Injectable()
class Everyones {
  @McpTool()
  @Public()
  hours(): void {}

  @McpResource('r://open', { cache: { ttlMs: 1_000, scope: 'public' } })
  @Public()
  openResource(): string {
    return '';
  }
  @McpResource('r://mine', { cache: { ttlMs: 1_000, scope: 'public' } })
  mine(): string {
    return '';
  }
  @McpResource('f://{+path}', { cache: { ttlMs: 1_000, scope: 'public' } })
  @Public()
  file(): string {
    return 'a file';
  }
  @McpResource('f://staff/{name}')
  @RequireRoles('staff')
  staffFile(): string {
    return 'of the staff';
  }
}

describe('cacheScope', () => {
  it('of a list is public only if everyone is shown the same', async () => {
    await using app = await serveAsking({ providers: [Everyones] }, { options: PUBLIC });

    expect(await scopeOf(app, 'tools/list')).toBe('public');
    expect(await scopeOf(app, 'tools/list', {}, as({}))).toBe('public');
    expect(await scopeOf(app, 'resources/list')).toBe('private');
    app.get(McpRegistry).addTool({ name: 'a', access: { roles: ['admin'] }, handler: () => '' });
    expect(await scopeOf(app, 'tools/list')).toBe('private');
    expect(await scopeOf(app, 'tools/list', {}, as({ roles: ['admin'] }))).toBe('private');
  });

  it('of a list is public where nobody is asked, and private again where a policy is', async () => {
    @Injectable()
    class Yes implements AccessPolicy {
      allows(): boolean {
        return true;
      }
    }
    @Injectable()
    class Policed {
      @McpResource('p://1', { cache: { ttlMs: 1_000, scope: 'public' } })
      @RequirePolicy(Yes)
      policed(): string {
        return '';
      }
      @McpTool()
      plain(): void {}
    }
    const setup = { options: PUBLIC, testPrincipals: false };
    await using app = await serve({ providers: [Policed, Yes] }, setup);

    expect(await scopeOf(app, 'tools/list')).toBe('public');
    expect(await scopeOf(app, 'resources/list')).toBe('private');
    expect(await scopeOf(app, 'resources/read', { uri: 'p://1' })).toBe('private');
    expect(await scopeOf(app, 'server/discover')).toBe('public');
  });

  it('of a resource is public only if everyone may read it', async () => {
    await using app = await serveAsking({ providers: [Everyones] }, { options: PUBLIC });

    expect(await scopeOf(app, 'resources/read', { uri: 'r://open' })).toBe('public');
    expect(await scopeOf(app, 'resources/read', { uri: 'r://open' }, as({}))).toBe('public');
    expect(await scopeOf(app, 'resources/read', { uri: 'r://mine' }, as({}))).toBe('private');
  });

  it('of a URI is private if it means something else to others', async () => {
    await using app = await serveAsking({ providers: [Everyones] }, { options: PUBLIC });

    expect(await scopeOf(app, 'resources/read', { uri: 'f://a/b/c' }, as({}))).toBe('public');
    expect(await scopeOf(app, 'resources/read', { uri: 'f://staff/ann' }, as({}))).toBe('private');
    expect(await scopeOf(app, 'resources/read', { uri: 'f://staff/ann' }, as({ roles: ['staff'] }))).toBe('private');
  });

  it('of server/discover is private where callers are asked who they are', async () => {
    await using app = await serveAsking({ providers: [Everyones] }, { options: PUBLIC });

    expect(await scopeOf(app, 'server/discover', {}, as({}))).toBe('private');
  });
});

/** Says yes to some, once it is let. */
class Held implements AccessPolicy {
  readonly asked = gate();
  readonly answered = gate();

  async allows({ principal }: AccessRequest): Promise<boolean> {
    this.asked.open();
    await this.answered.opened;
    return principal.tenant === 'acme';
  }
}

describe.each(ERAS)('a list that changes while a policy is asked, in the %s era', (era) => {
  const tool = (name: string, access: AccessOptions) => ({ name, access, handler: () => name });
  const list = async (app: McpTestApp, who: Record<string, string>) =>
    namesOf((await (await Caller.open(app.url, era, who)).ask('tools/list')).body, 'tools');

  it('shows nobody what is for others, then or later', async () => {
    await using app = await serve({});
    const registry = app.get(McpRegistry);
    const policy = new Held();
    const first = registry.addTool(tool('first', { policies: [policy] }));
    const ann = list(app, as({ subject: 'ann' }));
    await policy.asked.opened;
    // Now what was decided of the first could be taken for a decision about another.
    first.remove();
    registry.addTool(tool('second', { roles: ['admin'] }));
    registry.addTool(tool('third', { policies: [policy] }));
    registry.addTool(tool('fourth', {}));
    policy.answered.open();

    // What was there when she asked; by then she may not see it.
    expect(await ann).toEqual([]);
    expect(await list(app, as({ subject: 'bob', tenant: 'acme' }))).toEqual(['fourth', 'third']);
    expect(await list(app, as({ subject: 'eve', roles: ['admin'] }))).toEqual(['fourth', 'second']);
    expect(await list(app, as({ subject: 'ann' }))).toEqual(['fourth']);
  });
});

describe.each(ERAS)('what is added at runtime, in the %s era', (era: Era) => {
  it('is for whom its rules say, and gone for all when removed', async () => {
    await using app = await serveAsking({});
    const registry = app.get(McpRegistry);
    const client = (roles: string[], ...scopes: string[]) => app.client({ era, headers: as({ roles }, ...scopes) });
    registry.addTool({ name: 'open', access: { public: true }, handler: () => '' });
    const admin = registry.addTool({ name: 'admin', access: { roles: ['admin'] }, handler: () => '' });
    registry.addPrompt({ name: 'ask', access: { scopes: ['ask'] }, handler: () => '' });
    registry.addResource({ uri: 'x://1', name: 'x', access: { roles: ['admin'] }, handler: () => '' });

    expect((await app.client({ era }).listTools()).map(({ name }) => name)).toEqual(['open']);
    expect((await client(['admin']).listTools()).map(({ name }) => name)).toEqual(['admin', 'open']);
    await expect(client([]).prompt('ask')).rejects.toMatchObject({ code: 403, status: 403 });
    expect((await client([], 'ask').prompt('ask')).messages).toHaveLength(1);
    await expect(client([]).read('x://1')).rejects.toMatchObject({ message: 'Resource not found' });
    admin.remove();
    await expect(client(['admin']).call('admin')).rejects.toMatchObject({ message: 'Unknown tool: admin' });
  });

  it('is announced to everyone: that a list may have changed tells nothing of what is in it', async () => {
    await using app = await serveAsking({ providers: [Everyones] });
    const client = app.client({ era, headers: as({}) });
    await client.listen({ toolsListChanged: true });
    app.get(McpRegistry).addTool({ name: 'admin', access: { roles: ['admin'] }, handler: () => '' });
    const heard = await client.waitForNotification('notifications/tools/list_changed');

    expect(JSON.stringify(heard)).not.toContain('admin');
    expect(await client.listTools()).toHaveLength(1);
  });
});
