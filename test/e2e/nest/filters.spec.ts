import {
  type ArgumentsHost,
  BadRequestException,
  Catch,
  type ExceptionFilter,
  ForbiddenException,
  Injectable,
  type LoggerService,
  UseFilters,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { type Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCall, McpError, McpPrompt, McpResource, McpTool, ToolError } from '../../../src/index.js';
import { ERAS, serve } from './serve.js';

class OutOfStock extends Error {}

/** Answers for what is out of stock. */
@Catch(OutOfStock)
class StockFilter implements ExceptionFilter {
  catch(exception: OutOfStock): string {
    return `Out of stock: ${exception.message}`;
  }
}

@Injectable()
class PlainTools {
  @McpTool()
  buy(): never {
    throw new OutOfStock('pens');
  }
}

@Injectable()
class MethodFiltered {
  @McpTool()
  @UseFilters(StockFilter)
  buy(): never {
    throw new OutOfStock('pens');
  }
}

@Injectable()
@UseFilters(StockFilter)
class ClassFiltered {
  @McpTool()
  buy(): never {
    throw new OutOfStock('pens');
  }
}

/** A logger that keeps what it is told of errors. */
function errorLog(): { logger: LoggerService; errors: string[] } {
  const errors: string[] = [];
  const ignore = (): void => undefined;
  const error = (...told: unknown[]): void => void errors.push(told.map(String).join('\n'));
  return { errors, logger: { log: ignore, warn: ignore, error } };
}

const MASKED = {
  code: -32603,
  message: expect.stringMatching(/^Internal error\. Reference: [0-9a-f-]{36}$/),
  data: { errorId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
};

describe.each(ERAS)('exception filters in the %s era', (era) => {
  it.each([
    ['of the method', { providers: [MethodFiltered] }, undefined],
    ['of the class', { providers: [ClassFiltered] }, undefined],
    ['given as APP_FILTER', { providers: [PlainTools, { provide: APP_FILTER, useClass: StockFilter }] }, undefined],
    ['given to useGlobalFilters', { providers: [PlainTools] }, new StockFilter()],
  ])('answer in place of a handler that failed by a filter %s', async (_where, metadata, global) => {
    await using app = await serve(metadata, { configure: (nest) => void (global && nest.useGlobalFilters(global)) });

    expect(await app.client({ era }).call('buy')).toEqual({
      content: [{ type: 'text', text: 'Out of stock: pens' }],
    });
  });

  it('answer at once, later, by an observable, or with other words for the model', async () => {
    @Catch()
    class Answering implements ExceptionFilter {
      catch(exception: Error, host: ArgumentsHost): unknown {
        const call = host.getArgByIndex<McpCall>(0);
        if (exception.message === 'later') return Promise.resolve(`later, in ${call.target}`);
        if (exception.message === 'observable') return of('first', 'last') satisfies Observable<string>;
        throw new ToolError(`Told by the filter: ${host.getType<string>()}`);
      }
    }
    @Injectable()
    @UseFilters(Answering)
    class Tools {
      @McpTool({ input: z.object({ how: z.string() }) })
      fail({ how }: { how: string }): never {
        throw new Error(how);
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect((await client.call('fail', { how: 'later' })).content).toEqual([{ type: 'text', text: 'later, in fail' }]);
    expect((await client.call('fail', { how: 'observable' })).content).toEqual([{ type: 'text', text: 'last' }]);
    expect(await client.call('fail', { how: 'else' })).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'Told by the filter: mcp' }],
    });
  });

  it('that answer nothing leave the failure as it is', async () => {
    const seen: string[] = [];
    @Catch()
    class Observe implements ExceptionFilter {
      catch(exception: Error): void {
        seen.push(exception.message);
      }
    }
    @Injectable()
    @UseFilters(Observe)
    class Tools {
      @McpTool()
      tell(): never {
        throw new ToolError('Ask for the number.');
      }
      @McpTool()
      break(): never {
        throw new Error('no connection to db-seven');
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('tell')).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'Ask for the number.' }],
    });
    await expect(client.call('break')).rejects.toMatchObject(MASKED);
    expect(seen).toEqual(['Ask for the number.', 'no connection to db-seven']);
  });

  it('answer for a resource and a prompt too', async () => {
    @Injectable()
    @UseFilters(StockFilter)
    class Everything {
      @McpResource('stock://pens')
      pens(): never {
        throw new OutOfStock('pens');
      }
      @McpPrompt()
      offer(): never {
        throw new OutOfStock('offers');
      }
    }
    await using app = await serve({ providers: [Everything] });
    const client = app.client({ era });

    expect(await client.read('stock://pens')).toEqual({
      contents: [{ uri: 'stock://pens', mimeType: 'text/plain', text: 'Out of stock: pens' }],
    });
    expect(await client.prompt('offer')).toEqual({
      messages: [{ role: 'user', content: { type: 'text', text: 'Out of stock: offers' } }],
    });
  });

  it('never hear of a call that waits for its client', async () => {
    const heard: string[] = [];
    @Catch()
    class CatchAll implements ExceptionFilter {
      catch(exception: Error): string {
        heard.push(exception.name);
        return 'caught';
      }
    }
    @Injectable()
    @UseFilters(CatchAll)
    class Tools {
      @McpTool()
      async greet(call: McpCall): Promise<string> {
        const { name } = await call.elicit(z.object({ name: z.string() }), 'Who are you?');
        return `Hello ${name}`;
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era }).onElicit(() => ({ name: 'Ann' }));

    expect(await client.call('greet')).toEqual({ content: [{ type: 'text', text: 'Hello Ann' }] });
    expect(heard).toEqual([]);
  });
});

