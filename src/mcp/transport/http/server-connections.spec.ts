import { type Server, type ServerResponse, createServer, get } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ServerConnections } from './server-connections.js';

let server: Server;
let connections: ServerConnections;
let finish: () => void;
let responses: ServerResponse[];
/** More than the buffers of a connection take. */
const LONG = Buffer.alloc(32 * 1024 * 1024);
const sockets: Socket[] = [];

beforeEach(async () => {
  responses = [];
  server = createServer((request, response) => {
    responses.push(response);
    // What Fastify does: its headers come with the head, and must not undo those that are set.
    finish = () => response.writeHead(200, { 'content-type': 'text/plain' }).end('done');
    if (request.url === '/long') response.end(LONG);
    else if (request.url !== '/slow') finish();
  });
  connections = new ServerConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
});

async function open(): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** Sends a request over a connection and reads the head of the answer. */
async function ask(socket: Socket, path = '/'): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString().toLowerCase();
}

it('says Connection: close with each answer from then on', async () => {
  const socket = await open();
  expect(await ask(socket)).toContain('connection: keep-alive');

  connections.announceClose();

  expect(await ask(socket)).toContain('connection: close');
  await once(socket, 'close');
});

it('says it with answers that were not ready yet, too', async () => {
  const socket = await open();
  const answer = ask(socket, '/slow');
  await once(server, 'request');

  connections.announceClose();
  finish();

  expect(await answer).toContain('connection: close');
});

it('takes no further connections, but goes on serving those there are', async () => {
  const [idle, another] = [await open(), await open()];
  await ask(idle);
  const { port } = server.address() as AddressInfo;

  await Promise.all([connections.closeListener(), connections.closeListener()]);

  const [refused] = (await once(get({ port, host: '127.0.0.1' }), 'error')) as [NodeJS.ErrnoException];
  expect(refused.code).toBe('ECONNREFUSED');
  expect(await ask(idle)).toContain('200 ok');
  expect(await ask(another)).toContain('200 ok');
});

it('lets the server be closed as ever after that', async () => {
  const idle = await open();
  await ask(idle);

  await connections.closeListener();
  const closed = new Promise((resolve) => server.close(resolve));

  // Idle connections are closed by it, and it knows that it does not listen any more.
  expect(await closed).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
});

it('waits for the request of a connection that was made just before', async () => {
  const late = await open();
  let closed = false;
  const closing = connections.closeListener().then(() => (closed = true));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(closed).toBe(false);

  expect(await ask(late)).toContain('200 ok');

  await closing;
});

it('lets the server be closed although its last connection went long before', async () => {
  const ended = once(server, 'close');
  await connections.closeListener();
  await ended;

  const closed = new Promise((resolve) => server.close(resolve));

  expect(await closed).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
});

it('closes the connections that were never used, and leaves the others', async () => {
  const [used, unused] = [await open(), await open()];
  await ask(used);

  connections.closeUnused();
  await once(unused, 'close');

  expect(await ask(used)).toContain('200 ok');
});

it('knows when the last connection has been told to go elsewhere', async () => {
  const kept = await open();
  await ask(kept);
  let told = false;
  const last = connections.lastRequests(60_000).then(() => (told = true));
  connections.announceClose();
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toBe(false);

  expect(await ask(kept)).toContain('connection: close');

  await last;
});

it('does not wait for the request of a connection that is idle for ever', async () => {
  await ask(await open());

  await connections.lastRequests(10);
});

it('knows when a long answer has been read to its end', async () => {
  const reader = await open();
  await ask(reader, '/long');
  reader.pause();
  let read = false;
  const answered = connections.answered().then(() => (read = true));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(read).toBe(false);

  reader.resume();

  await answered;
  await connections.answered();
});

it('does not wait for who has left in the middle of a long answer, nor for what is not answered yet', async () => {
  const reader = await open();
  await ask(reader, '/long');
  const another = await open();
  another.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(server, 'request');

  const answered = connections.answered();
  reader.destroy();

  await answered;
});

it('has responses that wait behind another hear that their connection is gone', async () => {
  const socket = await open();
  socket.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(30));
  await expect.poll(() => responses.length).toBe(30);
  const closed = responses.map(() => 0);
  responses.forEach((response, n) => response.on('close', () => (closed[n] = (closed[n] ?? 0) + 1)));

  socket.destroy();

  await expect.poll(() => responses.every((response) => response.closed && response.destroyed)).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(closed).toEqual(responses.map(() => 1));
});

it('leaves responses whose turn has come to Node', async () => {
  const socket = await open();
  socket.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2));
  await expect.poll(() => responses.length).toBe(2);
  const [first, second] = responses;
  let closed = 0;
  second?.on('close', () => (closed += 1));

  first?.end();
  second?.end();
  await once(socket, 'data');
  await expect.poll(() => second?.closed).toBe(true);
  socket.destroy();
  await expect.poll(() => second?.req.socket.closed).toBe(true);

  expect(closed).toBe(1);
});

it('does not hold a response to the time that the reader of the one before it had', async () => {
  const socket = await open();
  socket.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3));
  await expect.poll(() => responses.length).toBe(3);
  const [first, second, third] = responses;
  first?.setTimeout(60_000);
  third?.setTimeout(50_000);
  const connection = first?.req.socket;
  expect(connection?.timeout).toBe(60_000);

  first?.end();
  await expect.poll(() => second?.socket).toBe(connection);
  expect(connection?.timeout).toBe(0);

  second?.end();
  await expect.poll(() => third?.socket).toBe(connection);
  expect(connection?.timeout).toBe(50_000);
});

it('breaks off what is left in the end', async () => {
  const socket = await open();
  socket.on('error', () => undefined);
  socket.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(server, 'request');

  connections.cutAll();

  await once(socket, 'close');
});
