import {
  type ArgumentsHost,
  Body,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  Post,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { type Observable, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpTool, ToolError } from '../../../src/index.js';
import { ERAS, serve } from './serve.js';

/** One enhancer of each kind, which writes down its name when it runs. */
function enhancers(where: string, steps: string[]) {
  class Guard implements CanActivate {
    canActivate(): boolean {
      steps.push(`${where} guard`);
      return true;
    }
  }
  class Interceptor implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      steps.push(`${where} interceptor before`);
      return next.handle().pipe(
        tap({
          next: () => steps.push(`${where} interceptor after`),
          error: () => steps.push(`${where} interceptor error`),
        }),
      );
    }
  }
  class Pipe implements PipeTransform {
    transform(value: unknown): unknown {
      steps.push(`${where} pipe`);
      return value;
    }
  }
  @Catch()
  class Filter implements ExceptionFilter {
    catch(_exception: unknown, host: ArgumentsHost): unknown {
      steps.push(`${where} filter`);
      if (host.getType<string>() === 'mcp') return `handled by the ${where} filter`;
      return host.switchToHttp().getResponse<FastifyReply>().status(418).send();
    }
  }
  return { Guard, Interceptor, Pipe, Filter };
}

/** A method that is a route and a tool, with enhancers wherever Nest knows them. */
function enhanced(steps: string[]) {
  const ofApp = enhancers('app', steps);
  const ofClass = enhancers('class', steps);
  const ofMethod = enhancers('method', steps);
  const input = z.object({ fail: z.boolean() }).refine(() => steps.push('validation') > 0);

  @Controller('run')
  @UseGuards(ofClass.Guard)
  @UseInterceptors(ofClass.Interceptor)
  @UsePipes(ofClass.Pipe)
  @UseFilters(ofClass.Filter)
  class RunController {
    @Post()
    @McpTool({ input })
    @UseGuards(ofMethod.Guard)
    @UseInterceptors(ofMethod.Interceptor)
    @UsePipes(ofMethod.Pipe)
    @UseFilters(ofMethod.Filter)
    run(@Body() { fail }: { fail: boolean }): string {
      steps.push('handler');
      if (fail) throw new Error('broken');
      return 'done';
    }
  }
  return {
    controllers: [RunController],
    providers: [
      { provide: APP_GUARD, useClass: ofApp.Guard },
      { provide: APP_INTERCEPTOR, useClass: ofApp.Interceptor },
      { provide: APP_PIPE, useClass: ofApp.Pipe },
      { provide: APP_FILTER, useClass: ofApp.Filter },
    ],
  };
}

const BEFORE = [
  'app guard',
  'class guard',
  'method guard',
  'app interceptor before',
  'class interceptor before',
  'method interceptor before',
  'validation',
  'app pipe',
  'class pipe',
  'method pipe',
  'handler',
];

describe.each(ERAS)('order of enhancers in the %s era', (era) => {
  it('is guards, interceptors, validation, pipes, handler, interceptors; global ones outermost', async () => {
    const steps: string[] = [];
    await using app = await serve(enhanced(steps));

    const result = await app.client({ era }).call('run', { fail: false });

    expect(result).toEqual({ content: [{ type: 'text', text: 'done' }] });
    expect(steps).toEqual([...BEFORE, 'method interceptor after', 'class interceptor after', 'app interceptor after']);
  });

  it('lets the filter nearest to the handler have a failure, after the interceptors have seen it', async () => {
    const steps: string[] = [];
    await using app = await serve(enhanced(steps));

    const result = await app.client({ era }).call('run', { fail: true });

    expect(result).toEqual({ content: [{ type: 'text', text: 'handled by the method filter' }] });
    expect(steps).toEqual([
      ...BEFORE,
      'method interceptor error',
      'class interceptor error',
      'app interceptor error',
      'method filter',
    ]);
  });

  it.each([false, true])('is that of a route of the same controller, failing: %s', async (fail) => {
    const steps: string[] = [];
    await using app = await serve(enhanced(steps));
    await app.client({ era }).call('run', { fail });
    const asTool = steps.splice(0);

    await fetch(new URL('/run', app.url), {
      method: 'POST',
      body: JSON.stringify({ fail }),
      headers: { 'content-type': 'application/json' },
    });

    expect(steps).toEqual(asTool.filter((step) => step !== 'validation'));
  });

  it('stops at validation, which filters hear of as of any failure', async () => {
    const heard: unknown[] = [];
    @Catch()
    class Listen implements ExceptionFilter {
      catch(exception: Error): void {
        heard.push(exception.name);
      }
    }
    @Injectable()
    class Tools {
      @McpTool({ input: z.object({ amount: z.number() }) })
      @UseFilters(Listen)
      pay(_input: { amount: number }): never {
        throw new ToolError('not reached');
      }
    }
    await using app = await serve({ providers: [Tools] });

    expect(await app.client({ era }).call('pay', {})).toEqual({
      isError: true,
      content: [{ type: 'text', text: expect.stringContaining('- amount: ') }],
    });
    expect(heard).toEqual(['InvalidArgumentsError']);
  });
});
