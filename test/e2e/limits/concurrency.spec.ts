import { Injectable } from '@nestjs/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Concurrency, McpCall, McpCompletion, type McpOptions, McpPrompt, McpTool } from '../../../src/index.js';
import * as z from 'zod';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { type Gate, gate } from '../stateless/requests.js';
import { Caller, ERAS, refusalOf, refusedBy, slotsOf } from './caller.js';

/** What runs now, in the order in which it began: each until the test lets it end. */
let cooking: { readonly dish: string; readonly gate: Gate }[] = [];

async function cook(dish: string, { signal }: McpCall): Promise<string> {
  const order = { dish, gate: gate() };
  cooking.push(order);
  const gone = new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error)),
  );
  await Promise.race([order.gate.opened, gone]).finally(() => cooking.splice(cooking.indexOf(order), 1));
  return dish;
}

const DISH = z.object({ dish: z.string() });
type Dish = z.infer<typeof DISH>;

@Injectable()
class Kitchen {
  @McpTool({ input: DISH })
  @Concurrency(1)
  oven({ dish }: Dish, call: McpCall): Promise<string> {
    return cook(dish, call);
  }

  @McpTool({ input: DISH })
  @Concurrency({ max: 1, queue: 2, queueMs: 60_000 })
  stove({ dish }: Dish, call: McpCall): Promise<string> {
    return cook(dish, call);
  }

  @McpTool({ input: DISH })
  @Concurrency({ max: 1, queue: 1, queueMs: 20 })
  toaster({ dish }: Dish, call: McpCall): Promise<string> {
    return cook(dish, call);
  }

  @McpTool({ input: DISH })
  @Concurrency({ max: 1, per: 'principal' })
  plate({ dish }: Dish, call: McpCall): Promise<string> {
    return cook(dish, call);
  }

  @McpTool({ input: DISH })
  table({ dish }: Dish, call: McpCall): Promise<string> {
    return cook(dish, call);
  }

  @McpPrompt({ input: DISH })
  @Concurrency(1)
  menu({ dish }: Dish, call: McpCall): Promise<string> {
    return cook(dish, call);
  }

  @McpCompletion({ prompt: 'menu', argument: 'dish' })
  dishes(): string[] {
    return ['pie'];
  }
}

async function boot(options: McpOptions = {}): Promise<McpTestApp> {
  cooking = [];
  class KitchenModule {}
  const app = await createMcpTestApp({ module: KitchenModule, providers: [Kitchen] }, { options, logger: false });
  onTestFinished(() => app.close());
  return app;
}

const dishes = (): string[] => cooking.map(({ dish }) => dish);
const until = (condition: () => unknown, wanted: unknown = true): Promise<void> =>
  eventually(() => expect(condition()).toEqual(wanted));
const NOT_BEGUN = 'The server is stopping. The call has not begun; send it again.';
const TEXT = (text: string) => ({ content: [{ type: 'text', text }] });

