import { type MiddlewareConsumer, Injectable, Module } from '@nestjs/common';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { IsString } from 'class-validator';
import { describe, expect, it, onTestFinished } from 'vitest';
import { McpMetricsModule, McpTool, securityHeaders } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { WireSession } from '../../support/wire.js';
import { type Answer, UNUSUAL, USUAL, send } from './requests.js';
import { throughFastify } from './through-fastify.js';

class Text {
  @IsString()
  text!: string;
}

@Injectable()
class Tools {
  @McpTool()
  echo({ text }: Text): string {
    return text;
  }

  @McpTool()
  fails(): never {
    throw new Error('Something secret.');
  }
}

@Module({ providers: [Tools] })
class ToolsModule {}

@Injectable()
class LongTools {
  @McpTool({ description: 'Größe '.repeat(12_000) })
  long(): string {
    return '';
  }
}

@Module({ providers: [LongTools] })
class WithLongList {}

type Configure = (app: NestFastifyApplication, fastify: FastifyInstance) => unknown;
const adapterOf = (app: NestFastifyApplication): FastifyAdapter => app.getHttpAdapter() as unknown as FastifyAdapter;
const nothing: Configure = () => undefined;
const withHook: Configure = (_app, fastify) => fastify.addHook('onRequest', (_request, _reply, done) => done());

async function boot(configure: Configure = nothing, modules: readonly (new () => object)[] = []): Promise<McpTestApp> {
  const app = await createMcpTestApp([ToolsModule, McpMetricsModule.forRoot(), ...modules], {
    logger: false,
    testPrincipals: false,
    options: { http: { maxBodyBytes: 32_768 } },
    configure: async (nest) => {
      await nest.register(securityHeaders as never);
      await configure(nest, nest.getHttpAdapter().getInstance());
    },
  });
  onTestFinished(() => app.close());
  return app;
}

/** What does not differ from one request to the next. */
function comparable({ status, headers, body }: Answer): unknown {
  const { date, connection, 'mcp-session-id': session, ...others } = headers;
  return {
    status,
    headers: { ...others, date: typeof date, connection, session: typeof session },
    body: body.replace(/(Reference: |errorId":")[\w-]+/g, ''),
  };
}

describe('requests as clients send them', () => {
  it('do not go through Fastify', async () => {
    const app = await boot();
    expect(
      await throughFastify(async () => {
        for (const raw of Object.values(USUAL)) await send(app.url, raw);
      }),
    ).toBe(0);
  });

  it('in a session do not either, nor do its streams', async () => {
    const app = await boot();
    const session = await WireSession.open(app.url);
    const requests = await throughFastify(async () => {
      expect((await session.request('tools/call', { name: 'echo', arguments: { text: 'a' } })).status).toBe(200);
      const stream = await session.get();
      expect(stream.headers.get('content-type')).toContain('text/event-stream');
      await stream.body?.cancel();
    });
    expect(requests).toBe(0);
  });

  it('are counted by the metrics all the same', async () => {
    const app = await boot();
    for (let n = 0; n < 3; n += 1) await send(app.url, USUAL['call'] ?? {});
    const page = await (await fetch(new URL('/metrics', app.url))).text();
    expect(page).toMatch(
      /http_server_request_duration_seconds_count\{http_request_method="POST",http_route="\/mcp",http_response_status_code="200"\} 3/,
    );
  });
});

@Module({})
class WithMiddleware {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply((_request: unknown, _response: unknown, next: () => void) => next()).forRoutes('*path');
  }
}

describe('an application that does something with requests has them go through Fastify', () => {
  it.each<[string, Configure]>([
    ['onRequest', (_app, fastify) => fastify.addHook('onRequest', (_request, _reply, done) => done())],
    ['preHandler', (_app, fastify) => fastify.addHook('preHandler', async () => undefined)],
    ['onSend', (_app, fastify) => fastify.addHook('onSend', async () => undefined)],
    ['onResponse', (_app, fastify) => fastify.addHook('onResponse', async () => undefined)],
    ['onRoute', (_app, fastify) => fastify.addHook('onRoute', () => undefined)],
    [
      'a hook of a plugin',
      (app) => app.register(async (scope: FastifyInstance) => void scope.addHook('onError', async () => undefined)),
    ],
    ['app.use', (app) => app.use((_request: unknown, _response: unknown, next: () => void) => next())],
    [
      'middleware past Nest',
      async (app, fastify) => {
        await app.init();
        (fastify as unknown as { use: (run: unknown) => void }).use((_q: unknown, _r: unknown, next: () => void) =>
          next(),
        );
      },
    ],
    [
      'a route of its own for a host',
      (_app, fastify) =>
        fastify.route({
          method: 'POST',
          url: '/mcp',
          constraints: { host: 'else.example' },
          handler: async () => 'else',
        }),
    ],
    ['enableCors', (app) => app.enableCors()],
    ['useSecurityHeaders', (app) => app.useSecurityHeaders()],
    [
      'setOnRequestHook',
      (app) => adapterOf(app).setOnRequestHook?.((_q: unknown, _r: unknown, done: () => void) => done()),
    ],
    [
      'setOnResponseHook',
      (app) => adapterOf(app).setOnResponseHook?.((_q: unknown, _r: unknown, done: () => void) => done()),
    ],
  ])('%s', async (_what, configure) => {
    const app = await boot(configure);
    expect(await throughFastify(() => send(app.url, USUAL['call'] ?? {}))).toBe(1);
  });

  it('middleware of a module', async () => {
    const app = await boot(nothing, [WithMiddleware]);
    expect(await throughFastify(() => send(app.url, USUAL['call'] ?? {}))).toBe(1);
  });

  it('and is told so', async () => {
    const said: unknown[] = [];
    const log = (text: unknown): void => void said.push(text);
    const logger = { log, error: log, warn: log, debug: log };
    const app = await createMcpTestApp(ToolsModule, {
      logger,
      configure: (nest) =>
        void adapterOf(nest)
          .getInstance<FastifyInstance>()
          .addHook('onSend', async () => undefined),
    });
    onTestFinished(() => app.close());
    expect(said).toContainEqual(expect.stringContaining('Requests go through Fastify'));
  });

  it('and what it does comes of it', async () => {
    const app = await boot((_app, fastify) =>
      fastify.addHook('onSend', (_request, reply, payload, done) => {
        void reply.header('x-application', 'seen');
        done(null, payload);
      }),
    );
    expect((await send(app.url, USUAL['call'] ?? {})).headers['x-application']).toBe('seen');
  });
});

describe('both ways give the same answers', () => {
  it.each(['list', 'list with an id that is not ASCII', 'page that may call', 'discover'] as const)(
    'a server with much to list: %s',
    async (name) => {
      const raw = USUAL[name] ?? {};
      const [direct, through] = [await boot(nothing, [WithLongList]), await boot(withHook, [WithLongList])];
      const answer = comparable(await send(direct.url, raw));
      expect(answer).toEqual(comparable(await send(through.url, raw)));
    },
  );

  it.each(Object.entries({ ...USUAL, ...UNUSUAL }))('%s', async (_what, raw) => {
    const direct = await boot();
    const through = await boot(withHook);
    expect(comparable(await send(direct.url, raw))).toEqual(comparable(await send(through.url, raw)));
  });
});
