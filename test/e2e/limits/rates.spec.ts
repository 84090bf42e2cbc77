import { Injectable, UseGuards } from '@nestjs/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import {
  McpCall,
  McpCompletion,
  type McpOptions,
  McpPrompt,
  McpResource,
  McpTool,
  RateLimit,
  RequireRoles,
} from '../../../src/index.js';
import { MemoryTokenBuckets } from '../../../src/mcp/limits/memory-token-buckets.js';
import { TokenBuckets } from '../../../src/mcp/limits/token-buckets.port.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { type Json, responseOf } from '../../support/wire.js';
import { Caller, ERAS, type Era, refusalOf, refusedBy } from './caller.js';

const ran: string[] = [];
const guarded: string[] = [];

class SeeingGuard {
  canActivate(): boolean {
    guarded.push('seen');
    return true;
  }
}

@Injectable()
@UseGuards(SeeingGuard)
class Shop {
  @McpTool()
  @RateLimit({ perHour: 2 })
  stamp(): string {
    ran.push('stamp');
    return 'stamped';
  }

  @McpTool()
  @RateLimit({ perHour: 2, per: 'tenant' })
  invoice(): string {
    return 'sent';
  }

  @McpTool()
  @RateLimit({ perHour: 2, per: 'everyone' })
  bell(): string {
    return 'ding';
  }

  @McpTool()
  @RateLimit({ perHour: 9 })
  @RateLimit({ perMinute: 1 })
  both(): string {
    return 'done';
  }

  @McpTool()
  free(): string {
    return 'done';
  }

  @McpTool()
  @RequireRoles('admin')
  hidden(): string {
    return 'done';
  }

  @McpResource('notes://all')
  @RateLimit({ perHour: 1 })
  notes(): string {
    return 'text';
  }

  @McpResource('notes://{id}')
  @RateLimit({ perHour: 1 })
  note(): string {
    return 'text';
  }

  @McpPrompt({ input: z.object({ city: z.string() }) })
  @RateLimit({ perHour: 1 })
  travel(): string {
    return 'Go.';
  }

  @McpCompletion({ prompt: 'travel', argument: 'city' })
  @RateLimit({ perHour: 2 })
  cities(): string[] {
    return ['Oslo'];
  }

  @McpTool()
  @RateLimit({ perHour: 2 })
  async confirm(call: McpCall): Promise<string> {
    const { sure } = await call.elicit(z.object({ sure: z.boolean() }), 'Sure?');
    return sure ? 'confirmed' : 'left';
  }
}

@Injectable()
@RateLimit({ perHour: 1 })
class Desk {
  @McpTool()
  open(): string {
    return 'open';
  }

  @McpTool()
  close(): string {
    return 'closed';
  }
}

/** A clock that stands still unless it is set. */
let now = 0;

async function boot(limits: McpOptions['limits'] = {}) {
  now = 0;
  ran.length = 0;
  guarded.length = 0;
  class ShopModule {}
  const module = { module: ShopModule, providers: [Shop, Desk] };
  const app = await createMcpTestApp(module, {
    // At once: an answer that may stream does.
    options: { limits, http: { streamAfterMs: 0 } },
    logger: false,
    override: [[TokenBuckets, new MemoryTokenBuckets({ now: () => now })]],
  });
  onTestFinished(() => app.close());
  return app;
}

const open = (url: string, era: Era, subject: string, tenant?: string): Promise<Caller> =>
  Caller.open(url, { era, principal: { subject, ...(tenant !== undefined && { tenant }) } });

const COMPLETION = { ref: { type: 'ref/prompt', name: 'travel' }, argument: { name: 'city', value: 'O' } };