describe.each(ERAS)('what a handler throws in the %s era', (era) => {
  @Injectable()
  class Failing {
    @McpTool()
    tell(): never {
      throw new ToolError('No such order. Ask for the number on the invoice.', {
        cause: new Error('row 17 of db-seven'),
      });
    }
    @McpTool()
    break(): never {
      throw new TypeError('password of db-seven is wrong', { cause: new Error('socket to 10.0.0.7 closed') });
    }
    @McpTool()
    breakLater(): Promise<never> {
      return Promise.reject(new BadRequestException('field secret_column'));
    }
    @McpTool()
    breakOddly(): never {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- teams' libraries do it
      throw 'a text about db-seven';
    }
    @McpTool()
    async *breakHalfway(): AsyncGenerator<string> {
      yield 'so far so good';
      throw new Error('lost db-seven');
    }
    @McpTool()
    forbid(): never {
      throw new ForbiddenException('row 17 belongs to tenant acme');
    }
    @McpTool()
    speak(): never {
      throw new McpError('UNAVAILABLE', 'The warehouse is closed.', { retryAfterMs: 1_000 });
    }
  }

  it('reaches the model as text if it is a ToolError, without its cause', async () => {
    const { logger, errors } = errorLog();
    await using app = await serve({ providers: [Failing] }, { logger });

    expect(await app.client({ era }).call('tell')).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'No such order. Ask for the number on the invoice.' }],
    });
    expect(errors).toEqual([]);
  });

  it.each(['break', 'breakLater', 'breakOddly', 'breakHalfway'])(
    'is masked if it is anything else: %s',
    async (name) => {
      await using app = await serve({ providers: [Failing] });

      const failure: unknown = await app
        .client({ era })
        .call(name)
        .catch((error: unknown) => error);

      expect(failure).toMatchObject(MASKED);
      expect(JSON.stringify(failure)).not.toMatch(/db-seven|secret|good|TypeError|\.ts/);
    },
  );

  it('is logged once, with its cause, under the id that the caller got', async () => {
    const { logger, errors } = errorLog();
    await using app = await serve({ providers: [Failing] }, { logger });

    const failure = (await app
      .client({ era })
      .call('break')
      .catch((error: unknown) => error)) as {
      data: { errorId: string };
    };

    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(`tools/call Failing.break failed (error ${failure.data.errorId}, request `);
    expect(errors[0]).toContain('TypeError: password of db-seven is wrong');
    expect(errors[0]).toContain('Caused by: Error: socket to 10.0.0.7 closed');
    expect(errors[0]).toContain('filters.spec.ts');
  });

  it('is refused in constant words if it is an exception of Nest that forbids', async () => {
    await using app = await serve({ providers: [Failing] });

    await expect(app.client({ era }).call('forbid')).rejects.toMatchObject({
      code: 403,
      message: 'This is not allowed.',
      data: undefined,
    });
  });

  it('passes as it is if it is an McpError', async () => {
    await using app = await serve({ providers: [Failing] });

    await expect(app.client({ era }).call('speak')).rejects.toMatchObject({
      code: 503,
      message: 'The warehouse is closed.',
      data: { retryAfterMs: 1_000 },
      // Not the HTTP status of the same number: a proxy would take that for leave to run the call again.
      status: 200,
    });
  });

  it('is masked in resources and prompts, and a ToolError there is an error with its words', async () => {
    @Injectable()
    class Tools {
      @McpResource('stock://broken')
      broken(): never {
        throw new Error('db-seven');
      }
      @McpPrompt()
      brokenPrompt(): never {
        throw new Error('db-seven');
      }
      @McpPrompt()
      toldPrompt(): never {
        throw new ToolError('Name a language first.');
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    await expect(client.read('stock://broken')).rejects.toMatchObject(MASKED);
    await expect(client.prompt('brokenPrompt')).rejects.toMatchObject(MASKED);
    await expect(client.prompt('toldPrompt')).rejects.toMatchObject({
      code: -32603,
      message: 'Name a language first.',
    });
  });
});
