import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  type AccessPolicy,
  McpCall,
  McpCompletion,
  McpPrompt,
  McpResource,
  McpTool,
  Public,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
} from '../../../src/index.js';
import { z } from 'zod';
import { TEST_RESOURCE, TestIssuer } from '../../support/oauth/test-issuer.js';
import type { Json } from '../../support/wire.js';
import { ERAS, serve } from '../nest/serve.js';
import { Caller, type Era, as, serveAsking } from './caller.js';

const STREAM_AFTER_MS = 5;

@Injectable()
class Slow implements AccessPolicy {
  async allows(): Promise<boolean> {
    await pause(10 * STREAM_AFTER_MS);
    return true;
  }
}

@Injectable()
class SlowlyNo implements AccessPolicy<'see' | 'use'> {
  async allows({ action }: { action: 'see' | 'use' }): Promise<boolean> {
    await pause(10 * STREAM_AFTER_MS);
    return action === 'see';
  }
}

@Injectable()
class Shop {
  @McpTool()
  @RequireScopes('orders:refund', 'orders:read')
  async refund(call: McpCall): Promise<string> {
    call.progress(1);
    return 'refunded';
  }
  @McpTool()
  @RequireScopes('orders:read')
  @RequirePolicy(Slow)
  slowly(): string {
    return 'at last';
  }
  @McpTool()
  @RequirePolicy(SlowlyNo)
  never(): string {
    return 'never';
  }
  @McpTool()
  @RequireRoles('auditor')
  @RequireScopes('ledger')
  ledger(): string {
    return 'all is well';
  }
  @McpTool()
  @Public()
  hours(): string {
    return '9 to 5';
  }
  @McpPrompt({ input: z.object({ order: z.string() }) })
  @RequireScopes('orders:read')
  explain(): string {
    return 'explained';
  }
  @McpCompletion({ prompt: 'explain', argument: 'order' })
  orders(): string[] {
    return ['ORD-1'];
  }
  @McpResource('orders://{id}')
  @RequireScopes('orders:read')
  order(): string {
    return 'an order';
  }
}

const PROVIDERS = [Shop, Slow, SlowlyNo];
const HTTP = { streamAfterMs: STREAM_AFTER_MS };
const READ = ['orders:read'];
const JSON_TYPE = 'application/json; charset=utf-8';

const callerOf = async (url: string, era: Era, ...scopes: string[]) => Caller.open(url, era, as({}, ...scopes));
const progress = { name: 'refund', arguments: {}, _meta: { progressToken: 1 } };

function insufficient(scopes: string): object {
  return {
    status: 403,
    type: JSON_TYPE,
    challenge: `Bearer error="insufficient_scope", scope="${scopes}"`,
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: 403, message: `This needs the scopes: ${scopes}` } }),
  };
}

describe.each(ERAS)('a missing scope in the %s era', (era) => {
  it.each([
    ['tools/call', { name: 'refund' }, 'orders:read orders:refund'],
    ['prompts/get', { name: 'explain' }, 'orders:read'],
    ['resources/read', { uri: 'orders://7' }, 'orders:read'],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'explain' }, argument: { name: 'order', value: '' } },
      'orders:read',
    ],
  ])('is answered to %s by 403 and every scope that it needs', async (method, params, scopes) => {
    await using app = await serveAsking({ providers: PROVIDERS });
    const caller = await callerOf(app.url, era, 'orders:refund');

    expect(await caller.ask(method, params)).toEqual(insufficient(scopes));
  });

  it('is answered before a stream begins, also of a tool that would stream at once', async () => {
    await using app = await serveAsking({ providers: PROVIDERS }, { options: { http: HTTP } });

    expect(await (await callerOf(app.url, era, ...READ)).ask('tools/call', progress)).toEqual(
      insufficient('orders:read orders:refund'),
    );
    const allowed = await (await callerOf(app.url, era, 'orders:read', 'orders:refund')).call('refund');
    expect(allowed).toMatchObject({ status: 200, challenge: null });
  });

  it('is answered before a stream begins, however long a policy takes', async () => {
    await using app = await serveAsking({ providers: PROVIDERS }, { options: { http: HTTP } });
    const answer = await (await callerOf(app.url, era)).call('slowly');

    expect(answer).toEqual(insufficient('orders:read'));
  });

  it('is asked for only of those who may know of the tool', async () => {
    await using app = await serveAsking({ providers: PROVIDERS });
    const auditor = await Caller.open(app.url, era, as({ roles: ['auditor'] }));

    expect(await auditor.call('ledger')).toEqual(insufficient('ledger'));
    expect(await (await callerOf(app.url, era)).call('ledger')).toMatchObject({ status: 200, challenge: null });
  });
});

