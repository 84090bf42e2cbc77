import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { CompiledServer } from '../../support/compiled-server.js';

let compiled: CompiledServer;
beforeAll(() => {
  compiled = new CompiledServer([]);
});
afterAll(() => compiled[Symbol.dispose]());

/** What the command says of a server, and how it ends. */
async function check(env: Record<string, string>, ...args: string[]): Promise<{ code: unknown; stderr: string }> {
  const child = spawn(process.execPath, [compiled.script('src/healthcheck.ts'), ...args], {
    env: { PATH: process.env['PATH'], ...env },
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[unknown]>]);
  return { code, stderr };
}

/** A server that answers with one status, or not at all. */
async function serve(host: string, status?: number, body = '{"status":"ok"}') {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (status !== undefined) response.writeHead(status).end(body);
  }).listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, port: String((server.address() as AddressInfo).port) };
}

/** A server that sends a text, whatever comes, and hangs up. */
async function serveRaw(answer: string) {
  const server = createNetServer((socket) => socket.once('data', () => socket.end(answer))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: String((server.address() as AddressInfo).port) };
}

it.each([
  [{}, 'live'],
  [{}, 'ready', 'ready'],
  [{}, 'startup', 'startup'],
  [{ HOST: '0.0.0.0' }, 'live'],
  [{ HOST: 'localhost' }, 'live'],
  [{ HOST: '' }, 'live'],
])(
  'asks the server on PORT, with %j, whether it is %s',
  async (env: Record<string, string>, probe: string, ...args: string[]) => {
    const { asked, port } = await serve('127.0.0.1', 200);

    expect(await check({ PORT: port, ...env }, ...args)).toEqual({ code: 0, stderr: '' });
    expect(asked).toEqual([`/health/${probe}`]);
  },
);

it('holds an answer that breaks off for none', async () => {
  const { port } = await serveRaw('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc');

  expect(await check({ PORT: port })).toMatchObject({ code: 1 });
});

it('says in one line that an address is none', async () => {
  const { code, stderr } = await check({ HOST: 'a\nb', PORT: '9' });

  expect([code, stderr.trimEnd().split('\n').length]).toEqual([1, 1]);
});

it.each(['::', '[::]', '::1'])('asks over IPv6 a server that listens on %s', async (host) => {
  const { port } = await serve('::1', 200);

  expect(await check({ HOST: host, PORT: port })).toEqual({ code: 0, stderr: '' });
});

it('asks on the management port if there is one', async () => {
  const { asked, port } = await serve('127.0.0.1', 200);

  expect(await check({ PORT: '1', HOST: '192.0.2.1', MANAGEMENT_PORT: port, MANAGEMENT_HOST: '0.0.0.0' })).toEqual({
    code: 0,
    stderr: '',
  });
  expect(asked).toEqual(['/health/live']);
});

it('says in one line what the server has answered', async () => {
  const { port } = await serve('127.0.0.1', 503, '{\n  "status": "error"\n}\u001b[2K');

  expect(await check({ PORT: port }, 'ready')).toEqual({
    code: 1,
    stderr: `/health/ready: 503 on PORT ${port}: { "status": "error" } [2K\n`,
  });
});

it('gives up on a server that does not answer', async () => {
  const { port } = await serve('127.0.0.1');

  expect(await check({ PORT: port })).toEqual({
    code: 1,
    stderr: `/health/live: no answer within 3000 ms on PORT ${port}.\n`,
  });
});

it.each([
  [{ PORT: '1' }, [], '/health/live: ECONNREFUSED on PORT 1. Is the server running?\n'],
  [{ PORT: '0' }, [], 'PORT 0 cannot be asked. Set a number from 1 to 65535.\n'],
  [{ MANAGEMENT_PORT: 'x' }, [], 'MANAGEMENT_PORT x cannot be asked. Set a number from 1 to 65535.\n'],
  [{}, ['metrics'], 'There is no probe metrics. Ask for one of: live, ready, startup.\n'],
])('says with %j and %j what is wrong', async (env, args, stderr) => {
  expect(await check(env, ...args)).toEqual({ code: 1, stderr });
});