describe.each(ERAS)('how often, in the %s era', (era) => {
  it('a tool may be called by one principal, and no other is affected', async () => {
    const { url } = await boot();
    const [ada, bob] = [await open(url, era, 'ada'), await open(url, era, 'bob')];

    expect(await ada.statuses(2, 'stamp')).toEqual([200, 200]);
    expect(await refusalOf(await ada.call('stamp', {}, { id: 'third' }))).toEqual(refusedBy('rate:tool', 'third'));
    expect(await bob.statuses(3, 'stamp')).toEqual([200, 200, 429]);
    expect(await ada.statuses(3, 'free')).toEqual([200, 200, 200]);
  });

  it('is said before guards and handlers are reached, and before any stream', async () => {
    const { url } = await boot();
    const ada = await open(url, era, 'ada');
    await ada.statuses(2, 'stamp');
    guarded.length = 0;

    expect(await refusalOf(await ada.call('stamp', {}, { meta: { progressToken: 1 } }))).toEqual(
      refusedBy('rate:tool'),
    );
    expect([ran, guarded]).toEqual([['stamp', 'stamp'], []]);
  });

  it('says in whole seconds when to come again, and keeps its word', async () => {
    const { url } = await boot();
    const ada = await open(url, era, 'ada');
    await ada.statuses(2, 'stamp');
    now += 1_000_500;

    const refused = await ada.call('stamp');
    expect(refused.headers.get('retry-after')).toBe('800');
    expect(await responseOf(refused)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: 429,
        message: 'There are too many calls of this tool. Try again in 800 seconds.',
        data: { limit: 'rate', scope: 'tool', retryAfterMs: 799_500 },
      },
    });
    now += 800_000;
    expect(await ada.statuses(2, 'stamp')).toEqual([200, 429]);
  });

  it('says at least one second', async () => {
    const { url } = await boot({ principal: { perSecond: 100, burst: 3 } });
    const ada = await open(url, era, 'ada');
    const statuses = await ada.statuses(3, 'free');
    expect(statuses.at(-1)).toBe(era === 'session' ? 429 : 200);

    expect(await refusalOf(await ada.call('free'))).toMatchObject({ status: 429, retryAfter: '1' });
  });

  it('a tenant may call, all its principals together', async () => {
    const { url } = await boot();
    const [ada, bob, eve] = [
      await open(url, era, 'ada', 'acme'),
      await open(url, era, 'bob', 'acme'),
      await open(url, era, 'eve', 'evil'),
    ];

    expect([...(await ada.statuses(1, 'invoice')), ...(await bob.statuses(2, 'invoice'))]).toEqual([200, 200, 429]);
    expect(await eve.statuses(2, 'invoice')).toEqual([200, 200]);
  });

  it('everyone together may call, strangers included', async () => {
    const { url } = await boot();
    const [ada, stranger] = [await open(url, era, 'ada'), await Caller.open(url, { era })];

    expect([...(await ada.statuses(1, 'bell')), ...(await stranger.statuses(2, 'bell'))]).toEqual([200, 200, 429]);
  });

  it('holds for each tool of a class on its own', async () => {
    const { url } = await boot();
    const ada = await open(url, era, 'ada');

    expect(await ada.statuses(2, 'open')).toEqual([200, 429]);
    expect(await ada.statuses(2, 'close')).toEqual([200, 429]);
  });

  it('is met only when all limits are', async () => {
    const { url } = await boot();
    const ada = await open(url, era, 'ada');

    expect(await ada.statuses(2, 'both')).toEqual([200, 429]);
    now += 60_000;
    expect(await ada.statuses(2, 'both')).toEqual([200, 429]);
  });

  it('resources may be read and prompts be got', async () => {
    const { url } = await boot();
    const ada = await open(url, era, 'ada');
    const uses: [string, Json, string][] = [
      ['resources/read', { uri: 'notes://all' }, 'rate:resource'],
      ['resources/read', { uri: 'notes://7' }, 'rate:template'],
      ['prompts/get', { name: 'travel', arguments: { city: 'Oslo' } }, 'rate:prompt'],
    ];
    for (const [method, params, limit] of uses) {
      expect((await ada.request(method, params)).status).toBe(200);
      expect(await refusalOf(await ada.request(method, params))).toEqual(refusedBy(limit));
    }
    // A template is one capability, whatever it is asked for.
    expect((await ada.request('resources/read', { uri: 'notes://8' })).status).toBe(429);
  });

  it('completions may be asked for is a matter of their own, not of the prompt they belong to', async () => {
    const { url } = await boot();
    const ada = await open(url, era, 'ada');
    const complete = (): Promise<Response> => ada.request('completion/complete', COMPLETION);
    const prompt = { name: 'travel', arguments: { city: 'Oslo' } };

    expect([(await complete()).status, (await complete()).status]).toEqual([200, 200]);
    expect(await refusalOf(await complete())).toEqual(refusedBy('rate:completion'));
    expect((await ada.request('prompts/get', prompt)).status).toBe(200);
  });
});

