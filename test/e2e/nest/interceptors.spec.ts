import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { type Observable, catchError, from, map, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CurrentCall, McpCall, McpTool, ToolError } from '../../../src/index.js';
import { ERAS, serve } from './serve.js';

/** Puts what comes through in brackets. */
class Brackets implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<string>): Observable<string> {
    return next.handle().pipe(map((text) => `[${text}]`));
  }
}

@Injectable()
class PlainTools {
  @McpTool()
  greet(): string {
    return 'hello';
  }
}

@Injectable()
class MethodIntercepted {
  @McpTool()
  @UseInterceptors(Brackets)
  greet(): string {
    return 'hello';
  }
}

@Injectable()
@UseInterceptors(Brackets)
class ClassIntercepted {
  @McpTool()
  greet(): string {
    return 'hello';
  }
}

describe.each(ERAS)('interceptors in the %s era', (era) => {
  it.each([
    ['of the method', { providers: [MethodIntercepted] }, undefined],
    ['of the class', { providers: [ClassIntercepted] }, undefined],
    [
      'given as APP_INTERCEPTOR',
      { providers: [PlainTools, { provide: APP_INTERCEPTOR, useClass: Brackets }] },
      undefined,
    ],
    ['given to useGlobalInterceptors', { providers: [PlainTools] }, new Brackets()],
  ])('map the result by an interceptor %s', async (_where, metadata, global) => {
    await using app = await serve(metadata, {
      configure: (nest) => void (global && nest.useGlobalInterceptors(global)),
    });

    expect(await app.client({ era }).call('greet')).toEqual({ content: [{ type: 'text', text: '[hello]' }] });
  });

  it('answer in place of the handler', async () => {
    let ran = false;
    class FromCache implements NestInterceptor {
      intercept = (): Observable<string> => of('cached');
    }
    @Injectable()
    class Tools {
      @McpTool()
      @UseInterceptors(FromCache)
      greet(): string {
        ran = true;
        return 'fresh';
      }
    }
    await using app = await serve({ providers: [Tools] });

    expect(await app.client({ era }).call('greet')).toEqual({ content: [{ type: 'text', text: 'cached' }] });
    expect(ran).toBe(false);
  });

  it('change what is validated as output', async () => {
    class Double implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler<{ sum: number }>): Observable<{ sum: number }> {
        return next.handle().pipe(map(({ sum }) => ({ sum: sum * 2 })));
      }
    }
    @Injectable()
    class Tools {
      @McpTool({ output: z.object({ sum: z.number() }) })
      @UseInterceptors(Double)
      sum(): { sum: number } {
        return { sum: 21 };
      }
    }
    await using app = await serve({ providers: [Tools] });

    expect(await app.client({ era }).call('sum')).toEqual({
      structuredContent: { sum: 42 },
      content: [{ type: 'text', text: '{"sum":42}' }],
    });
  });

  it('turn a failure into a result, or into words for the model', async () => {
    class Recover implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next
          .handle()
          .pipe(
            catchError((error: Error) =>
              error.message === 'busy' ? of('try later') : throwError(() => new ToolError('Ask for another order.')),
            ),
          );
      }
    }
    @Injectable()
    @UseInterceptors(Recover)
    class Tools {
      @McpTool()
      busy(): never {
        throw new Error('busy');
      }
      @McpTool()
      broken(): never {
        throw new Error('broken');
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('busy')).toEqual({ content: [{ type: 'text', text: 'try later' }] });
    expect(await client.call('broken')).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'Ask for another order.' }],
    });
  });

  it('see the last value of a handler that answers with an observable', async () => {
    @Injectable()
    class Tools {
      @McpTool()
      @UseInterceptors(Brackets)
      count(): Observable<string> {
        return from(['one', 'two', 'three']);
      }
    }
    await using app = await serve({ providers: [Tools] });

    expect(await app.client({ era }).call('count')).toEqual({ content: [{ type: 'text', text: '[three]' }] });
  });

  it('hand on the pieces of a generator unread', async () => {
    class PassOn implements NestInterceptor {
      intercept = (_context: ExecutionContext, next: CallHandler): Observable<unknown> => next.handle();
    }
    @Injectable()
    class Tools {
      @McpTool()
      @UseInterceptors(PassOn)
      async *count(): AsyncGenerator<string> {
        yield 'one, ';
        yield 'two';
      }
    }
    await using app = await serve({ providers: [Tools] });
    const heard: unknown[] = [];

    const result = await app.client({ era }).call('count', {}, { onProgress: ({ message }) => heard.push(message) });

    expect(result).toEqual({ content: [{ type: 'text', text: 'one, two' }] });
    expect(heard).toEqual(['one, ', 'two']);
  });

  it('run inside the call, and see it and its type', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Look implements NestInterceptor {
      constructor(private readonly current: CurrentCall) {}
      intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
        const [call] = context.getArgs<[McpCall]>();
        seen.push(context.getType<string>(), call === this.current.get(), call.principal.subject);
        return next.handle().pipe(map((value: unknown) => (seen.push(call === this.current.find()), value)));
      }
    }
    @Injectable()
    @UseInterceptors(Look)
    class Tools {
      @McpTool()
      greet(): string {
        return 'hello';
      }
    }
    await using app = await serve({ providers: [Tools] });

    await app.client({ era, principal: { subject: 'ann' } }).call('greet');

    expect(seen).toEqual(['mcp', true, 'ann', true]);
  });
});
