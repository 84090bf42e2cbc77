import fastifyHelmet from '@fastify/helmet';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyHttpOptions, type FastifyInstance } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { QuickResponse } from './quick-response.js';
import { securityHeaders } from './security-headers.js';

/** An application with whatever can be answered in it. */
function applicationWith(
  register: (app: FastifyInstance) => unknown,
  options: FastifyHttpOptions<Server> = {},
): FastifyInstance {
  const app = Fastify(options);
  // Before it and after it: a hook of the application holds for both.
  app.get('/before', () => 'text');
  register(app);
  app.get('/json', () => ({ a: 1 }));
  app.get('/own', (_request, reply) => reply.header('x-frame-options', 'DENY').send('own'));
  app.get('/wrong', () => Promise.reject(new Error('wrong')));
  app.get('/raw', (_request, reply) => void reply.hijack().raw.end('raw'));
  return app;
}

const headersFrom = async (app: FastifyInstance, url: string): Promise<object> => {
  const { headers } = await app.inject(url);
  return { ...headers, date: '' };
};

describe('security headers', () => {
  const options = {
    frameguard: { action: 'deny' as const },
    hsts: false,
    contentSecurityPolicy: { directives: { 'img-src': ["'self'", 'https:'], 'script-src-attr': null } },
  };

  it.each(['/before', '/json', '/own', '/wrong', '/raw', '/nowhere'])('are those of helmet: %s', async (url) => {
    const ours = applicationWith((app) => app.register(securityHeaders));
    const theirs = applicationWith((app) => app.register(fastifyHelmet));

    expect(await headersFrom(ours, url)).toEqual(await headersFrom(theirs, url));
    expect(await headersFrom(ours, url)).toMatchObject({ 'x-content-type-options': 'nosniff' });
  });

  it('take the same options', async () => {
    const ours = applicationWith((app) => app.register(securityHeaders, options));
    const theirs = applicationWith((app) => app.register(fastifyHelmet, options));

    expect(await headersFrom(ours, '/json')).toEqual(await headersFrom(theirs, '/json'));
  });

  it('cannot differ by request', async () => {
    const directives = { 'script-src': ["'self'", () => "'nonce-1'"] };
    const app = applicationWith((each) => each.register(securityHeaders, { contentSecurityPolicy: { directives } }));

    await expect(app.ready()).rejects.toThrow('the directive script-src is a function');
  });
});

describe('on responses of our adapter', () => {
  async function served(register: (app: FastifyInstance) => unknown): Promise<FastifyInstance> {
    const app = applicationWith(register, { http: { ServerResponse: QuickResponse as typeof ServerResponse } });
    await app.listen({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => app.close());
    return app;
  }
  async function headersOver(app: FastifyInstance, url: string): Promise<Record<string, string>> {
    const [address] = app.addresses() as AddressInfo[];
    const { headers } = await fetch(`http://127.0.0.1:${address?.port}${url}`);
    const { date: _date, ...rest } = Object.fromEntries(headers);
    return rest;
  }

  it.each(['/before', '/json', '/own', '/wrong', '/raw', '/nowhere'])('are those of helmet: %s', async (url) => {
    const ours = await served((app) => app.register(securityHeaders));
    const theirs = await served((app) => app.register(fastifyHelmet));

    expect(await headersOver(ours, url)).toEqual(await headersOver(theirs, url));
    expect(await headersOver(ours, url)).toMatchObject({ 'x-content-type-options': 'nosniff' });
  });
});
