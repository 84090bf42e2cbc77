import {
  type ContextId,
  ContextIdFactory,
  type ContextIdStrategy,
  type HostComponentInfo,
  REQUEST,
} from '@nestjs/core';
import { Controller, Inject, Injectable, Scope } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { CurrentCall, McpCall, McpResource, McpTool } from '../../../src/index.js';
import { ERAS, barrier, serve } from './serve.js';

const said = (text: string) => ({ content: [{ type: 'text', text }] });

describe.each(ERAS)('scoped providers in the %s era', (era) => {
  it('are made for each call, and REQUEST is the call', async () => {
    let made = 0;
    @Injectable({ scope: Scope.REQUEST })
    class Basket {
      readonly number = ++made;
      constructor(@Inject(REQUEST) readonly call: McpCall) {}
    }
    @Injectable()
    class Tools {
      constructor(private readonly basket: Basket) {}
      @McpTool()
      show(call: McpCall): string {
        return `${this.basket.number} ${this.basket.call === call} ${this.basket.call.principal.subject}`;
      }
    }
    await using app = await serve({ providers: [Basket, Tools] });
    const client = app.client({ era, principal: { subject: 'ann' } });

    expect(await client.call('show')).toEqual(said('1 true ann'));
    expect(await client.call('show')).toEqual(said('2 true ann'));
  });

  it('may hold the tools themselves, be they providers or controllers', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tools {
      private calls = 0;
      constructor(@Inject(REQUEST) private readonly call: McpCall) {}
      @McpTool()
      ofProvider(): string {
        return `${++this.calls} ${this.call.target}`;
      }
    }
    @Controller({ scope: Scope.REQUEST })
    class ToolController {
      private calls = 0;
      constructor(@Inject(REQUEST) private readonly call: McpCall) {}
      @McpTool()
      ofController(): string {
        return `${++this.calls} ${this.call.target}`;
      }
    }
    await using app = await serve({ providers: [Tools], controllers: [ToolController] });
    const client = app.client({ era });

    for (const name of ['ofProvider', 'ofController', 'ofProvider', 'ofController']) {
      expect(await client.call(name)).toEqual(said(`1 ${name}`));
    }
  });

  it('share one instance within a call, and none between calls that run at once', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Notes {
      readonly lines: string[] = [];
    }
    @Injectable({ scope: Scope.REQUEST })
    class Writer {
      constructor(private readonly notes: Notes) {}
      write(line: string): void {
        this.notes.lines.push(line);
      }
    }
    const both = barrier(2);
    @Injectable()
    class Tools {
      constructor(
        private readonly notes: Notes,
        private readonly writer: Writer,
      ) {}
      @McpTool()
      async note(call: McpCall): Promise<string> {
        this.writer.write(`by ${call.principal.subject}`);
        await both.arrive();
        return this.notes.lines.join();
      }
    }
    await using app = await serve({ providers: [Notes, Writer, Tools] });
    const [ann, bob] = ['ann', 'bob'].map((subject) => app.client({ era, principal: { subject } }));

    expect(await Promise.all([ann?.call('note'), bob?.call('note')])).toEqual([said('by ann'), said('by bob')]);
  });

  it('leave validation and listing as they are', async () => {
    let made = 0;
    @Injectable({ scope: Scope.REQUEST })
    class Tools {
      constructor() {
        made++;
      }
      @McpResource('orders://{id}', { title: 'An order' })
      order({ id }: { id: string }): string {
        return id;
      }
      @McpTool({ input: { type: 'object', properties: { a: { type: 'number' } } } })
      double(input: Record<string, unknown>): number {
        return Number(input['a']) * 2;
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.listTools()).toHaveLength(1);
    expect(await client.listResourceTemplates()).toEqual([
      { uriTemplate: 'orders://{id}', name: 'order', title: 'An order' },
    ]);
    expect(made).toBe(0);
    expect(await client.call('double', { a: 'x' })).toMatchObject({ isError: true });
    expect(await client.call('double', { a: 4 })).toEqual(said('8'));
  });

  it('of transient kind are the holder’s own', async () => {
    let made = 0;
    @Injectable({ scope: Scope.TRANSIENT })
    class Counter {
      readonly number = ++made;
    }
    @Injectable()
    class First {
      constructor(readonly counter: Counter) {}
      @McpTool()
      first(): string {
        return `${this.counter.number}`;
      }
    }
    @Injectable()
    class Second {
      constructor(readonly counter: Counter) {}
      @McpTool()
      second(): string {
        return `${this.counter.number}`;
      }
    }
    await using app = await serve({ providers: [Counter, First, Second] });
    const client = app.client({ era });

    expect(await client.call('first')).toEqual(said('1'));
    expect(await client.call('second')).toEqual(said('2'));
    expect(await client.call('first')).toEqual(said('1'));
  });

  it('of transient kind may hold the tools', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Tools {
      @McpTool()
      hello(): string {
        return 'hello';
      }
    }
    await using app = await serve({ providers: [Tools] });

    expect(await app.client({ era }).call('hello')).toEqual(said('hello'));
  });
});