describe.each(ERAS)('a refusal in the %s era', (era) => {
  it('by a policy that takes its time is an HTTP answer, too', async () => {
    await using app = await serveAsking({ providers: PROVIDERS }, { options: { http: HTTP } });

    expect(await (await callerOf(app.url, era)).call('never')).toEqual({
      status: 403,
      type: JSON_TYPE,
      challenge: null,
      body: '{"jsonrpc":"2.0","id":1,"error":{"code":403,"message":"This is not allowed."}}',
    });
  });

  it('of strangers says that they have to say who they are', async () => {
    await using app = await serveAsking({ providers: PROVIDERS });
    const stranger = await Caller.open(app.url, era);
    const refused = {
      status: 401,
      type: JSON_TYPE,
      challenge: 'Bearer',
      body: '{"jsonrpc":"2.0","id":1,"error":{"code":401,"message":"Authentication is required."}}',
    };

    expect(await stranger.call('refund')).toEqual(refused);
    expect(await stranger.call('slowly')).toEqual(refused);
    expect(await stranger.call('hours')).toMatchObject({ status: 200 });
  });

  it('of strangers comes before anything is read where nothing is public', async () => {
    @Injectable()
    class Closed {
      @McpTool()
      look(): string {
        return 'looked';
      }
    }
    await using app = await serveAsking({ providers: [Closed] });
    const response = await fetch(app.url, { method: 'POST', body: '{' });

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });
});

describe.each(ERAS)('access.missingScope in the %s era', (era) => {
  it.each([
    ['challenge', ['hours'], ['hours', 'never'], 403],
    ['advertise', ['hours', 'refund'], ['hours', 'never', 'refund', 'slowly'], 403],
    ['hide', ['hours'], ['hours', 'never'], 200],
  ] as const)('%s', async (missingScope, toStrangers, toOthers, status) => {
    await using app = await serveAsking({ providers: PROVIDERS }, { options: { access: { missingScope } } });
    const names = async (headers: Record<string, string>) =>
      (await app.client({ era, headers }).listTools()).map(({ name }) => name);

    expect(await names({})).toEqual(toStrangers);
    expect(await names(as({}))).toEqual(toOthers);
    expect(await (await callerOf(app.url, era)).call('refund')).toMatchObject({ status });
    expect(await (await Caller.open(app.url, era)).call('refund')).toMatchObject({ status: 401 });
  });
});

describe('a batch of revision 2025-03-26', () => {
  it('is answered in full: a message that is refused does not hurt the others', async () => {
    await using app = await serveAsking({ providers: PROVIDERS });
    const caller = await Caller.open(app.url, 'session', as({}), '2025-03-26');
    const call = (id: number, name: string): Json => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } });
    const response = await caller.post([call(1, 'hours'), call(2, 'refund'), call(3, 'never'), call(4, 'hours')]);
    const answers = (await response.json()) as { id: number }[];

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([200, null]);
    expect(answers.toSorted((a, b) => a.id - b.id)).toEqual([
      { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: '9 to 5' }] } },
      {
        jsonrpc: '2.0',
        id: 2,
        error: { code: 403, message: 'This needs the scopes: orders:read orders:refund' },
      },
      { jsonrpc: '2.0', id: 3, error: { code: 403, message: 'This is not allowed.' } },
      { jsonrpc: '2.0', id: 4, result: { content: [{ type: 'text', text: '9 to 5' }] } },
    ]);
  });
});

describe.each(ERAS)('with real tokens in the %s era', (era) => {
  const METADATA = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"';

  async function start() {
    const issuer = await TestIssuer.start({ algs: ['ES256'] });
    const auth = { resource: TEST_RESOURCE, issuers: [{ issuer: issuer.issuer }] };
    const app = await serve({ providers: PROVIDERS }, { testPrincipals: false, options: { auth } });
    const caller = async (claims: Json) =>
      Caller.open(app.url, era, { authorization: `Bearer ${await issuer.token(claims)}` });
    return {
      app,
      caller,
      async [Symbol.asyncDispose]() {
        await app.close();
        await issuer[Symbol.asyncDispose]();
      },
    };
  }

  it('scopes and roles are those of the token, and the challenge says where to get another one', async () => {
    await using server = await start();
    const reader = await server.caller({ scope: 'orders:read' });
    const auditor = await server.caller({ scope: 'ledger', roles: ['auditor'] });

    expect(await reader.call('refund')).toMatchObject({
      status: 403,
      challenge:
        `Bearer ${METADATA}, error="insufficient_scope", ` +
        'error_description="The access token lacks a scope that this request needs", ' +
        'scope="orders:read orders:refund"',
    });
    expect(await reader.call('slowly')).toMatchObject({ status: 200, challenge: null });
    expect(await auditor.call('ledger')).toMatchObject({ status: 200, challenge: null });
    expect((await reader.call('ledger')).body).toContain('Unknown tool: ledger');
  });

  it('strangers see what is public, and are told where to get a token for the rest', async () => {
    await using server = await start();
    const stranger = await Caller.open(server.app.url, era);

    expect((await server.app.client({ era }).listTools()).map(({ name }) => name)).toEqual(['hours']);
    expect(await stranger.call('hours')).toMatchObject({ status: 200 });
    expect(await stranger.call('refund')).toMatchObject({ status: 401, challenge: `Bearer ${METADATA}` });
  });
});
