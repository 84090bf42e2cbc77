import { Injectable } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { McpTool } from '../../../src/index.js';
import { WireSession, statelessRequest } from '../../support/wire.js';
import { type Served, serve } from '../clients/served.js';
import {
  exchange,
  expectNoTrace,
  expectRpcError,
  expectServing,
  head,
  open,
  postBytes,
  stateless,
  untilClosed,
} from './raw.js';

@Injectable()
class EchoTools {
  @McpTool()
  hello(): string {
    return 'hello';
  }
}

let served: Served;
const list = stateless('tools/list');

beforeAll(async () => {
  served = await serve([EchoTools], { http: { allowedOrigins: ['https://app.example'] } });
});
afterEach(() => expectServing(served.url));
afterAll(async () => {
  expect(served.errors).toEqual([]);
  await served[Symbol.asyncDispose]();
});

/** The one answer to a request that is right but for some header lines. */
async function answerTo(headers: readonly string[], host?: string) {
  const responses = await exchange(served.port, postBytes(list.body, headers, host));
  expect(responses).toHaveLength(1);
  return responses[0] ?? { status: 0, headers: {}, body: '' };
}

describe('Host', () => {
  it.each(['localhost', 'localhost:1', 'LocalHost:65535', '127.0.0.1', '127.0.0.1:3000', '[::1]', '[::1]:8080'])(
    '%s is served',
    async (host) => {
      expect((await answerTo(list.headers, `Host: ${host}`)).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'evil.example:3000',
    'localhost.evil.example',
    'evil-localhost',
    'localhost.',
    'localhost:',
    'localhost:http',
    'localhost:999999',
    'localhost:80:80',
    'localhost@evil.example',
    'evil.example@localhost',
    'localhost/evil',
    'localhost, evil.example',
    'localhost evil.example',
    'http://localhost',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0.0.0.0',
    '127.0.0.1.nip.io',
    '::1',
    '[::1',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[0:0:0:0:0:0:0:1]',
    '[::1]evil',
    '*',
    '',
  ])('"%s" is refused', async (host) => {
    const { status, body } = await answerTo(list.headers, `Host: ${host}`);

    expect(status).toBe(403);
    expectRpcError(body, 403);
  });

  it('that is missing is refused, in HTTP/1.0', async () => {
    const [response] = await exchange(
      served.port,
      head('POST /mcp HTTP/1.0', `Content-Length: ${list.body.length}`, ...list.headers) + list.body,
    );

    expect(response?.status).toBe(403);
    expectRpcError(response?.body ?? '', 403);
  });

  it('that is missing is refused, in HTTP/1.1', async () => {
    const [response, ...more] = await exchange(
      served.port,
      head('POST /mcp HTTP/1.1', `Content-Length: ${list.body.length}`, ...list.headers) + list.body,
    );

    expect(response?.status).toBe(400);
    expect(more).toEqual([]);
  });

  it('that comes twice is refused, for the two may be read by different parties', async () => {
    const { status, body } = await answerTo(list.headers, 'Host: localhost\r\nhost: evil.example');

    expect(status).toBe(400);
    expectRpcError(body, -32600);
  });

  it('is overruled by the address in the request line', async () => {
    const asked = async (target: string, host: string): Promise<number | undefined> => {
      const [first, ...rest] = postBytes(list.body, list.headers, `Host: ${host}`).toString().split('\r\n');
      const [response] = await exchange(served.port, [first?.replace('/mcp', target), ...rest].join('\r\n'));
      return response?.status;
    };

    expect(await asked('http://localhost/mcp', 'localhost')).toBe(200);
    expect(await asked('http://evil.example/mcp', 'localhost')).toBe(403);
  });
});

describe('Origin', () => {
  it.each([
    'http://localhost',
    'http://localhost:5173',
    'https://127.0.0.1:8443',
    'http://[::1]:3000',
    'https://app.example',
  ])('%s is let in', async (origin) => {
    expect((await answerTo([...list.headers, `Origin: ${origin}`])).status).toBe(200);
  });

  it.each([
    'null',
    '',
    'https://evil.example',
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil.example',
    'https://app.example/',
    'file://localhost',
    'chrome-extension://localhost',
    'localhost',
    '//localhost',
    'http://localhost.evil.example',
    'http://localhost@evil.example',
    'http://localhost, https://evil.example',
    '*',
  ])('"%s" is refused', async (origin) => {
    const { status, body } = await answerTo([...list.headers, `Origin: ${origin}`]);

    expect(status).toBe(403);
    expectRpcError(body, 403);
  });

  it('that comes twice is refused', async () => {
    expect((await answerTo([...list.headers, 'Origin: http://localhost', 'Origin: http://evil.example'])).status).toBe(
      400,
    );
  });
});

describe('methods', () => {
  it.each(['PUT', 'PATCH'])('%s is not allowed', async (method) => {
    const response = await fetch(served.url, { method, body: '{}', headers: { 'content-type': 'application/json' } });

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST, DELETE');
    expectRpcError(await response.text(), 405);
  });

  it('HEAD opens no stream', async () => {
    const session = await WireSession.open(served.url);

    const response = await fetch(served.url, { method: 'HEAD', headers: session.headers() as Record<string, string> });

    expect(response.status).toBe(405);
    await session.delete();
  });

  it.each(['OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'SEARCH', 'QUERY', 'BREW', 'post'])(
    '%s does no harm',
    async (method) => {
      const answer = await exchange(
        served.port,
        head(`${method} /mcp HTTP/1.1`, 'Host: localhost', 'Connection: close'),
      );

      for (const { status, body } of answer) {
        expect([400, 403, 404, 405, 501]).toContain(status);
        expectNoTrace(body);
      }
    },
  );
});

describe('headers that contradict each other', () => {
  it('two session ids are refused', async () => {
    const [one, two] = [await WireSession.open(served.url), await WireSession.open(served.url)];
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
    const lines = ['Content-Type: application/json', 'Accept: */*'];

    const [response] = await exchange(
      served.port,
      postBytes(body, [...lines, `Mcp-Session-Id: ${one.id}`, `Mcp-Session-Id: ${two.id}`]),
    );

    expect(response?.status).toBe(400);
    expectRpcError(response?.body ?? '', -32600);
    await Promise.all([one.delete(), two.delete()]);
  });

  it.each([
    ['Mcp-Method', 'Mcp-Method: tools/call'],
    ['Mcp-Method, twice the same', 'Mcp-Method: tools/list'],
    ['MCP-Protocol-Version', 'MCP-Protocol-Version: 2025-11-25'],
  ])('a second %s is a mismatch', async (_what, line) => {
    const { status, body } = await answerTo([...list.headers, line]);

    expect(status).toBe(400);
    expectRpcError(body, -32020);
  });

  it('a second Mcp-Name is a mismatch', async () => {
    const call = stateless('tools/call', { name: 'hello' });
    const [response] = await exchange(served.port, postBytes(call.body, [...call.headers, 'Mcp-Name: other']));

    expect(response?.status).toBe(400);
    expectRpcError(response?.body ?? '', -32020);
  });
});

describe('what smuggles', () => {
  const start = ['POST /mcp HTTP/1.1', 'Host: localhost', ...list.headers];
  const chunked = `${list.body.length.toString(16)}\r\n${list.body}\r\n0\r\n\r\n`;
  const second = head('DELETE /mcp HTTP/1.1', 'Host: localhost', 'Mcp-Session-Id: smuggled');

  it.each([
    [
      'Content-Length and Transfer-Encoding',
      head(...start, 'Content-Length: 4', 'Transfer-Encoding: chunked') + chunked,
    ],
    [
      'Transfer-Encoding and Content-Length',
      head(...start, 'Transfer-Encoding: chunked', 'Content-Length: 4') + chunked,
    ],
    ['two lengths', head(...start, `Content-Length: ${list.body.length}`, 'Content-Length: 0') + list.body],
    ['two lengths in one', head(...start, `Content-Length: ${list.body.length}, 0`) + list.body],
    ['a signed length', head(...start, `Content-Length: +${list.body.length}`) + list.body],
    ['a negative length', head(...start, 'Content-Length: -1') + list.body],
    ['a length in hexadecimal', head(...start, 'Content-Length: 0x10') + list.body],
    ['an encoding after chunked', head(...start, 'Transfer-Encoding: chunked, identity') + chunked],
    ['an encoding with a tab', head(...start, 'Transfer-Encoding:\tchunked\u000b') + chunked],
    ['a space before the colon', head(...start, 'Transfer-Encoding : chunked') + chunked],
    ['a folded header', head(...start, 'X-Folded: a', ' b: c', 'Content-Length: 0')],
    ['a bare line feed', `POST /mcp HTTP/1.1\nHost: localhost\n\n`],
    ['a NUL in a header', head(...start, 'X-Nul: a\u0000b', 'Content-Length: 0')],
    ['a chunk size that overflows', `${head(...start, 'Transfer-Encoding: chunked')}fffffffffffffffff\r\n`],
    ['a chunk size that is none', `${head(...start, 'Transfer-Encoding: chunked')}zz\r\n`],
    ['a chunk that is longer than it says', `${head(...start, 'Transfer-Encoding: chunked')}1\r\nabcdef\r\n0\r\n\r\n`],
    ['an HTTP version nobody has', `POST /mcp HTTP/9.9\r\nHost: localhost\r\n\r\n`],
  ])('is refused, and the connection is closed: %s', async (_what, bytes) => {
    const responses = await exchange(served.port, bytes + second);

    expect(responses.map(({ status }) => status)).toEqual([
      expect.toSatisfy((status) => status === 400 || status === 505),
    ]);
    expectNoTrace(responses[0]?.body ?? '');
  });

  it('is refused as too large: headers without end', async () => {
    const [response] = await exchange(
      served.port,
      head(...start, `X-Long: ${'x'.repeat(100_000)}`, 'Content-Length: 0'),
    );

    expect(response?.status).toBe(431);
  });

  it('does not hide in a body that is longer than announced', async () => {
    const responses = await exchange(
      served.port,
      head(...start, 'Content-Length: 2') + '{}' + head('GET /mcp HTTP/1.1', 'Host: evil.example', 'Connection: close'),
    );

    expect(responses.map(({ status }) => status)).toEqual([400, 403]);
  });

  it('is not what pipelining is: two requests on one connection are answered in their order', async () => {
    const first = stateless('tools/call', { name: 'hello' });
    const responses = await exchange(
      served.port,
      Buffer.concat([
        Buffer.from(postBytes(first.body, first.headers).toString().replace('Connection: close\r\n', '')),
        postBytes(list.body, list.headers),
      ]),
    );

    expect(responses.map(({ body }) => Object.keys((JSON.parse(body) as { result: object }).result)[1])).toEqual([
      'content',
      'tools',
    ]);
  });
});

describe('connections that do not go on', () => {
  it('say nothing: others are served', async () => {
    const silent = await Promise.all(Array.from({ length: 100 }, () => open(served.port)));

    expect((await statelessRequest(served.url, 'tools/list')).status).toBe(200);
    for (const socket of silent) socket.destroy();
  });

  it('stop in the middle of the body: others are served', async () => {
    const half = postBytes(list.body, list.headers).subarray(0, -10);
    const slow = await Promise.all(Array.from({ length: 100 }, () => open(served.port)));
    for (const socket of slow) socket.write(half);

    expect((await statelessRequest(served.url, 'tools/list')).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });

  it('send the body byte by byte: they are answered in the end', async () => {
    const bytes = postBytes(list.body, list.headers);
    const socket = await open(served.port);
    const answer = untilClosed(socket);
    for (const byte of bytes) await new Promise((sent) => socket.write(Buffer.of(byte), sent));

    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('close in the middle of the body: nothing happens', async () => {
    const socket = await open(served.port);
    socket.write(postBytes(list.body, list.headers).subarray(0, -10));
    socket.end();

    expect(await untilClosed(socket)).toMatch(/^$|^HTTP\/1\.1 400 /);
  });

  it('are reset in the middle of the body: nothing happens', async () => {
    const socket = await open(served.port);
    await new Promise((sent) => socket.write(postBytes(list.body, list.headers).subarray(0, -10), sent));
    const closed = untilClosed(socket);
    socket.resetAndDestroy();

    expect(await closed).toBe('');
  });

  it('announce more than the limit: they are told before they send it', async () => {
    const socket = await open(served.port);
    const answer = untilClosed(socket);
    socket.write(
      head('POST /mcp HTTP/1.1', 'Host: localhost', 'Connection: close', ...list.headers, 'Content-Length: 9999999999'),
    );

    expect(await answer).toMatch(/^HTTP\/1\.1 413 .*"code":413/s);
  });

  it('send chunks without end: they are told when the limit is passed', async () => {
    const socket = await open(served.port);
    const answer = untilClosed(socket);
    socket.write(head('POST /mcp HTTP/1.1', 'Host: localhost', ...list.headers, 'Transfer-Encoding: chunked'));
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    for (let sent = 0; sent < 20 && !socket.destroyed; sent++) socket.write(chunk);

    expect(await answer).toMatch(/^HTTP\/1\.1 413 .*"code":413/s);
  });
});
