import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  Scope,
  SetMetadata,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { type Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCall, McpCompletion, McpPrompt, McpResource, McpTool } from '../../../src/index.js';
import { ERAS, serve } from './serve.js';

const DENIED = { code: 403, message: 'This is not allowed.', data: undefined, status: 200 };

class Deny implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Injectable()
class PlainTools {
  @McpTool()
  pay(): string {
    return 'paid';
  }
}

@Injectable()
class MethodGuarded {
  @McpTool()
  @UseGuards(Deny)
  pay(): string {
    return 'paid';
  }
}

@Injectable()
@UseGuards(Deny)
class ClassGuarded {
  @McpTool()
  pay(): string {
    return 'paid';
  }
}

describe.each(ERAS)('guards in the %s era', (era) => {
  it.each([
    ['of the method', { providers: [MethodGuarded] }, undefined],
    ['of the class', { providers: [ClassGuarded] }, undefined],
    ['given as APP_GUARD', { providers: [PlainTools, { provide: APP_GUARD, useClass: Deny }] }, undefined],
    ['given to useGlobalGuards', { providers: [PlainTools] }, new Deny()],
  ])('deny by a guard %s', async (_where, metadata, global) => {
    await using app = await serve(metadata, { configure: (nest) => void (global && nest.useGlobalGuards(global)) });

    await expect(app.client({ era }).call('pay')).rejects.toMatchObject(DENIED);
  });

  it('let a call pass that all of them allow, whether they answer at once, later or by an observable', async () => {
    class Now implements CanActivate {
      canActivate = (): boolean => true;
    }
    class Later implements CanActivate {
      canActivate = async (): Promise<boolean> => true;
    }
    class Observed implements CanActivate {
      canActivate = (): Observable<boolean> => of(true);
    }
    @Injectable()
    class Tools {
      @McpTool()
      @UseGuards(Now, Later, Observed)
      pay(): string {
        return 'paid';
      }
    }
    await using app = await serve({ providers: [Tools] });

    expect(await app.client({ era }).call('pay')).toEqual({ content: [{ type: 'text', text: 'paid' }] });
  });

  it('deny before anything is validated or run', async () => {
    const steps: string[] = [];
    const input = z.object({ amount: z.number() }).refine(() => steps.push('validated') > 0);
    @Injectable()
    class Tools {
      @McpTool({ input })
      @UseGuards(Deny)
      pay(_input: { amount: number }): string {
        steps.push('ran');
        return 'paid';
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    await expect(client.call('pay', { amount: 5 })).rejects.toMatchObject(DENIED);
    await expect(client.call('pay', { amount: 'much' })).rejects.toMatchObject(DENIED);
    expect(steps).toEqual([]);
  });

  it.each([
    [new ForbiddenException('tenant acme is blocked'), 403, 'This is not allowed.'],
    [new UnauthorizedException('token of ann has expired'), 401, 'Authentication is required.'],
  ])('keep what they say of %o to themselves', async (exception, code, message) => {
    class Refuse implements CanActivate {
      canActivate(): boolean {
        throw exception;
      }
    }
    await using app = await serve(
      { providers: [PlainTools] },
      { configure: (nest) => void nest.useGlobalGuards(new Refuse()) },
    );

    await expect(app.client({ era }).call('pay')).rejects.toMatchObject({
      code,
      message,
      data: undefined,
      status: 200,
    });
  });

  it('written for routes find no request in the arguments that the caller makes up', async () => {
    class Admins implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const { user } = context.switchToHttp().getRequest<{ user?: { roles: string[] } }>();
        return user?.roles.includes('admin') ?? false;
      }
    }
    class Tools {
      @McpTool({ input: { type: 'object' } })
      @UseGuards(Admins)
      secret(): string {
        return 'secret';
      }
    }
    await using app = await serve({ providers: [Tools] });

    const called = app.client({ era }).call('secret', { user: { roles: ['admin'] } });

    await expect(called).rejects.toMatchObject(DENIED);
  });

  it('guard resources, prompts and completions as they guard tools', async () => {
    @Injectable()
    @UseGuards(Deny)
    class Everything {
      @McpResource('orders://{id}')
      order(): string {
        return 'an order';
      }
      @McpPrompt({ input: z.object({ language: z.string() }) })
      review(): string {
        return 'Review this.';
      }
      @McpCompletion({ prompt: 'review', argument: 'language' })
      languages(): string[] {
        return ['go'];
      }
    }
    await using app = await serve({ providers: [Everything] });
    const client = app.client({ era });

    await expect(client.read('orders://7')).rejects.toMatchObject(DENIED);
    await expect(client.prompt('review', { language: 'go' })).rejects.toMatchObject(DENIED);
    await expect(
      client.complete({ type: 'ref/prompt', name: 'review' }, { name: 'language', value: '' }),
    ).rejects.toMatchObject(DENIED);
  });

  it('see an execution context of type mcp, with class, handler, metadata and arguments', async () => {
    const seen: Record<string, unknown> = {};
    @Injectable()
    class Look implements CanActivate {
      constructor(private readonly reflector: Reflector) {}
      canActivate(context: ExecutionContext): boolean {
        const [call, input] = context.getArgs<[McpCall, unknown]>();
        seen['type'] = context.getType<string>();
        seen['class'] = context.getClass();
        seen['handler'] = context.getHandler();
        seen['roles'] = this.reflector.getAllAndOverride('roles', [context.getHandler(), context.getClass()]);
        seen['input'] = input;
        seen['call'] = call instanceof McpCall && call.target;
        return true;
      }
    }
    @Injectable()
    @SetMetadata('roles', ['staff'])
    class Tools {
      @McpTool({ input: z.object({ amount: z.number() }) })
      @SetMetadata('roles', ['admin'])
      @UseGuards(Look)
      pay(_input: { amount: number }): string {
        return 'paid';
      }
    }
    await using app = await serve({ providers: [Tools] });

    await app.client({ era }).call('pay', { amount: 5 });

    expect(seen).toEqual({
      type: 'mcp',
      class: Tools,
      handler: Tools.prototype.pay,
      roles: ['admin'],
      input: { amount: 5 },
      call: 'pay',
    });
  });

  it('are injected with what their module provides', async () => {
    @Injectable()
    class Blocklist {
      readonly subjects = ['mallory'];
    }
    @Injectable()
    class NotBlocked implements CanActivate {
      constructor(private readonly blocklist: Blocklist) {}
      canActivate(context: ExecutionContext): boolean {
        return !this.blocklist.subjects.includes(context.getArgByIndex<McpCall>(0).principal.subject);
      }
    }
    @Injectable()
    class Tools {
      @McpTool()
      @UseGuards(NotBlocked)
      pay(): string {
        return 'paid';
      }
    }
    await using app = await serve({ providers: [Blocklist, Tools] });

    const ann = app.client({ era, principal: { subject: 'ann' } });
    const mallory = app.client({ era, principal: { subject: 'mallory' } });

    expect(await ann.call('pay')).toEqual({ content: [{ type: 'text', text: 'paid' }] });
    await expect(mallory.call('pay')).rejects.toMatchObject(DENIED);
  });

  it('are made anew for each call where a global one is request-scoped', async () => {
    let made = 0;
    @Injectable({ scope: Scope.REQUEST })
    class Counting implements CanActivate {
      private readonly own = ++made;
      private used = 0;
      canActivate(): boolean {
        return ++this.used === 1 && this.own <= 2;
      }
    }
    await using app = await serve({ providers: [PlainTools, { provide: APP_GUARD, useClass: Counting }] });
    const client = app.client({ era });

    expect(await client.call('pay')).toEqual({ content: [{ type: 'text', text: 'paid' }] });
    expect(await client.call('pay')).toEqual({ content: [{ type: 'text', text: 'paid' }] });
    await expect(client.call('pay')).rejects.toMatchObject(DENIED);
    expect(made).toBe(3);
  });
});
