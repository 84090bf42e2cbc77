import { ForbiddenException, Injectable, UseGuards } from '@nestjs/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import {
  Concurrency,
  McpCall,
  McpError,
  McpPrompt,
  type McpOptions,
  McpResource,
  McpTool,
  RateLimit,
  RequireRoles,
  RequireScopes,
  ToolError,
} from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { responseOf } from '../../support/wire.js';
import { Caller, ERAS, type Era, slotsOf } from '../limits/caller.js';
import { gate } from '../stateless/requests.js';

class ClosedGuard {
  canActivate(): boolean {
    throw new ForbiddenException();
  }
}

let opened = gate();

/** One of each at a time, so that a slot which is not given back is missed at once. */
@Injectable()
@Concurrency({ max: 1, queue: 50, queueMs: 10_000 })
class Target {
  @McpTool()
  fine(): string {
    return 'done';
  }

  @McpTool({ input: z.object({ count: z.number() }) })
  strict(): string {
    return 'done';
  }

  @McpTool()
  told(): string {
    throw new ToolError('Ask for less.');
  }

  @McpTool()
  broken(): string {
    throw new Error('secret');
  }

  @McpTool()
  refusing(): string {
    throw new McpError('INVALID_PARAMS', 'Not this one.');
  }

  @McpTool()
  @UseGuards(ClosedGuard)
  guarded(): string {
    return 'done';
  }

  @McpTool()
  @RequireScopes('pay')
  scoped(): string {
    return 'done';
  }

  @McpTool({ timeoutMs: 20 })
  slow(call: McpCall): Promise<string> {
    return new Promise((_resolve, reject) =>
      call.signal.addEventListener('abort', () => reject(call.signal.reason as Error)),
    );
  }

  @McpTool()
  async waits(): Promise<string> {
    await opened.opened;
    return 'done';
  }

  @McpTool()
  async *streams(): AsyncGenerator<string> {
    yield 'one';
    throw new Error('secret');
  }

  @McpTool()
  async asks(call: McpCall): Promise<string> {
    await call.elicit(z.object({ sure: z.boolean() }), 'Sure?');
    return 'done';
  }

  @McpTool()
  @RequireRoles('admin')
  @RateLimit({ perHour: 1 })
  hidden(): string {
    return 'done';
  }

  @McpResource('notes://{id}')
  note(): string {
    throw new Error('secret');
  }

  @McpPrompt()
  prompt(): string {
    throw new ToolError('no');
  }
}

async function boot(options: McpOptions = {}): Promise<McpTestApp> {
  opened = gate();
  class TargetModule {}
  const app = await createMcpTestApp({ module: TargetModule, providers: [Target] }, { options, logger: false });
  onTestFinished(() => app.close());
  return app;
}

const free = (app: McpTestApp): Promise<void> =>
  eventually(() => expect([slotsOf(app).running, slotsOf(app).waiting, slotsOf(app).size]).toEqual([0, 0, 0]));
const LIMITS = { maxCallsPerPrincipal: 5 };

describe.each(ERAS)('slots, in the %s era', (era) => {
  it.each([
    ...['fine', 'strict', 'told', 'broken', 'refusing', 'guarded', 'scoped', 'slow', 'streams', 'hidden', 'unknown'],
  ])('are free again after a call of "%s"', async (tool) => {
    const app = await boot({ limits: LIMITS });
    const client = app.client({ era, principal: { subject: 'ada' } });
    for (let i = 0; i < 6; i += 1) await client.call(tool).catch(() => undefined);

    await free(app);
    expect(await client.call('fine')).toMatchObject({ content: [{ text: 'done' }] });
  });

  it('are free again after reads, prompts, lists and completions that fail', async () => {
    const app = await boot({ limits: LIMITS });
    const client = app.client({ era, principal: { subject: 'ada' } });
    for (let i = 0; i < 6; i += 1) {
      await client.read('notes://1').catch(() => undefined);
      await client.read('unknown://1').catch(() => undefined);
      await client.prompt('prompt').catch(() => undefined);
      await client.request('tools/list', { cursor: 'no cursor' }).catch(() => undefined);
      await client.complete({ type: 'ref/prompt', name: 'x' }, { name: 'a', value: '' }).catch(() => undefined);
      await client.request('no/such/method').catch(() => undefined);
    }

    await free(app);
  });

  it('are free again after an answer of the client, or none', async () => {
    const app = await boot({ limits: LIMITS });
    const client = app.client({ era, principal: { subject: 'ada' } }).onElicit(() => ({ action: 'decline' }));
    for (let i = 0; i < 6; i += 1) await client.call('asks');

    await free(app);
  });

  it('are free again after a storm of calls of which every other one is cancelled at some time', async () => {
    const app = await boot();
    const client = app.client({ era, principal: { subject: 'ada' } });
    const calls = Array.from({ length: 40 }, () => client.call('waits'));
    const ends = calls.map((call) =>
      call.then(
        () => 'done',
        () => 'cancelled',
      ),
    );
    await Promise.all(calls.filter((_call, i) => i % 4 === 0).map((call) => call.cancel()));
    await eventually(() => expect(slotsOf(app).waiting).toBe(29));
    await Promise.all(calls.filter((_call, i) => i % 4 === 2).map((call) => call.cancel()));
    await eventually(() => expect(slotsOf(app).waiting).toBe(19));
    opened.open();

    expect((await Promise.all(ends)).filter((end) => end === 'done')).toHaveLength(20);
    await free(app);
  });
});