describe.each(ERAS)('how often one principal may ask for anything, in the %s era', (era) => {
  /** Somebody who may ask for three things more. */
  async function withThree() {
    const { url } = await boot({ principal: { perHour: era === 'session' ? 4 : 3 } });
    return { ada: await open(url, era, 'ada'), bob: await open(url, era, 'bob') };
  }
  const SUBSCRIBE: [string, Json] =
    era === 'stateless'
      ? ['subscriptions/listen', { notifications: { resourceSubscriptions: ['notes://all'] } }]
      : ['resources/subscribe', { uri: 'notes://all' }];

  it.each<[string, string, Json]>([
    ['calls', 'tools/call', { name: 'free', arguments: {} }],
    ['lists of tools', 'tools/list', {}],
    ['lists of resources', 'resources/list', {}],
    ['lists of templates', 'resources/templates/list', {}],
    ['lists of prompts', 'prompts/list', {}],
    ['guesses of names of tools', 'tools/call', { name: 'guess', arguments: {} }],
    ['guesses of names that are hidden', 'tools/call', { name: 'hidden', arguments: {} }],
    ['guesses of names of prompts', 'prompts/get', { name: 'guess', arguments: {} }],
    ['guesses of URIs', 'resources/read', { uri: 'guess://1' }],
    [
      'guesses of what can be completed',
      'completion/complete',
      { ...COMPLETION, ref: { type: 'ref/prompt', name: 'x' } },
    ],
    ['subscriptions', ...SUBSCRIBE],
  ])('counts %s', async (_what, method, params) => {
    const { ada, bob } = await withThree();
    const controller = new AbortController();
    onTestFinished(() => controller.abort());
    for (let i = 0; i < 3; i += 1) {
      const response = await ada.request(method, params, { signal: controller.signal });
      expect(response.status).toBe(200);
      if (method !== 'subscriptions/listen') await response.text();
    }

    expect(await refusalOf(await ada.request(method, params, { id: 'last' }))).toEqual(
      refusedBy('rate:principal', 'last'),
    );
    expect(await bob.statuses(1, 'free')).toEqual([200]);
  });

  it('counts them together', async () => {
    const { ada } = await withThree();
    for (const [method, params] of [
      ['tools/list', {}],
      ['tools/call', { name: 'free', arguments: {} }],
      ['resources/read', { uri: 'guess://1' }],
    ] as const) {
      await (await ada.request(method, params)).text();
    }

    expect((await ada.request('prompts/list')).status).toBe(429);
  });

  it('counts a tenant likewise, and nobody else', async () => {
    const { url } = await boot({ tenant: { perHour: era === 'session' ? 4 : 2 } });
    const [ada, bob] = [await open(url, era, 'ada', 'acme'), await open(url, era, 'bob', 'acme')];
    const others = [await open(url, era, 'eve', 'evil'), await open(url, era, 'solo')];

    expect([...(await ada.statuses(1, 'free')), ...(await bob.statuses(1, 'free'))]).toEqual([200, 200]);
    expect(await refusalOf(await ada.call('free'))).toEqual(refusedBy('rate:tenant'));
    for (const other of others) expect(await other.statuses(1, 'free')).toEqual([200]);
  });
});

describe('what belongs to one era', () => {
  it('a session cannot be opened too often', async () => {
    const { url } = await boot({ principal: { perHour: 1 } });
    await open(url, 'session', 'ada');
    const again = await open(url, 'session', 'ada');

    expect(again.headers['mcp-session-id']).toBe('');
    expect((await open(url, 'session', 'bob')).headers['mcp-session-id']).not.toBe('');
  });

  it.each<[string, string, Json]>([
    ['ping', 'ping', {}],
    ['setLevel', 'logging/setLevel', { level: 'info' }],
    ['unsubscribe', 'resources/unsubscribe', { uri: 'notes://all' }],
  ])('a session counts %s', async (_what, method, params) => {
    const { url } = await boot({ principal: { perHour: 2 } });
    const ada = await open(url, 'session', 'ada');

    expect((await ada.request(method, params)).status).toBe(200);
    expect(await refusalOf(await ada.request(method, params, { id: 2 }))).toEqual(refusedBy('rate:principal', 2));
  });

  it('a session counts its stream and its end', async () => {
    const { url } = await boot({ principal: { perHour: 1 } });
    const ada = await open(url, 'session', 'ada');

    expect(await refusalOf(await ada.send('GET'))).toMatchObject({ status: 429, code: 429, id: undefined });
    expect((await ada.send('DELETE')).status).toBe(429);
  });

  it('a batch is told within itself, each message on its own', async () => {
    const { url } = await boot();
    const ada = await Caller.open(url, { era: 'session', principal: {}, revision: '2025-03-26' });
    const batch = ['a', 'b', 'c'].map((id) => ({
      ...{ jsonrpc: '2.0', id, method: 'tools/call' },
      params: { name: 'stamp', arguments: {} },
    }));
    const response = await ada.post(batch);

    expect([response.status, response.headers.get('retry-after')]).toEqual([200, null]);
    const answers = [...(await streamed(response))].sort((a, b) => String(a['id']).localeCompare(String(b['id'])));
    expect(answers.map(({ id, error }) => [id, (error as Json | undefined)?.['code']])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['c', 429],
    ]);
  });

  it('a stateless call that asks counts once, as in a session, however many rounds it takes', async () => {
    const app = await boot();
    const called = async (era: Era): Promise<unknown> => {
      const client = app.client({ era, principal: { subject: era } }).onElicit(() => ({ sure: true }));
      await client.call('confirm');
      return client.call('confirm').then(
        () => 200,
        ({ status }: { status: number }) => status,
      );
    };

    expect([await called('stateless'), await called('session')]).toEqual([200, 200]);
  });
});

/** The responses in an answer to a batch, be it JSON or a stream. */
async function streamed(response: Response): Promise<Json[]> {
  const text = await response.text();
  if (text.startsWith('[')) return JSON.parse(text) as Json[];
  const data = text.split('\n').filter((line) => line.startsWith('data: {'));
  return data.map((line) => JSON.parse(line.slice('data: '.length)) as Json);
}