describe.each(ERAS)('how many at once, in the %s era', (era) => {
  const ada = (app: McpTestApp) => app.client({ era, principal: { subject: 'ada' } });
  const bob = (app: McpTestApp) => app.client({ era, principal: { subject: 'bob' } });

  it('a tool may run, and one more is refused in a way that says so', async () => {
    const app = await boot({ http: { streamAfterMs: 0 } });
    const first = ada(app).call('oven', { dish: 'pie' });
    await until(dishes, ['pie']);
    const caller = await Caller.open(app.url, { era, principal: { subject: 'bob' } });
    const options = { id: 'one more', meta: { progressToken: 1 } };

    expect(await refusalOf(await caller.call('oven', { dish: 'cake' }, options))).toEqual({
      ...refusedBy('concurrency:tool', 'one more'),
      retryAfter: '1',
    });
    cooking[0]?.gate.open();
    expect(await first).toMatchObject(TEXT('pie'));
    await until(() => slotsOf(app).size, 0);
  });

  it('other tools are not affected', async () => {
    const app = await boot();
    const calls = ['oven', 'stove', 'table'].map((tool) => ada(app).call(tool, { dish: tool }));
    await until(() => dishes().sort(), ['oven', 'stove', 'table']);
    for (const { gate } of [...cooking]) gate.open();
    await Promise.all(calls);
  });

  it('calls that wait run as others end, in the order in which they came', async () => {
    const app = await boot();
    const calls = [];
    for (const dish of ['first', 'second', 'third']) {
      calls.push(ada(app).call('stove', { dish }));
      await until(() => slotsOf(app).running + slotsOf(app).waiting, calls.length);
    }
    await expect(bob(app).call('stove', { dish: 'fourth' })).rejects.toMatchObject({ code: 429, status: 429 });
    for (const dish of ['first', 'second', 'third']) {
      await until(dishes, [dish]);
      cooking[0]?.gate.open();
    }

    expect(await Promise.all(calls)).toMatchObject(['first', 'second', 'third'].map(TEXT));
    await until(() => slotsOf(app).size, 0);
  });

  it('a call that has waited long enough is refused, before any stream', async () => {
    const app = await boot({ http: { streamAfterMs: 0 } });
    const first = ada(app).call('toaster', { dish: 'toast' });
    await until(dishes, ['toast']);
    const caller = await Caller.open(app.url, { era, principal: { subject: 'bob' } });

    expect(await refusalOf(await caller.call('toaster', { dish: 'bun' }))).toEqual(refusedBy('concurrency:tool'));
    expect([slotsOf(app).running, slotsOf(app).waiting]).toEqual([1, 0]);
    await first.cancel();
    await until(() => slotsOf(app).size, 0);
  });

  it('a call that is cancelled while it waits leaves the queue, and never runs', async () => {
    const app = await boot();
    const first = ada(app).call('stove', { dish: 'first' });
    await until(dishes, ['first']);
    const waiting = bob(app).call('stove', { dish: 'second' });
    waiting.catch(() => undefined);
    await until(() => slotsOf(app).waiting, 1);
    await waiting.cancel();
    await until(() => slotsOf(app).waiting, 0);
    cooking[0]?.gate.open();
    await first;

    await until(() => slotsOf(app).size, 0);
    expect(dishes()).toEqual([]);
  });

  it('a call that is cancelled while it runs makes room for the next', async () => {
    const app = await boot();
    const first = ada(app).call('stove', { dish: 'first' });
    first.catch(() => undefined);
    await until(dishes, ['first']);
    const second = bob(app).call('stove', { dish: 'second' });
    await until(() => slotsOf(app).waiting, 1);
    await first.cancel();

    await until(dishes, ['second']);
    cooking[0]?.gate.open();
    expect(await second).toMatchObject(TEXT('second'));
  });

  it('a call that waits when the server stops is told to come again', async () => {
    const app = await boot({ http: { drainGraceMs: 0 } });
    const first = ada(app).call('stove', { dish: 'first' });
    first.catch(() => undefined);
    await until(dishes, ['first']);
    const waiting = bob(app).call('stove', { dish: 'second' });
    const refused = expect(waiting).rejects.toMatchObject({ code: 503, status: 503, message: NOT_BEGUN });
    await until(() => slotsOf(app).waiting, 1);

    await app.app.close();
    await refused;
    expect(slotsOf(app).size).toBe(0);
  });

  it('one principal may have of a tool, whatever others have', async () => {
    const app = await boot();
    const calls = [ada(app).call('plate', { dish: 'hers' }), bob(app).call('plate', { dish: 'his' })];
    await until(() => dishes().sort(), ['hers', 'his']);

    await expect(ada(app).call('plate', { dish: 'more' })).rejects.toMatchObject({ code: 429 });
    for (const { gate } of [...cooking]) gate.open();
    await Promise.all(calls);
  });

  it('one principal may have of everything', async () => {
    const app = await boot({ limits: { maxCallsPerPrincipal: 2 } });
    const hers = ada(app);
    const calls = ['oven', 'table'].map((tool) => hers.call(tool, { dish: tool }));
    await until(() => dishes().sort(), ['oven', 'table']);

    for (const refused of [hers.listTools(), hers.call('table', { dish: 'x' }), hers.prompt('menu', { dish: 'x' })]) {
      await expect(refused).rejects.toMatchObject({ code: 429, data: { limit: 'concurrency', scope: 'principal' } });
    }
    expect(await bob(app).listTools()).toHaveLength(5);
    for (const { gate } of [...cooking]) gate.open();
    await Promise.all(calls);
    await until(() => slotsOf(app).size, 0);
    expect(await hers.listTools()).toHaveLength(5);
  });

  it('prompts may run, which does not bind their completions', async () => {
    const app = await boot();
    const first = ada(app).prompt('menu', { dish: 'pie' });
    await until(dishes, ['pie']);
    const complete = () => bob(app).complete({ type: 'ref/prompt', name: 'menu' }, { name: 'dish', value: '' });

    await expect(bob(app).prompt('menu', { dish: 'x' })).rejects.toMatchObject({ code: 429 });
    expect(await complete()).toMatchObject({ values: ['pie'] });
    cooking[0]?.gate.open();
    await first;
  });
});

describe('streams that stay open', () => {
  it('hold no slots of calls: other limits bind them', async () => {
    const app = await boot({ limits: { maxCallsPerPrincipal: 1 } });
    for (const era of ERAS) {
      const client = app.client({ era, principal: { subject: 'ada' } });
      await client.listen({ toolsListChanged: true });
      expect(await client.listTools()).toHaveLength(5);
    }
    await until(() => slotsOf(app).size, 0);
  });
});

it('a limit that nobody can meet stops the start', async () => {
  await expect(boot({ limits: { maxCallsPerPrincipal: 0 } })).rejects.toThrow(
    'limits.maxCallsPerPrincipal: max must be',
  );
  await expect(boot({ limits: { principal: {} } })).rejects.toThrow('limits.principal needs exactly one of');
});
