import { Controller, Get, Injectable, Module, UseGuards } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { IsString } from 'class-validator';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { McpPrompt, McpResource, McpTool } from '../../../src/index.js';
import { ERAS, serve } from './serve.js';

const said = (text: string) => ({ content: [{ type: 'text', text }] });

class NameInput {
  @IsString()
  name!: string;
}

describe.each(ERAS)('where handlers may stand in the %s era', (era) => {
  it('in a controller, as a route and a tool at once', async () => {
    @Controller('status')
    class StatusController {
      private reads = 0;
      @Get()
      @McpTool()
      status(): string {
        return `read ${++this.reads} times`;
      }
    }
    await using app = await serve({ controllers: [StatusController] });

    expect(await (await fetch(new URL('/status', app.url))).text()).toBe('read 1 times');
    expect(await app.client({ era }).call('status')).toEqual(said('read 2 times'));
  });

  it('in a base class, which gives each class its own and knows no other', async () => {
    abstract class Greeter {
      abstract readonly word: string;
      @McpResource('greeting://fixed')
      greeting(): string {
        return this.word;
      }
      @McpTool()
      greet({ name }: NameInput): string {
        return `${this.word} ${name}`;
      }
      @McpTool()
      hidden(): string {
        return 'hidden';
      }
    }
    @Injectable()
    class German extends Greeter {
      readonly word = 'Hallo';
      /** Overridden without a decorator, so no tool any more. */
      override hidden(): string {
        return 'still hidden';
      }
      @McpTool()
      part(): string {
        return 'Tschüss';
      }
    }
    await using app = await serve({ providers: [German] });
    const client = app.client({ era });

    expect((await client.listTools()).map(({ name }) => name)).toEqual(['greet', 'part']);
    expect(await client.call('greet', { name: 'Ann' })).toEqual(said('Hallo Ann'));
    expect(await client.call('part')).toEqual(said('Tschüss'));
    expect((await client.read('greeting://fixed')).contents).toMatchObject([{ text: 'Hallo' }]);
  });

  it('in a base class, guarded as the class that inherits it is guarded', async () => {
    class Deny {
      canActivate = (): boolean => false;
    }
    class Greeter {
      @McpTool()
      greet(): string {
        return 'Hello';
      }
    }
    @Injectable()
    @UseGuards(Deny)
    class Guarded extends Greeter {}
    await using app = await serve({ providers: [Guarded] });

    await expect(app.client({ era }).call('greet')).rejects.toMatchObject({ code: 403 });
  });

  it('under several decorators, of different kinds or of one', async () => {
    @Injectable()
    class Orders {
      @McpTool({ name: 'list-orders' })
      @McpTool({ name: 'orders.list', title: 'The old name' })
      @McpResource('orders://all')
      @McpPrompt({ name: 'summarise' })
      orders(): string {
        return '7 orders';
      }
    }
    await using app = await serve({ providers: [Orders] });
    const client = app.client({ era });

    expect(await client.call('list-orders')).toEqual(said('7 orders'));
    expect(await client.call('orders.list')).toEqual(said('7 orders'));
    expect((await client.read('orders://all')).contents).toMatchObject([{ text: '7 orders' }]);
    expect((await client.prompt('summarise')).messages).toEqual([
      { role: 'user', content: { type: 'text', text: '7 orders' } },
    ]);
  });

  it.each(['useClass', 'useFactory', 'useValue', 'async useFactory'])('in what a token provides by %s', async (by) => {
    class Tools {
      constructor(readonly word = 'from the class') {}
      @McpTool()
      word_(): string {
        return this.word;
      }
    }
    const provider = {
      useClass: { provide: 'TOOLS', useClass: Tools },
      useFactory: { provide: 'TOOLS', useFactory: () => new Tools('made') },
      useValue: { provide: 'TOOLS', useValue: new Tools('given') },
      'async useFactory': { provide: Symbol('TOOLS'), useFactory: async () => new Tools('made later') },
    }[by];
    await using app = await serve({ providers: [provider as { provide: string; useValue: Tools }] });

    const word = {
      useClass: 'from the class',
      useFactory: 'made',
      useValue: 'given',
      'async useFactory': 'made later',
    };
    expect(await app.client({ era }).call('word_')).toEqual(said(word[by as keyof typeof word]));
  });

  it('in a class that an alias names too, which offers it once', async () => {
    @Injectable()
    class Tools {
      @McpTool()
      hello(): string {
        return 'hello';
      }
    }
    await using app = await serve({ providers: [Tools, { provide: 'ALIAS', useExisting: Tools }] });

    expect(await app.client({ era }).listTools()).toHaveLength(1);
  });

  it('in any module, with what that module provides', async () => {
    @Injectable()
    class Greeting {
      readonly word: string = 'Hello';
    }
    @Injectable()
    class Tools {
      constructor(private readonly greeting: Greeting) {}
      @McpTool()
      hello(): string {
        return this.greeting.word;
      }
    }
    @Module({ providers: [Tools, { provide: Greeting, useValue: { word: 'Moin' } }] })
    class NorthModule {}
    @Module({ imports: [NorthModule] })
    class CountryModule {}
    await using app = await serve({ imports: [CountryModule], providers: [Greeting] });

    expect(await app.client({ era }).call('hello')).toEqual(said('Moin'));
  });

  it('with a test’s own provider in the place of a service', async () => {
    @Injectable()
    class Clock {
      now(): string {
        return new Date().toISOString();
      }
    }
    @Injectable()
    class Tools {
      constructor(private readonly clock: Clock) {}
      @McpTool()
      time(): string {
        return this.clock.now();
      }
    }
    await using app = await serve({ providers: [Clock, Tools] }, { override: [[Clock, { now: () => 'noon' }]] });

    expect(await app.client({ era }).call('time')).toEqual(said('noon'));
  });
});