describe('slots and connections that break', () => {
  /** A call that holds the slot, and one that waits for it, both of which lose their connections. */
  async function broken(era: Era) {
    const app = await boot();
    const caller = await Caller.open(app.url, { era, principal: { subject: 'ada' } });
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [1, 2].map((id) => caller.call('waits', {}, { id, signal }).catch(() => undefined));
    await eventually(() => expect([slotsOf(app).running, slotsOf(app).waiting]).toEqual([1, 1]));
    controller.abort();
    await Promise.all(calls);
    return app;
  }

  it('are free again at once in the stateless era, where that cancels', async () => {
    await free(await broken('stateless'));
  });

  it('stay with the calls of a session, which go on, until they have ended', async () => {
    const app = await broken('session');
    expect([slotsOf(app).running, slotsOf(app).waiting]).toEqual([1, 1]);
    opened.open();
    await free(app);
  });

  it('are free again when the session is deleted', async () => {
    const app = await boot();
    const caller = await Caller.open(app.url, { era: 'session', principal: { subject: 'ada' } });
    const calls = [1, 2].map((id) => caller.call('waits', {}, { id }).then(({ status }) => status));
    await eventually(() => expect(slotsOf(app).waiting).toBe(1));
    await caller.send('DELETE');

    expect(await Promise.all(calls)).toEqual([404, 404]);
    await free(app);
  });
});

describe('a limit of a principal', () => {
  const limits = { principal: { perHour: 4 } };
  const ada = { subject: 'ada', tenant: 'acme', client: 'desk' };

  it('is not evaded by another era, session, name, token or address', async () => {
    // Told that it may be reached through proxies, since what says so is refused otherwise.
    const { url } = await boot({ limits, auth: 'none' });
    const stateless = await Caller.open(url, { era: 'stateless', principal: ada });
    const session = await Caller.open(url, { era: 'session', principal: ada });
    await stateless.statuses(1, 'fine');
    await session.statuses(1, 'fine');
    const refreshed = { ...ada, claims: { jti: 'other' }, roles: ['other'] };
    const again = await Caller.open(url, { era: 'session', principal: refreshed, scopes: ['other'] });
    const headers = { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7', 'user-agent': 'other' };
    const meta = { 'io.modelcontextprotocol/clientInfo': { name: 'other', version: '9' } };

    for (const caller of [stateless, session, again]) {
      expect((await caller.call('fine', {}, { headers, ...(caller === stateless && { meta }) })).status).toBe(429);
    }
  });

  it('is of those who differ in issuer, subject or tenant, whatever client acts for them', async () => {
    const { url } = await boot({ limits: { principal: { perHour: 1 } } });
    const others = [{ issuer: 'other' }, { subject: 'bob' }, { tenant: 'other' }];
    for (const other of [{}, ...others]) {
      const caller = await Caller.open(url, { era: 'stateless', principal: { ...ada, ...other } });
      expect(await caller.statuses(2, 'fine')).toEqual([200, 429]);
    }
    const elsewhere = await Caller.open(url, { era: 'stateless', principal: { ...ada, client: 'other' } });
    expect(await elsewhere.statuses(1, 'fine')).toEqual([429]);
  });

  it('does not let strangers use up what others have', async () => {
    const { url } = await boot({ limits: { ...limits, maxCallsPerPrincipal: 1 } });
    const stranger = await Caller.open(url, { era: 'stateless' });
    await stranger.statuses(6, 'fine');
    const caller = await Caller.open(url, { era: 'stateless', principal: ada });

    expect(await caller.statuses(1, 'fine')).toEqual([200]);
  });
});

describe.each(ERAS)('what limits tell, in the %s era', (era) => {
  /** What somebody who may not know of it hears of a tool, from the first to the last call. */
  async function heard(url: string, tool: string): Promise<[number, string][]> {
    const caller = await Caller.open(url, { era, principal: { subject: `about ${tool}` } });
    const answers: [number, string][] = [];
    for (let i = 0; i < 4; i += 1) {
      const response = await caller.call(tool);
      const body = JSON.stringify(await responseOf(response)).replaceAll(tool, 'it');
      answers.push([response.status, body.replace(/\d{3,}/g, 'n').replace(/\d+ seconds?/g, 's')]);
    }
    return answers;
  }

  it('is the same of what is hidden and of what does not exist', async () => {
    const { url } = await boot({ limits: { principal: { perHour: era === 'session' ? 4 : 3 } } });
    const hidden = await heard(url, 'hidden');

    expect(hidden).toEqual(await heard(url, 'absent'));
    expect(hidden.map(([status]) => status)).toEqual([200, 200, 200, 429]);
  });

  it('is nothing of the limits of what is hidden', async () => {
    const { url } = await boot();
    const hidden = await heard(url, 'hidden');

    expect(new Set(hidden.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(hidden).toEqual(await heard(url, 'absent'));
  });

  it('is nothing of who called', async () => {
    const { url } = await boot({ limits: { principal: { perHour: 1 } } });
    const principal = { subject: 'ada@acme.example', tenant: 'acme-tenant', client: 'desk-client' };
    const caller = await Caller.open(url, { era, principal });
    await caller.statuses(1, 'fine');
    const refused = await caller.call('fine');

    expect(refused.status).toBe(429);
    expect((await refused.text()) + JSON.stringify([...refused.headers])).not.toMatch(/acme|desk/);
  });
});