/** One sub-tree of durable providers a tenant. */
class ByTenant implements ContextIdStrategy<McpCall> {
  private readonly tenants = new Map<string, ContextId>();

  attach(contextId: ContextId, call: McpCall) {
    const tenant = call.principal?.tenant ?? 'none';
    const parent = this.tenants.get(tenant) ?? ContextIdFactory.create();
    this.tenants.set(tenant, parent);
    return {
      resolve: (info: HostComponentInfo) => (info.isTreeDurable ? parent : contextId),
      payload: { tenant },
    };
  }
}

describe.each(ERAS)('durable providers in the %s era', (era) => {
  afterEach(() => ContextIdFactory.apply(undefined as unknown as ContextIdStrategy));

  it('live as long as their tenant, and REQUEST is what the strategy says', async () => {
    ContextIdFactory.apply(new ByTenant());
    let made = 0;
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Connection {
      readonly number = ++made;
      constructor(@Inject(REQUEST) readonly request: { tenant: string }) {}
    }
    @Injectable()
    class Tools {
      constructor(
        private readonly connection: Connection,
        private readonly current: CurrentCall,
      ) {}
      @McpTool()
      where(): string {
        const { subject } = this.current.get().principal;
        return `${subject} on connection ${this.connection.number} of ${this.connection.request.tenant}`;
      }
    }
    await using app = await serve({ providers: [Connection, Tools] });
    const client = (subject: string, tenant: string) => app.client({ era, principal: { subject, tenant } });

    expect(await client('ann', 'acme').call('where')).toEqual(said('ann on connection 1 of acme'));
    expect(await client('bob', 'globex').call('where')).toEqual(said('bob on connection 2 of globex'));
    expect(await client('cid', 'acme').call('where')).toEqual(said('cid on connection 1 of acme'));
  });

  it('may be mixed with providers of the single call, whose REQUEST is the call', async () => {
    ContextIdFactory.apply(new ByTenant());
    let made = 0;
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Connection {
      readonly number = ++made;
    }
    @Injectable({ scope: Scope.REQUEST })
    class Basket {
      constructor(@Inject(REQUEST) readonly call: McpCall) {}
    }
    @Injectable()
    class Tools {
      constructor(
        private readonly connection: Connection,
        private readonly basket: Basket,
      ) {}
      @McpTool()
      where(): string {
        return `${this.basket.call.principal.subject} on connection ${this.connection.number}`;
      }
    }
    await using app = await serve({ providers: [Connection, Basket, Tools] });
    const client = (subject: string) => app.client({ era, principal: { subject, tenant: 'acme' } });

    expect(await client('ann').call('where')).toEqual(said('ann on connection 1'));
    expect(await client('bob').call('where')).toEqual(said('bob on connection 1'));
  });
});
