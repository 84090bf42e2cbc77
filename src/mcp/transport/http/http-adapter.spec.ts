import { type Socket, type AddressInfo, connect } from 'node:net';
import type { FastifyInstance, RouteHandlerMethod } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { type HttpServerOptions, createHttpAdapter } from './http-adapter.js';

let server: FastifyInstance;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

async function listen(
  options: HttpServerOptions = {},
  answer: RouteHandlerMethod = async () => 'served',
): Promise<void> {
  server = createHttpAdapter(options).getInstance();
  server.all('/mcp', answer);
  await server.listen({ port: 0, host: '127.0.0.1' });
}

/** A connection that has sent these bytes, with all that came over it so far. */
function send(bytes: string | Buffer): { readonly socket: Socket; readonly text: () => string; closed: Promise<void> } {
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(bytes);
  return { socket, text: () => text, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
}

/** All that the server says until it closes the connection. */
async function answerTo(bytes: string | Buffer): Promise<string> {
  const { text, closed } = send(bytes);
  await closed;
  return text();
}

const errorAs = (status: string, message: string): string => {
  const body = `{"jsonrpc":"2.0","error":{"code":-32600,"message":"${message}"}}`;
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};
const HEAD = 'POST /mcp HTTP/1.1\r\nHost: localhost\r\n';

describe('what is no request', () => {
  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a space before the colon', `${HEAD}Origin : a\r\n\r\n`],
    ['a NUL', `${HEAD}X-Nul: a\0b\r\n\r\n`],
    ['two lengths', `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`],
  ])('is answered once, as an error of the endpoint, and the connection closed: %s', async (_what, bytes) => {
    await listen();

    expect(await answerTo(bytes)).toBe(errorAs('400 Bad Request', 'This is not a valid HTTP request.'));
  });

  it('is answered once, however much of it comes', async () => {
    await listen();
    const { socket, text, closed } = send('hello\r\n\r\n');
    for (let more = 0; more < 10; more++) socket.write('garbage\r\n\r\n');
    await closed;

    expect(text().match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('is answered once, though its head was right and has reached the route', async () => {
    const answer = vi.fn(async () => 'served');
    await listen({}, answer);

    const text = await answerTo(`${HEAD}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`);

    expect(text).toBe(errorAs('400 Bad Request', 'This is not a valid HTTP request.'));
    expect(answer).not.toHaveBeenCalled();
  });

  it('does not end up in the answer that is under way', async () => {
    await listen({}, (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    });
    const { socket, text, closed } = send('GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await eventually(() => expect(text()).toContain('data: 1'));
    socket.write('garbage\r\n\r\n');
    await closed;

    expect(text().match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(text()).not.toContain('jsonrpc');
  });

  it('is left alone when the client has gone', async () => {
    await listen();
    const refused = vi.fn();
    server.server.on('clientError', refused);
    const { socket } = send(`${HEAD}Content-Length: 10\r\n\r\n{`);
    await eventually(async () => expect(await connections()).toBe(1));
    socket.resetAndDestroy();

    await eventually(async () => expect(await connections()).toBe(0));
    expect(refused).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ECONNRESET' }), expect.anything());
    expect((await server.inject('/mcp')).statusCode).toBe(200);
  });
});

const connections = (): Promise<number> =>
  new Promise((resolve) => server.server.getConnections((_error, count) => resolve(count)));

describe('what is too large', () => {
  it.each([
    ['a header', `${HEAD}X-Long: ${'x'.repeat(2_000)}\r\n\r\n`],
    ['all headers', `${HEAD}${'a: b\r\n'.repeat(600)}\r\n`],
    ['the address', `GET /${'x'.repeat(2_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ])('is refused with 431: %s', async (_what, bytes) => {
    await listen({ maxHeaderBytes: 1_024 });

    expect(await answerTo(bytes)).toBe(errorAs('431 Request Header Fields Too Large', 'The headers are too large.'));
  });

  it('is more than 16 KiB of headers', async () => {
    await listen();

    expect(await answerTo(`${HEAD}Connection: close\r\nX-Long: ${'x'.repeat(16_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 200/,
    );
    expect(await answerTo(`${HEAD}X-Long: ${'x'.repeat(16_385)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431/);
  });

  it('is refused with 413: extensions of chunks', async () => {
    await listen();
    const start = `${HEAD}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n1;`;

    expect(await answerTo(start + 'x'.repeat(20_000))).toBe(
      errorAs('413 Payload Too Large', 'The chunk extensions are too large.'),
    );
  });
});

describe('what is slow', () => {
  const LATE = errorAs('408 Request Timeout', 'The request did not come in time.');

  it.each([
    ['nothing is sent', ''],
    ['the request line does not end', 'POST /mcp'],
    ['the headers do not end', `${HEAD}X-Slow: `],
  ])('is refused with 408 when the time for headers is over: %s', async (_what, bytes) => {
    await listen({ headersTimeoutMs: 50, requestTimeoutMs: 60_000 });

    expect(await answerTo(bytes)).toBe(LATE);
  });

  it('is refused with 408 when the time for the request is over', async () => {
    await listen({ headersTimeoutMs: 50, requestTimeoutMs: 100 });

    expect(await answerTo(`${HEAD}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{`)).toBe(LATE);
  });

  it('may be the next request on a connection', async () => {
    await listen({ headersTimeoutMs: 50, requestTimeoutMs: 50 });
    const { socket, text } = send(`${HEAD}Content-Length: 0\r\n\r\n`);
    await eventually(() => expect(text()).toContain('served'));
    // A connection that says nothing is closed for its slowness; the one that was served is older.
    await answerTo('');
    socket.write(`${HEAD}Content-Length: 0\r\n\r\n`);

    await eventually(() => expect(text().match(/HTTP\/1\.1 200/g)).toHaveLength(2));
  });

  it('may be the answer', async () => {
    let ready = (): void => undefined;
    const isReady = new Promise<void>((resolve) => (ready = resolve));
    await listen({ headersTimeoutMs: 50, requestTimeoutMs: 50 }, () => isReady.then(() => 'served'));
    const answer = answerTo(`${HEAD}Connection: close\r\nContent-Length: 0\r\n\r\n`);
    // A connection that says nothing is closed for its slowness; the one that waits for an answer is older.
    await eventually(async () => expect(await connections()).toBe(1));
    await answerTo('');
    ready();

    expect(await answer).toMatch(/^HTTP\/1.1 200 /);
  });
});

it('has limits without being told, and none on answers', async () => {
  await listen();
  const { requestTimeout, headersTimeout, keepAliveTimeout, timeout, maxConnections } = server.server;

  expect({ requestTimeout, headersTimeout, keepAliveTimeout, timeout, maxConnections }).toEqual({
    requestTimeout: 60_000,
    headersTimeout: 10_000,
    keepAliveTimeout: 75_000,
    timeout: 0,
    maxConnections: undefined,
  });
});

it('closes connections beyond the limit', async () => {
  await listen({ maxConnections: 1 });
  send('');
  await eventually(async () => expect(await connections()).toBe(1));

  expect(await answerTo(`${HEAD}\r\n`)).toBe('');
});

it('requires a Host', async () => {
  await listen();

  expect(await answerTo('GET /mcp HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
});

it('leaves other paths to the application', async () => {
  await listen();

  expect((await server.inject('/nowhere')).json()).toMatchObject({ statusCode: 404 });
});

describe('X-Forwarded-For', () => {
  const clientSeen = async (options: HttpServerOptions): Promise<string> => {
    let ip = '';
    await listen(options, async (request) => (ip = request.ip));
    await answerTo(`${HEAD}Connection: close\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Length: 0\r\n\r\n`);
    return ip;
  };

  it.each([[[]], [['10.0.0.0/8']], [['127.0.0.2', '2001:db8::/32']]])(
    'is not believed of a stranger: %j',
    async (trustedProxies) => {
      expect(await clientSeen({ trustedProxies })).toBe('127.0.0.1');
    },
  );

  it.each([[['127.0.0.1']], [['10.0.0.0/8', '127.0.0.0/8']], [['::ffff:127.0.0.1']]])(
    'is believed of a trusted proxy: %j',
    async (trustedProxies) => {
      expect(await clientSeen({ trustedProxies })).toBe('203.0.113.9');
    },
  );
});

describe('options that are wrong', () => {
  it.each([
    '',
    'proxy.example',
    'loopback',
    'true',
    '*',
    '1',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    '10.0.0.1,10.0.0.2',
    '0.0.0.0/0',
    '::/0',
    'fe80::1%eth0',
    '10.0.0.0/255.0.0.0',
  ])('a proxy of "%s"', (entry) => {
    expect(() => createHttpAdapter({ trustedProxies: ['10.0.0.1', entry] })).toThrow(
      /trustedProxies: .* is no address/,
    );
  });

  it.each([
    [{ requestTimeoutMs: 0 }, /requestTimeoutMs is 0/],
    [{ requestTimeoutMs: Infinity }, /requestTimeoutMs is Infinity/],
    [{ headersTimeoutMs: 2_000, requestTimeoutMs: 1_000 }, /headersTimeoutMs is 2000\. .* to 1000/],
    [{ keepAliveTimeoutMs: -1 }, /keepAliveTimeoutMs is -1/],
    [{ maxHeaderBytes: 1.5 }, /maxHeaderBytes is 1.5/],
    [{ maxConnections: 0 }, /maxConnections is 0/],
  ])('%j', (options, message) => {
    expect(() => createHttpAdapter(options)).toThrow(message);
  });
});