describe('the way to a handler', () => {
  afterEach(() => vi.restoreAllMocks());

  class Allow {
    canActivate = (): boolean => true;
  }
  @Injectable()
  class Tools {
    @McpTool()
    bare(): string {
      return 'bare';
    }
    @McpTool()
    @UseGuards(Allow)
    guarded(): string {
      return 'guarded';
    }
  }
  const methodsOf = (spy: { mock: { calls: unknown[][] } }) => spy.mock.calls.map(([, , methodName]) => methodName);

  it('leads through Nest’s pipeline only where there is something in it', async () => {
    const create = vi.spyOn(ExternalContextCreator.prototype, 'create');
    await using app = await serve({ providers: [Tools] });
    const client = app.client();

    expect(await client.call('bare')).toEqual(said('bare'));
    expect(await client.call('guarded')).toEqual(said('guarded'));
    expect(methodsOf(create)).toEqual(['guarded']);
  });

  it('leads through the pipeline everywhere once an enhancer is global', async () => {
    const create = vi.spyOn(ExternalContextCreator.prototype, 'create');
    await using app = await serve(
      { providers: [Tools] },
      { configure: (nest) => void nest.useGlobalGuards(new Allow()) },
    );

    expect(await app.client().call('bare')).toEqual(said('bare'));
    expect(methodsOf(create).sort()).toEqual(['bare', 'guarded']);
  });

  it('is laid at boot: calls build none', async () => {
    const create = vi.spyOn(ExternalContextCreator.prototype, 'create');
    await using app = await serve({ providers: [Tools] });
    create.mockClear();
    const client = app.client();

    for (let call = 0; call < 20; call++) await client.call(call % 2 ? 'guarded' : 'bare');

    expect(create).not.toHaveBeenCalled();
  });

  it('calls the method anew each time, so that a spy put on it later is seen', async () => {
    await using app = await serve({ providers: [Tools] });
    vi.spyOn(app.get(Tools), 'bare').mockReturnValue('spied');

    expect(await app.client().call('bare')).toEqual(said('spied'));
  });
});
