import { once } from 'node:events';
import { IncomingMessage, type Server, ServerResponse, createServer } from 'node:http';
import { type AddressInfo, Socket, connect } from 'node:net';
import { Duplex } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeepAlive, SseResponse, type StreamKind } from './sse-response.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

/** A connection whose other end takes what comes only when it is told to. */
async function connection() {
  const taken: string[] = [];
  const waiting: (() => void)[] = [];
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      taken.push(chunk.toString());
      waiting.push(done);
    },
  });
  // Node's own timer of sockets; what it does is shown on a real one below.
  Object.assign(wire, { setTimeout: () => wire });
  const raw = new ServerResponse(new IncomingMessage(new Socket()));
  raw.assignSocket(wire as Socket);
  // What Node's server does for the responses of its connections.
  wire.on('drain', () => raw.emit('drain'));
  const reply = { raw, hijack: () => undefined, getHeaders: () => ({}) } as unknown as FastifyReply;
  const keepAlive = new KeepAlive(60_000);
  const sse = new SseResponse(reply, keepAlive, { maxBufferedBytes: 100, stalledReaderMs: 1_000 }, 'get');
  const takeAll = async (): Promise<void> => {
    await turn();
    for (let done = waiting.shift(); done; done = waiting.shift()) {
      done();
      await turn();
    }
  };
  // The head of the response is on its way already.
  await takeAll();
  return { raw, sse, taken, takeAll };
}

const big = 'x'.repeat(100_000);

it('a reader that stands still is offered nothing more once too much is waiting', async () => {
  const { sse } = await connection();

  expect(sse.offer({ data: big })).toBe(true);
  expect(sse.offer({ data: 'x' })).toBe(false);
});

describe('on a real socket', () => {
  const STALLED_MS = 600;
  let server: Server;
  let sse: SseResponse;
  let raw: ServerResponse;
  let keepAlive: KeepAlive;

  beforeEach(() => void vi.useRealTimers());
  afterEach(() => {
    keepAlive.close();
    server.closeAllConnections();
    server.close();
  });

  /** A client that has asked and got the head of the stream; nothing more is read for it. */
  async function reader(kind: StreamKind = 'get'): Promise<Socket> {
    keepAlive = new KeepAlive(60_000);
    server = createServer((_request, response) => {
      raw = response;
      const reply = { raw, hijack: () => undefined, getHeaders: () => ({}) } as unknown as FastifyReply;
      sse = new SseResponse(reply, keepAlive, { maxBufferedBytes: 100, stalledReaderMs: STALLED_MS }, kind);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'readable');
    return socket;
  }

  /** More than the buffers of both ends take. */
  const huge = 'x'.repeat(16 * 1024 * 1024);

  it('lets go of a reader that takes nothing, also after the end', async () => {
    const socket = await reader();

    sse.send({ data: huge });
    sse.end();
    await once(raw, 'close');

    expect(socket.bytesRead).toBeLessThan(huge.length);
  });

  it.each([
    ['get', true],
    ['listen', true],
    ['call', false],
  ] as const)('holds no parser if nothing is to be read for long: %s', async (kind, isQuiet) => {
    const socket = await reader(kind);
    await turn();
    const { parser } = raw.socket as Socket & { parser?: object | null };
    sse.end();
    await once(raw, 'close');

    expect(parser === null).toBe(isQuiet);
    // The next request is served all the same.
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(server, 'request');
  });

  it('waits for a reader that is slow but steady', async () => {
    const socket = await reader();
    const begun = Date.now();
    sse.send({ data: huge });
    sse.end();

    let taken = 0;
    for await (const chunk of socket) {
      taken += (chunk as Buffer).length;
      // Some 80 portions, each well within the limit, all of them together far beyond it.
      if (taken % (200 * 1024) < (chunk as Buffer).length) await new Promise((resolve) => setTimeout(resolve, 20));
      if (raw.writableFinished && socket.readableLength === 0 && taken > huge.length) break;
    }

    expect(taken).toBeGreaterThan(huge.length);
    expect(Date.now() - begun).toBeGreaterThan(2 * STALLED_MS);
  });
});

it('a stream whose client has left already is not kept', async () => {
  vi.useRealTimers();
  const keepAlive = new KeepAlive(60_000);
  const add = vi.spyOn(keepAlive, 'add');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [, raw] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  socket.destroy();
  await once(raw, 'close');
  server.close();
  const reply = { raw, hijack: () => undefined, getHeaders: () => ({}) } as unknown as FastifyReply;

  const sse = new SseResponse(reply, keepAlive, { maxBufferedBytes: 100, stalledReaderMs: 1_000 }, 'get');
  keepAlive.close();

  expect(sse.closed).toBe(true);
  expect(add).not.toHaveBeenCalled();
});

it('an event is id, retry and data, in this order', async () => {
  const { sse, taken, takeAll } = await connection();

  sse.send({ id: '1', data: '{}', retry: 5 });
  await takeAll();

  expect(taken.join('')).toContain('id: 1\nretry: 5\ndata: {}\n\n');
});

it('an open stream still says of what type it is, and that its head is sent, but keeps no more of it', async () => {
  vi.useRealTimers();
  const keepAlive = new KeepAlive(60_000);
  const server = createServer((_request, raw) => {
    const reply = { raw, hijack: () => undefined, getHeaders: () => ({ 'x-frame-options': 'DENY' }) };
    const sse = new SseResponse(reply as never, keepAlive, { maxBufferedBytes: 100, stalledReaderMs: 1_000 }, 'get');
    setImmediate(() => {
      expect(raw.getHeaders()).toEqual({ 'content-type': 'text/event-stream; charset=utf-8' });
      expect(raw.headersSent).toBe(true);
      // It is that of all streams.
      expect(() => raw.setHeader('content-type', 'text/plain')).toThrow('after they are sent');
      expect(() => raw.removeHeader('content-type')).toThrow('after they are sent');
      sse.send({ data: '{}' });
      sse.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const body = await response.text();
  keepAlive.close();
  server.closeAllConnections();
  server.close();

  expect(response.headers.get('x-frame-options')).toBe('DENY');
  expect(body).toBe('data: {}\n\n');
});
