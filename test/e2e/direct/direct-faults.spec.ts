import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Authenticator,
  McpError,
  McpModule,
  type RequestWatch,
  createHttpAdapter,
  watchRequests,
} from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { USUAL, send } from './requests.js';

@Module({})
class NothingModule {}

interface Setup {
  readonly watch?: RequestWatch;
  readonly authenticate?: () => never;
  /** Has all requests go through Fastify. */
  readonly through?: boolean;
}

async function boot({ watch, authenticate, through }: Setup = {}): Promise<McpTestApp> {
  const app = await createMcpTestApp([NothingModule], {
    logger: false,
    testPrincipals: false,
    options: { http: { maxBodyBytes: 1_000 } },
    override: authenticate ? [[Authenticator, { authenticate }]] : [],
    configure: (nest) => {
      const fastify: FastifyInstance = nest.getHttpAdapter().getInstance();
      if (watch) watchRequests(fastify, watch);
      if (through) fastify.addHook('onRequest', (_request, _reply, done) => done());
    },
  });
  onTestFinished(() => app.close());
  return app;
}

/** Sends text over a connection of its own. @returns all that comes until the server closes it */
async function exchange(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(request);
  return text(socket);
}

const LIST = USUAL['list'] ?? {};
const BODY = String(LIST.body);

function post(body: string, { version = '1.1', connection = 'keep-alive' } = {}): string {
  const headers = { host: 'localhost', connection, 'content-length': String(body.length), ...LIST.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /mcp HTTP/${version}\r\n${lines.join('')}\r\n${body}`;
}

const WAYS = [
  ['directly', false],
  ['through Fastify', true],
] as const;

describe.each(WAYS)('%s', (_way, through) => {
  it.each(['a body that is too large', 'no JSON'])('after %s the connection is closed', async (what) => {
    const app = await boot({ through });
    const answer = await exchange(app.url, post(what === 'no JSON' ? '{' : `"${'a'.repeat(2_000)}"`));
    expect(answer).toMatch(/^connection: close\r$/im);
  });

  it('a client of HTTP/1.0 is told the length', async () => {
    const app = await boot({ through });
    const answer = await exchange(app.url, post(BODY, { version: '1.0', connection: 'close' }));
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^content-length: ${body.length}\r?$`, 'im'));
  });

  it.each<[string, RequestWatch]>([
    ['of the request', { began: (response) => failsFor(response.req.url) }],
    ['around it', { began: () => undefined, run: (response) => failsFor(response.req.url) }],
    ['around its body', { began: () => undefined, run: failsTheSecondTime() }],
  ])('a watch that fails, %s, fails the request', async (_what, watch) => {
    const app = await boot({ through, watch });
    const { status, body } = await send(app.url, LIST);
    expect(status).toBe(500);
    expect(body).toContain('"Internal error."');
  });

  it('an answer whose headers HTTP does not allow closes the connection', async () => {
    const authenticate = (): never => {
      throw new McpError('UNAUTHORIZED', 'No.', undefined, { headers: { 'www-authenticate': 'a\r\nb: c' } });
    };
    const app = await boot({ through, authenticate });
    expect(await exchange(app.url, post(BODY))).toBe('');
  });
});

function failsFor(path: string | undefined): void {
  if (path === '/mcp') throw new Error('Something secret.');
}

function failsTheSecondTime(): NonNullable<RequestWatch['run']> {
  const seen = new WeakSet<object>();
  return (response, work) => {
    if (seen.has(response)) throw new Error('Something secret.');
    seen.add(response);
    work();
  };
}

it('a plugin that was registered before the application was made has requests go through Fastify', async () => {
  const adapter = createHttpAdapter();
  let seen = 0;
  const plugin = async (fastify: FastifyInstance): Promise<void> => {
    fastify.addHook('onRequest', (_request, _reply, done) => {
      seen += 1;
      done();
    });
  };
  void adapter.register(Object.assign(plugin, { [Symbol.for('skip-override')]: true }) as never);
  const module = await Test.createTestingModule({ imports: [McpModule.forRoot()] }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(adapter, { logger: false });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  await send(await app.getUrl(), LIST);
  expect(seen).toBe(1);
});
