import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { QuietConnection } from './quiet-connection.js';

const GET = 'GET /stream HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (body: string): string =>
  `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

type Kept = Socket & { parser?: object | null };

let server: Server;
/** All that were asked for. */
let streams: ServerResponse[];
/** What the other requests ran within. */
let stores: unknown[];
let quiet: (QuietConnection | undefined)[];
const clients: Socket[] = [];
const store = new AsyncLocalStorage<string>();

beforeEach(async () => {
  [streams, stores, quiet] = [[], [], []];
  server = createServer((request, response) => void (request.url === '/echo' ? echo : stream)(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await new Promise((closed) => server.close(closed));
});

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  stores.push(store.getStore());
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
  response.end(body.length > 20 ? `${body.length} characters` : body);
}

async function stream(request: IncomingMessage, response: ServerResponse): Promise<void> {
  streams.push(response);
  response.write('open');
  await turn();
  await turn();
  const connection = QuietConnection.of(response);
  quiet.push(connection);
  response.on('close', () => connection?.streamEnded());
  server.emit('quiet', response.socket);
}

/** A client that reads what comes. */
async function client() {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('latin1');
  clients.push(socket);
  socket.on('error', () => undefined);
  let received = '';
  socket.on('data', (text: string) => (received += text));
  await once(socket, 'connect');
  const reads = async (text: string): Promise<void> => {
    while (!received.includes(text)) await once(socket, 'data');
    received = received.slice(received.indexOf(text) + text.length);
  };
  /** Resolves to the server's end of the connection. */
  const listens = async (more = ''): Promise<Kept> => {
    const opened = once(server, 'quiet');
    socket.write(GET + more);
    const [kept] = (await opened) as [Kept];
    await reads('open');
    return kept;
  };
  return { socket, reads, listens };
}

it('a connection over which a stream is open has no parser', async () => {
  const { listens, reads } = await client();

  const kept = await listens();

  expect(quiet[0]).toBeDefined();
  expect(kept.parser).toBeNull();
  streams[0]?.write('more');
  await reads('more');
});

it('is given back for the first request after the stream, again and again', async () => {
  const { socket, listens, reads } = await client();
  const listeners = (kept: Kept) => kept.eventNames().map((event) => [String(event), kept.listenerCount(event)]);
  let once: unknown;

  for (const body of ['first', 'second', 'third']) {
    const kept = await listens();
    streams.at(-1)?.end('the end');
    await reads('the end');
    await reads('\r\n0\r\n\r\n');
    socket.write(post(body));
    await reads(body);

    expect(kept.parser).not.toBeNull();
    once ??= listeners(kept);
    expect(listeners(kept)).toEqual(once);
  }

  expect(quiet.filter(Boolean)).toHaveLength(3);
});

it('no timeout of waiting for a request is left once one has come', async () => {
  const { listens, reads } = await client();
  const kept = await listens();
  streams[0]?.end('the end');
  await reads('\r\n0\r\n\r\n');
  const timeoutMeanwhile = kept.timeout;

  await listens();

  expect(timeoutMeanwhile).toBeGreaterThan(0);
  expect(kept.timeout).toBe(0);
});

it('a request that comes while the stream is open is answered after it', async () => {
  const { socket, listens, reads } = await client();
  await listens();
  socket.write(post('early').slice(0, 30));
  await turn();
  socket.write(post('early').slice(30) + post('as well'));
  streams[0]?.write('event');
  await reads('event');

  await store.run('of the end', async () => streams[0]?.end('the end'));

  await reads('the end');
  await reads('early');
  await reads('as well');
  // Nothing of what has ended the stream is around them.
  expect(stores).toEqual([undefined, undefined]);
});

it('also if it is larger than what is taken of it before', async () => {
  const { socket, listens, reads } = await client();
  const kept = await listens();
  socket.write(post('x'.repeat(1_000_000)));
  await eventually(() => expect(kept.isPaused()).toBe(true));

  streams[0]?.end('the end');

  await reads('1000000 characters');
});

it.each([
  ['whole', post('along').length],
  ['in part', 30],
])(
  'a connection on which a further request came along with that for the stream is left alone: %s',
  async (_, length) => {
    const { socket, listens, reads } = await client();

    const kept = await listens(post('along').slice(0, length));

    expect(quiet).toEqual([undefined]);
    expect(kept.parser).toBeDefined();
    socket.write(post('along').slice(length));
    streams[0]?.end('the end');
    await reads('the end');
    await reads('along');
  },
);

it('a connection that somebody else listens to is left alone', async () => {
  server.on('connection', (socket: Socket) => socket.on('data', () => undefined));
  const { socket, listens, reads } = await client();

  await listens();

  expect(quiet).toEqual([undefined]);
  streams[0]?.end('the end');
  socket.write(post('next'));
  await reads('next');
});

describe('the response hears', () => {
  it.each(['destroy', 'resetAndDestroy', 'end'] as const)('that the client has left: %s', async (leave) => {
    const { socket, listens } = await client();
    await listens();
    const closed = once(streams[0] as ServerResponse, 'close');

    socket[leave]();

    await closed;
    expect(streams[0]?.destroyed).toBe(true);
  });

  it('that the client has left, whatever it has said before', async () => {
    const { socket, listens } = await client();
    await listens();
    socket.write('anything');
    const closed = once(streams[0] as ServerResponse, 'close');

    socket.end();

    await closed;
  });
});

it('what is no request is refused after the stream', async () => {
  const { socket, listens, reads } = await client();
  await listens();
  socket.write('nonsense\r\n\r\n');

  streams[0]?.end('the end');

  await reads('400 Bad Request');
  await once(socket, 'close');
});

describe('a server that closes its connections', () => {
  it('closes one whose stream has ended with those that are idle', async () => {
    const { socket, listens, reads } = await client();
    await listens();
    server.closeIdleConnections();
    streams[0]?.write('still open');
    await reads('still open');
    streams[0]?.end('the end');
    await reads('\r\n0\r\n\r\n');
    await turn();

    server.closeIdleConnections();

    await once(socket, 'close');
  });

  it('closes one whose stream is open with all others', async () => {
    const { socket, listens } = await client();
    await listens();

    server.closeAllConnections();

    await once(socket, 'close');
    expect(streams[0]?.destroyed).toBe(true);
  });
});
