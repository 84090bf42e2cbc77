import { type Server, createServer } from 'node:http';
import { type AddressInfo, Socket, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { McpError } from '../../protocol/errors.js';
import { checkRequestHead } from './repeated-headers.js';

const invalid = (status: number): unknown => expect.objectContaining({ reason: 'INVALID_REQUEST', status });

const check = (rawHeaders: string[], url = '/mcp', { httpVersion = '1.1', socket = new Socket() } = {}): void =>
  checkRequestHead({ url, headers: asNodeHasThem(rawHeaders), rawHeaders, httpVersion, socket });

/** One of each name. */
function asNodeHasThem(rawHeaders: readonly string[]): Record<string, string> {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(names.map((name, index) => [name.toLowerCase(), rawHeaders[2 * index + 1] ?? '']));
}

describe('a header that decides something', () => {
  const ONCE = [
    'Authorization',
    'Content-Length',
    'Content-Type',
    'Last-Event-ID',
    'Mcp-Method',
    'Mcp-Name',
    'MCP-Protocol-Version',
    'Mcp-Session-Id',
    'Origin',
    'Mcp-Param-Region',
  ];

  /** Those that repeat what the body says. */
  const MIRRORS = ['Mcp-Method', 'Mcp-Name', 'MCP-Protocol-Version', 'Mcp-Param-Region'];

  it.each(ONCE)('%s may come once', (name) => {
    expect(() => check([name, 'a', 'Accept', '*/*'])).not.toThrow();
  });

  it.each(ONCE)('%s may not come twice, in whatever case, even with the same value', (name) => {
    expect(() => check([name, 'a', 'Accept', '*/*', name.toUpperCase(), 'a'])).toThrow(
      expect.objectContaining({ status: 400, code: MIRRORS.includes(name) ? -32020 : -32600 }),
    );
  });

  it('is named, unless the caller made the name up', () => {
    expect(() => check(['Mcp-Name', 'secret', 'Mcp-Name', 'b'])).toThrow('Send mcp-name once.');
    expect(() => check(['Mcp-Param-Evil', 'a', 'Mcp-Param-Evil', 'b'])).toThrow('Send each Mcp-Param header once.');
  });

  it.each(['Accept', 'Cookie', 'X-Forwarded-For', 'Via'])('is not %s, which is a list', (name) => {
    expect(() => check([name, 'a', name, 'b'])).not.toThrow();
  });
});

describe('the length of the body', () => {
  it.each([[['Transfer-Encoding', 'chunked']], [['Transfer-Encoding', 'Chunked']], [['Content-Length', '2']], [[]]])(
    'may be said as %j',
    (headers) => {
      expect(() => check(headers)).not.toThrow();
    },
  );

  it.each([
    [['Content-Length', '2', 'Transfer-Encoding', 'chunked']],
    [['Transfer-Encoding', 'chunked', 'Content-Length', '2']],
    [['Transfer-Encoding', 'gzip, chunked']],
    [['Transfer-Encoding', 'gzip', 'Transfer-Encoding', 'chunked']],
    [['Transfer-Encoding', 'identity']],
  ])('may not be said as %j', (headers) => {
    expect(() => check(headers)).toThrow(invalid(400));
  });

  it('may not be left to chunks in HTTP/1.0', () => {
    expect(() => check(['Transfer-Encoding', 'chunked'], '/mcp', { httpVersion: '1.0' })).toThrow(invalid(400));
  });

  it('that is in doubt spoils the connection: what comes next may be part of that body', () => {
    const socket = new Socket();

    expect(() => check(['Transfer-Encoding', 'gzip, chunked'], '/mcp', { socket })).toThrow(
      expect.objectContaining({ status: 400, headers: { connection: 'close' } }),
    );
    expect(() => check([], '/mcp', { socket })).toThrow(invalid(400));
    expect(() => check([])).not.toThrow();
  });
});

describe('the size of the head', () => {
  it('has 100 headers at most', () => {
    const headers = (count: number): string[] => Array.from({ length: count }, () => ['X-Many', 'a']).flat();

    expect(() => check(headers(100))).not.toThrow();
    expect(() => check(headers(101))).toThrow(invalid(431));
  });

  it('has a target of 2,048 characters at most', () => {
    expect(() => check([], `/mcp?${'x'.repeat(2_043)}`)).not.toThrow();
    expect(() => check([], `/mcp?${'x'.repeat(2_044)}`)).toThrow(invalid(414));
  });
});

describe('an access token in the address', () => {
  it.each([
    '/mcp?access_token=a',
    '/mcp?a=b&access_token',
    '/mcp?%61ccess%5Ftoken=a',
    'http://localhost/mcp?access_token=a',
    '/mcp?access_token=a#b',
  ])('is refused, and not echoed: %s', (url) => {
    expect(() => check([], url)).toThrow(
      expect.objectContaining({ status: 400, message: expect.stringContaining('Authorization header') }),
    );
  });

  it.each(['/mcp', '/mcp?', '/mcp?token=a', '/mcp?x=access_token', '/access_token'])('is not in %s', (url) => {
    expect(() => check([], url)).not.toThrow();
  });
});

describe("behind Node's parser", () => {
  let server: Server;
  const served: string[] = [];
  let seen = 0;
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen += 1;
      try {
        checkRequestHead(request);
        served.push(request.url ?? '');
        response.end('served');
      } catch (error) {
        const { status, headers } = error as McpError;
        response.writeHead(status, headers).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  /** The statuses of all answers until the server closes the connection. */
  async function statusesOf([first = '', ...lines]: readonly string[], body = ''): Promise<number[]> {
    served.length = seen = 0;
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('latin1');
    socket.write([first, 'Host: localhost', ...lines, '', body].join('\r\n'), 'latin1');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  const POST = 'POST /mcp HTTP/1.1';
  const CLOSE = 'Connection: close';

  it.each([
    ['a second token', [POST, CLOSE, 'Authorization: Bearer a', 'authorization: Bearer b'], 400],
    ['a second session', [POST, CLOSE, 'Mcp-Session-Id: a', 'Mcp-Session-Id: b'], 400],
    ['a second type', [POST, CLOSE, 'Content-Type: application/json', 'Content-Type: text/plain'], 400],
    ['1,500 headers', [POST, CLOSE, ...Array.from({ length: 1_500 }, () => 'a:'), 'Origin: a', 'Origin: b'], 431],
    ['a long target', [`POST /${'x'.repeat(5_000)} HTTP/1.1`, CLOSE], 414],
  ])('%s is refused here', async (_what, lines, status) => {
    expect(await statusesOf(lines)).toEqual([status]);
    expect(served).toEqual([]);
  });

  it.each([
    ['an encoding under chunked', [POST, 'Transfer-Encoding: gzip, chunked']],
    ['two lines of encodings', [POST, 'Transfer-Encoding: gzip', 'Transfer-Encoding: chunked']],
    ['chunks in HTTP/1.0', ['POST /mcp HTTP/1.0', 'Connection: keep-alive', 'Transfer-Encoding: chunked']],
  ])('%s is refused here, with the request behind it', async (_what, lines) => {
    const behind = 'DELETE /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';

    expect(await statusesOf(lines, `0\r\n\r\n${behind}`)).toEqual([400]);
    expect(seen).toBe(2);
    expect(served).toEqual([]);
  });

  it.each([
    ['two lengths', ['Content-Length: 0', 'Content-Length: 0']],
    ['a list of lengths', ['Content-Length: 0, 0']],
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 5']],
    ['chunks twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['a space before the colon', ['Origin : a']],
    ['a folded line', ['X-Folded: a', ' Origin: b']],
    ['a bare line feed', ['X-One: a\nOrigin: b']],
    ['a bare carriage return', ['X-One: a\rOrigin: b']],
    ['a NUL', ['Origin: a\0b']],
    ['a nameless header', [': a']],
  ])('%s does not come so far', async (_what, lines) => {
    expect(await statusesOf([POST, ...lines], '0\r\n\r\n')).toEqual([400]);
    expect(seen).toBe(0);
  });

  it('a trailer is no header', async () => {
    const lines = [POST, CLOSE, 'Mcp-Session-Id: a', 'Transfer-Encoding: chunked', 'Trailer: Mcp-Session-Id'];

    expect(await statusesOf(lines, '0\r\nMcp-Session-Id: b\r\n\r\n')).toEqual([200]);
  });
});
