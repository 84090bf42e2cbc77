import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { McpModule, McpTool } from '../../../src/index.js';
import { createHttpAdapter } from '../../../src/mcp/transport/http/http-adapter.js';
import {
  exchange,
  expectRpcError,
  expectServing,
  head,
  open,
  postBytes,
  stateless,
  untilClosed,
} from '../robustness/raw.js';

@Injectable()
class Tools {
  @McpTool()
  hello(): string {
    return 'hello';
  }
}

@Module({ imports: [McpModule.forRoot({ http: { drainGraceMs: 0 } })], providers: [Tools] })
class ToolsModule {}

const LATE = /^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/;
const call = stateless('tools/call', { name: 'hello' });

let app: NestFastifyApplication;
let port: number;
const sockets: Socket[] = [];

beforeAll(async () => {
  const adapter = createHttpAdapter({ headersTimeoutMs: 300, requestTimeoutMs: 600 });
  app = await NestFactory.create<NestFastifyApplication>(ToolsModule, adapter, { logger: false });
  await app.listen(0, '127.0.0.1');
  port = Number(new URL(await app.getUrl()).port);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await expectServing(`http://127.0.0.1:${port}/mcp`);
});
afterAll(() => app.close());

/** What the server says to someone who sends this, and then no more. */
async function answerTo(bytes: string | Buffer): Promise<string> {
  const socket = await open(port);
  sockets.push(socket);
  const answer = untilClosed(socket);
  socket.write(bytes);
  return answer;
}

it.each([
  ['says nothing', ''],
  ['begins a request', 'POST /mcp'],
  ['does not end its headers', head('POST /mcp HTTP/1.1', 'Host: localhost', ...call.headers).slice(0, -2)],
  ['does not end its body', postBytes(call.body, call.headers).subarray(0, -1)],
  ['does not begin its body', postBytes(call.body, call.headers).subarray(0, -call.body.length)],
])('a client that %s is told so, and its connection closed', async (_what, bytes) => {
  const answer = await answerTo(bytes);

  expect(answer).toMatch(LATE);
  expectRpcError(answer.slice(answer.indexOf('\r\n\r\n') + 4), -32600);
});

it('a client that sends a header now and then gets no more time for it', async () => {
  const socket = await open(port);
  sockets.push(socket);
  const answer = untilClosed(socket);
  socket.write('POST /mcp HTTP/1.1\r\nHost: localhost\r\n');
  const drip = setInterval(() => socket.write('X-Drip: a\r\n'), 20);

  expect(await answer.finally(() => clearInterval(drip))).toMatch(LATE);
});

it('a client that sends its body in drops gets no more time for it', async () => {
  const socket = await open(port);
  sockets.push(socket);
  const answer = untilClosed(socket);
  socket.write(head('POST /mcp HTTP/1.1', 'Host: localhost', ...call.headers, 'Content-Length: 100000'));
  const drip = setInterval(() => socket.write(' '), 20);

  expect(await answer.finally(() => clearInterval(drip))).toMatch(LATE);
});

it('a hundred slow clients do not keep others waiting', async () => {
  const slow = await Promise.all(Array.from({ length: 100 }, () => open(port)));
  sockets.push(...slow);
  for (const socket of slow) socket.write('POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');

  const [answer] = await exchange(port, postBytes(call.body, call.headers));

  expect(answer?.status).toBe(200);
});
