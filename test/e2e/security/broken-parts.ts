import {
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  ForbiddenException,
  HttpException,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { type Observable, map } from 'rxjs';
import { z } from 'zod';
import {
  type AccessPolicy,
  type AccessRequest,
  McpCall,
  McpCompletion,
  McpPrompt,
  McpResource,
  McpTool,
  RequirePolicy,
} from '../../../src/index.js';
import type { Json } from '../../support/wire.js';

/** What a failing part of an application holds, and nobody may learn from its failure. */
export const SECRET = 'postgres://root:hunter2@db.internal/prod';

const How = z.object({ how: z.string() });

class BrokenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { target } = context.getArgByIndex<McpCall>(0);
    if (target === 'guardForbids') throw new ForbiddenException(SECRET);
    if (target === 'guardAsksWho') throw new UnauthorizedException({ secret: SECRET, message: SECRET });
    throw new Error(SECRET);
  }
}

class BrokenPipe implements PipeTransform {
  transform(): never {
    throw new Error(SECRET);
  }
}

class BrokenBefore implements NestInterceptor {
  intercept(): never {
    throw new Error(SECRET);
  }
}

class BrokenAfter implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      map(() => {
        throw new Error(SECRET);
      }),
    );
  }
}

@Catch()
class BrokenFilter implements ExceptionFilter {
  catch(): never {
    throw new Error(SECRET);
  }
}

@Injectable()
export class BrokenPolicy implements AccessPolicy {
  allows({ action, options }: AccessRequest): boolean {
    if (action === options) throw Object.assign(new Error(SECRET), { status: 418, headers: { 'x-secret': SECRET } });
    return true;
  }
}

/** Errors in all their forms, none of which is made for the client. */
const ERRORS: Record<string, () => unknown> = {
  error: () => new Error(SECRET),
  text: () => SECRET,
  object: () => ({ message: SECRET, code: -32602, data: SECRET }),
  caused: () => new Error('failed', { cause: new Error(SECRET) }),
  several: () => new AggregateError([new Error(SECRET)], SECRET),
  named: () => Object.assign(new Error(SECRET), { name: SECRET, code: SECRET, data: SECRET }),
  http: () => new HttpException({ message: SECRET, secret: SECRET }, 500),
  teapot: () => new HttpException(SECRET, 418),
  notFound: () => new HttpException(SECRET, 404),
  forbidden: () => new ForbiddenException(SECRET),
  unauthorized: () => new UnauthorizedException(SECRET),
  withHeaders: () =>
    Object.assign(new Error(SECRET), { status: 401, statusCode: 400, headers: { 'www-authenticate': SECRET } }),
  zod: () => new z.ZodError([{ code: 'custom', message: SECRET, path: [SECRET], input: SECRET }]),
};
export const FORMS = Object.keys(ERRORS);

/** Every place where an application can fail. */
@Injectable()
export class BrokenParts {
  @McpTool({ input: How })
  fail({ how }: z.infer<typeof How>): never {
    throw ERRORS[how]?.();
  }

  @McpTool()
  failLate(call: McpCall): never {
    call.progress(1);
    throw new Error(SECRET);
  }

  @McpTool()
  async *failAmidst(): AsyncGenerator<string> {
    yield 'something';
    throw new Error(SECRET);
  }

  @McpTool({ input: z.object({ a: z.string().refine((): boolean => raise()) }) })
  failInInput(): string {
    return 'never';
  }

  @McpTool({ output: z.object({ count: z.number() }) })
  failInOutput(): { count: number } {
    return { count: SECRET as unknown as number };
  }

  @McpTool()
  failInJson(): object {
    return { toJSON: () => raise() };
  }

  @McpTool()
  @UseGuards(BrokenGuard)
  guarded(): string {
    return 'never';
  }

  @McpTool()
  @UseGuards(BrokenGuard)
  guardForbids(): string {
    return 'never';
  }

  @McpTool()
  @UseGuards(BrokenGuard)
  guardAsksWho(): string {
    return 'never';
  }

  @McpTool({ input: How })
  @UsePipes(BrokenPipe)
  piped({ how }: z.infer<typeof How>): string {
    return how;
  }

  @McpTool()
  @UseInterceptors(BrokenBefore)
  before(): string {
    return 'never';
  }

  @McpTool()
  @UseInterceptors(BrokenAfter)
  after(): string {
    return 'never';
  }

  @McpTool()
  @UseFilters(BrokenFilter)
  filtered(): never {
    throw new Error(SECRET);
  }

  @McpTool()
  @RequirePolicy(BrokenPolicy, 'use')
  policed(): string {
    return 'never';
  }

  @McpTool()
  @RequirePolicy(BrokenPolicy, 'see')
  policedFromView(): string {
    return 'never';
  }

  @McpResource('broken://fixed')
  resource(): never {
    throw new Error(SECRET);
  }

  @McpResource('broken://policed')
  @RequirePolicy(BrokenPolicy, 'use')
  policedResource(): string {
    return 'never';
  }

  @McpResource('broken://{name}')
  template(): never {
    throw new Error(SECRET);
  }

  @McpPrompt({ input: How })
  prompt({ how }: z.infer<typeof How>): never {
    throw ERRORS[how]?.();
  }

  @McpCompletion({ prompt: 'prompt', argument: 'how' })
  completion(): never {
    throw new Error(SECRET);
  }
}

function raise(): never {
  throw new Error(SECRET);
}

/** A request to each of those places. */
export const FAILURES: [what: string, method: string, params: Json][] = [
  ...FORMS.map((how): [string, string, Json] => [
    `a tool by ${how}`,
    'tools/call',
    { name: 'fail', arguments: { how } },
  ]),
  ...FORMS.map((how): [string, string, Json] => [
    `a prompt by ${how}`,
    'prompts/get',
    { name: 'prompt', arguments: { how } },
  ]),
  ...[
    ['failAmidst', {}],
    ['failInInput', { a: 'x' }],
    ['failInOutput', {}],
    ['failInJson', {}],
    ['guarded', {}],
    ['guardForbids', {}],
    ['guardAsksWho', {}],
    ['piped', { how: 'x' }],
    ['before', {}],
    ['after', {}],
    ['filtered', {}],
    ['policed', {}],
    ['policedFromView', {}],
  ].map(([name, given]): [string, string, Json] => [
    `the tool ${name as string}`,
    'tools/call',
    { name, arguments: given },
  ]),
  ['a tool that has begun to say something', 'tools/call', { name: 'failLate', _meta: { progressToken: 'p' } }],
  ['a resource', 'resources/read', { uri: 'broken://fixed' }],
  ['a policy of a resource', 'resources/read', { uri: 'broken://policed' }],
  ['a template', 'resources/read', { uri: 'broken://any' }],
  [
    'a completion',
    'completion/complete',
    { ref: { type: 'ref/prompt', name: 'prompt' }, argument: { name: 'how', value: '' } },
  ],
];
