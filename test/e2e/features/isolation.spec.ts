import { setTimeout as delay } from 'node:timers/promises';
import { type CanActivate, type ExecutionContext, Inject, Injectable, Scope, UseGuards } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { CurrentCall, McpCall, McpTool } from '../../../src/index.js';
import { ERAS, barrier, serve } from '../nest/serve.js';

const CALLERS = Array.from({ length: 50 }, (_, index) => `caller-${index}`);

/** Says who calls, by whatever way it can be known, each time after others have had their turn. */
@Injectable()
class Witness {
  constructor(private readonly current: CurrentCall) {}

  async hear(call: McpCall, times: number): Promise<string[]> {
    const heard: string[] = [];
    for (let time = 0; time < times; time++) {
      await (time % 2 ? delay(Math.random() * 5) : new Promise((resolve) => setImmediate(resolve)));
      const current = this.current.get();
      heard.push(
        call.principal.subject,
        current.principal.subject,
        String(call.headers['x-caller']),
        String(current.headers['x-caller']),
        String(current.meta['acme/caller']),
      );
    }
    return heard;
  }
}

@Injectable({ scope: Scope.REQUEST })
class Basket {
  readonly owner: string;
  constructor(@Inject(REQUEST) call: McpCall) {
    this.owner = call.principal.subject;
  }
}

/** Remembers, beside the call, whom it let in. */
const admitted = new WeakMap<McpCall, string>();
class Admit implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const call = context.getArgByIndex<McpCall>(0);
    await delay(Math.random() * 5);
    admitted.set(call, call.principal.subject);
    return true;
  }
}

describe.each(ERAS)('fifty callers at once in the %s era', (era) => {
  /** What each caller hears, and the callers themselves. */
  async function callAll(providers: (new (...args: never[]) => object)[], name: string) {
    await using app = await serve({ providers: [Witness, ...providers] });
    return await Promise.all(
      CALLERS.map(async (subject) => {
        const client = app.client({ era, principal: { subject }, headers: { 'x-caller': subject } });
        const { content } = await client.call(name, { subject }, { meta: { 'acme/caller': subject } });
        return JSON.parse((content[0] as { text: string }).text) as string[];
      }),
    );
  }
  const input = { type: 'object', properties: { subject: { type: 'string' } } } as const;
  const own = (length: number) => CALLERS.map((subject) => Array.from({ length }, () => subject));

  it('see nothing of each other in a handler that is called directly', async () => {
    const all = barrier(CALLERS.length);
    @Injectable()
    class Tools {
      constructor(private readonly witness: Witness) {}
      @McpTool({ input })
      async who({ subject }: Record<string, unknown>, call: McpCall): Promise<string> {
        await all.arrive();
        return JSON.stringify([subject, ...(await this.witness.hear(call, 6))]);
      }
    }

    expect(await callAll([Tools], 'who')).toEqual(own(31));
  });

  it('see nothing of each other in a handler behind the pipeline', async () => {
    const all = barrier(CALLERS.length);
    @Injectable()
    @UseGuards(Admit)
    class Tools {
      constructor(private readonly witness: Witness) {}
      @McpTool({ input })
      async who({ subject }: Record<string, unknown>, call: McpCall): Promise<string> {
        await all.arrive();
        return JSON.stringify([subject, ...(await this.witness.hear(call, 6)), admitted.get(call)]);
      }
    }

    expect(await callAll([Tools], 'who')).toEqual(own(32));
  });

  it('see nothing of each other in request-scoped providers', async () => {
    const all = barrier(CALLERS.length);
    @Injectable()
    class Tools {
      constructor(
        private readonly witness: Witness,
        private readonly basket: Basket,
      ) {}
      @McpTool({ input })
      async who({ subject }: Record<string, unknown>, call: McpCall): Promise<string> {
        await all.arrive();
        return JSON.stringify([subject, ...(await this.witness.hear(call, 6)), this.basket.owner]);
      }
    }

    expect(await callAll([Basket, Tools], 'who')).toEqual(own(32));
  });

  it('see nothing of each other in a generator', async () => {
    const all = barrier(CALLERS.length);
    @Injectable()
    class Tools {
      constructor(private readonly current: CurrentCall) {}
      @McpTool({ input })
      async *who({ subject }: Record<string, unknown>): AsyncGenerator<string> {
        yield `["${String(subject)}"`;
        await all.arrive();
        for (let time = 0; time < 4; time++) {
          yield `,"${this.current.get().principal.subject}"`;
          await delay(Math.random() * 5);
        }
        yield ']';
      }
    }

    expect(await callAll([Tools], 'who')).toEqual(own(5));
  });
});
