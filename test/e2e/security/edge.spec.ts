import { Injectable, Module } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { McpModule, McpTool } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { WireSession, initialize, post, statelessHeaders } from '../../support/wire.js';
import {
  JSON_HEADERS,
  type RawResponse,
  exchange,
  expectNoTrace,
  expectRpcError,
  expectServing,
  head,
  postBytes,
  stateless,
} from '../robustness/raw.js';

/** What an attacker wants to happen. */
@Injectable()
class Target {
  runs = 0;

  @McpTool()
  strike(): string {
    this.runs += 1;
    return 'struck';
  }
}

@Module({
  imports: [McpModule.forRoot({ http: { allowedOrigins: ['https://app.example'], maxBodyBytes: 1_000_000 } })],
  providers: [Target],
})
class TargetModule {}

let app: Awaited<ReturnType<typeof createMcpTestApp>>;
let port: number;
let session: WireSession;

beforeAll(async () => {
  app = await createMcpTestApp(TargetModule, { logger: false });
  port = Number(new URL(app.url).port);
});
afterEach(() => expectServing(app.url));
afterAll(() => app.close());

const runs = (): number => app.get(Target).runs;

interface EraCase {
  readonly era: string;
  /** A right call of the tool: what hits unless something else is wrong. */
  call(): { readonly body: string; readonly headers: string[] };
}

const ERAS: readonly EraCase[] = [
  { era: 'stateless', call: () => stateless('tools/call', { name: 'strike' }) },
  {
    era: 'session',
    call: () => ({
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"strike"}}',
      headers: [...JSON_HEADERS, ...Object.entries(session.headers()).map(([name, value]) => `${name}: ${value}`)],
    }),
  },
];

/** The one answer to these bytes. */
async function answerTo(bytes: string | Buffer): Promise<RawResponse> {
  const answers = await exchange(port, bytes);
  expect(answers).toHaveLength(1);
  return answers[0] ?? { status: 0, headers: {}, body: '' };
}

function expectNoCors({ headers }: RawResponse): void {
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
}

describe.each(ERAS)('a call in the $era era', ({ call }) => {
  let before: number;
  beforeAll(async () => void (session = await WireSession.open(app.url)));
  beforeEach(() => void (before = runs()));
  afterAll(() => session.delete());

  /** A right call but for more header lines, another host or target. */
  const attack = ({ lines = [] as readonly string[], host = 'localhost', target = '/mcp' }): Promise<RawResponse> => {
    const { body, headers } = call();
    const bytes = postBytes(body, [...headers, ...lines], `Host: ${host}`).toString('latin1');
    return answerTo(Buffer.from(bytes.replace('/mcp', target), 'latin1'));
  };

  it.each([
    ['the right host, but another scheme', 'http://app.example'],
    ['the right host, but another port', 'https://app.example:8443'],
    ['the right host, its own port spelled out', 'https://app.example:443'],
    ['the right host with a dot', 'https://app.example.'],
    ['a host that begins alike', 'https://app.example.evil.example'],
    ['a host that ends alike', 'https://evil-app.example'],
    ['a subdomain', 'https://a.app.example'],
    ['the right host as a user', 'https://app.example@evil.example'],
    ['the right origin with a path', 'https://app.example/'],
    ['two origins', 'https://app.example, https://evil.example'],
    ['two origins, as the old RFC has it', 'https://app.example https://evil.example'],
    ['the sandbox', 'null'],
    ['every origin', '*'],
    ['none', ''],
    ['a page on a disk', 'file://'],
    ['a page that looks like loopback', 'http://127.0.0.1.evil.example'],
  ])('from a page of %s is refused', async (_what, origin) => {
    const answer = await attack({ lines: [`Origin: ${origin}`] });

    expect(answer.status).toBe(403);
    expectRpcError(answer.body, 403);
    expectNoCors(answer);
    expect(runs()).toBe(before);
  });

  it('from a page whose name was bound to this server is refused, though it is of one origin', async () => {
    const answer = await attack({ host: `evil.example:${port}`, lines: [`Origin: http://evil.example:${port}`] });

    expect(answer.status).toBe(403);
    expectRpcError(answer.body, 403);
    expect(runs()).toBe(before);
  });

  it.each([
    ['X-Forwarded-Host', 'X-Forwarded-Host: localhost'],
    ['Forwarded', 'Forwarded: host=localhost'],
    ['X-Original-Host', 'X-Original-Host: localhost'],
  ])('is judged by its Host, not by %s', async (_what, line) => {
    expect((await attack({ host: 'evil.example', lines: [line] })).status).toBe(403);
    expect(runs()).toBe(before);
  });

  it.each([
    ['another host', 'http://evil.example/mcp', 403],
    ['another host behind a user', 'http://localhost@evil.example/mcp', 403],
    ['another host behind a port', 'http://localhost:1@evil.example:80/mcp', 403],
    ['no path of ours', '//localhost/mcp', 404],
    ['a path beside ours', '/mcp/../admin', 404],
    ['an encoded slash', '/%2fmcp', 404],
    ['a NUL behind ours', '/mcp%00', 404],
    ['half an escape', '/mcp%', 400],
  ])('to an address with %s is refused', async (_what, target, status) => {
    const answer = await attack({ target });

    expect(answer.status).toBe(status);
    expectNoTrace(answer.body);
    expect(runs()).toBe(before);
  });

  it('to two hosts is refused', async () => {
    const answer = await attack({ host: 'localhost\r\nHost: localhost' });

    expect(answer.status).toBe(400);
    expectRpcError(answer.body, -32600);
    expect(runs()).toBe(before);
  });

  it.each([
    ['Authorization', 'Bearer a', 'Bearer b', -32600],
    ['Content-Type', 'application/json', 'application/json', -32600],
    ['Last-Event-ID', 'a.1', 'a.2', -32600],
    ['Mcp-Method', 'tools/call', 'tools/list', -32020],
    ['Mcp-Name', 'strike', 'other', -32020],
    ['Mcp-Param-Region', 'a', 'b', -32020],
    ['MCP-Protocol-Version', '2026-07-28', '2025-11-25', -32020],
    ['Mcp-Session-Id', 'a', 'b', -32600],
  ])('with a second %s is refused for that, before anything of it is believed', async (name, one, two, code) => {
    const answer = await attack({ lines: [`${name}: ${one}`, `${name.toLowerCase()}: ${two}`] });

    expect(answer.status).toBe(400);
    expectRpcError(answer.body, code);
    expect(runs()).toBe(before);
  });

  it('with a second Origin is refused', async () => {
    const answer = await attack({ lines: ['Origin: https://app.example', 'Origin: https://app.example'] });

    expect(answer.status).toBeOneOf([400, 403]);
    expect(runs()).toBe(before);
  });

  it.each(['access_token=secret-token', 'a=b&access%5Ftoken=secret-token'])(
    'with a token in the address is refused, and the token is not repeated: %s',
    async (query) => {
      const answer = await attack({ target: `/mcp?${query}` });

      expect(answer.status).toBe(400);
      expectRpcError(answer.body, -32600);
      expect(answer.body).not.toContain('secret-token');
      expect(runs()).toBe(before);
    },
  );

  it('with more than 100 headers is refused', async () => {
    const answer = await attack({ lines: Array.from({ length: 101 }, (_, index) => `X-${index}: a`) });

    expect(answer.status).toBe(431);
    expectRpcError(answer.body, expect.any(Number) as number);
    expect(runs()).toBe(before);
  });

  it('with an address of more than 2,048 characters is refused', async () => {
    const answer = await attack({ target: `/mcp?${'x'.repeat(2_048)}` });

    expect(answer.status).toBe(414);
    expectRpcError(answer.body, expect.any(Number) as number);
    expect(runs()).toBe(before);
  });

  describe('that hides behind another request', () => {
    const START = ['POST /mcp HTTP/1.1', 'Host: localhost'];
    const hidden = (): string => {
      const { body, headers } = call();
      return `${head(...START, ...headers, `Content-Length: ${body.length}`)}${body}`;
    };

    it('is what it seems when nothing is wrong', async () => {
      const answers = await exchange(
        port,
        `${head(...START, 'Content-Length: 0')}${hidden().replace('Host', 'Connection: close\r\nHost')}`,
      );

      expect(answers.map(({ status }) => status)).toEqual([expect.any(Number), 200]);
      expect(runs()).toBe(before + 1);
    });

    it.each([
      ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
      ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 5']],
      ['two lengths', ['Content-Length: 0', 'Content-Length: 5']],
      ['a list of lengths', ['Content-Length: 0, 5']],
      ['a signed length', ['Content-Length: +5']],
      ['chunks under another name', ['Transfer-Encoding: xchunked']],
      ['chunks under two encodings', ['Transfer-Encoding: chunked, identity']],
      ['a folded header', ['X-Folded: a', ' Content-Length: 5']],
      ['a space before the colon', ['Transfer-Encoding : chunked']],
      ['a bare line feed', ['X-One: a\nTransfer-Encoding: chunked']],
      ['a bare carriage return', ['X-One: a\rTransfer-Encoding: chunked']],
      ['a NUL', ['Transfer-Encoding: chunked\0']],
      ['a header without a name', [': chunked']],
    ])('is not run: %s', async (_what, lines) => {
      const answers = await exchange(port, `${head(...START, ...JSON_HEADERS, ...lines)}0\r\n\r\n${hidden()}`);

      expect(answers.map(({ status }) => status)).toEqual([400]);
      expectNoTrace(answers[0]?.body ?? '');
      expect(runs()).toBe(before);
    });

    it.each([
      ['an encoding that is not undone', ['Transfer-Encoding: gzip, chunked']],
      ['two lines of encodings', ['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked']],
    ])('is not run, though the parser takes it: %s', async (_what, lines) => {
      const answers = await exchange(port, `${head(...START, ...JSON_HEADERS, ...lines)}0\r\n\r\n${hidden()}`);

      expect(answers.map(({ status }) => status)).toEqual([400]);
      expectRpcError(answers[0]?.body ?? '', -32600);
      expect(runs()).toBe(before);
    });
  });
});

describe('the other methods of the endpoint', () => {
  it.each(['GET', 'DELETE', 'OPTIONS', 'HEAD', 'PUT'])('%s is refused to other origins and hosts', async (method) => {
    const asked = (...lines: string[]): Promise<RawResponse> =>
      answerTo(head(`${method} /mcp HTTP/1.1`, 'Connection: close', ...lines));
    const toStrangePage = await asked('Host: localhost', 'Origin: https://evil.example');
    const toStrangeHost = await asked('Host: evil.example', 'Origin: https://app.example');

    expect([toStrangePage.status, toStrangeHost.status]).toEqual([403, 403]);
    expectNoCors(toStrangePage);
  });

  it('a session cannot be ended by a request that names two', async () => {
    const [mine, other] = [await WireSession.open(app.url), await WireSession.open(app.url)];
    const ids = [`Mcp-Session-Id: ${mine.id}`, `Mcp-Session-Id: ${other.id}`];

    const answer = await answerTo(head('DELETE /mcp HTTP/1.1', 'Host: localhost', 'Connection: close', ...ids));

    expect(answer.status).toBe(400);
    expect((await mine.delete()).status).toBe(204);
    expect((await other.delete()).status).toBe(204);
  });
});

describe('a page of an allowed origin', () => {
  const origin = 'https://app.example';
  const EXPOSED = 'Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After';

  it('is told by a preflight what it may send', async () => {
    const response = await fetch(app.url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'mcp-param-region,x-evil',
      },
    });

    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(response.headers.get('access-control-allow-headers')).toMatch(/^Content-Type, .*, mcp-param-region$/);
    expect(response.headers.get('access-control-allow-headers')).not.toContain('x-evil');
  });

  it('is told nothing by a preflight without origin', async () => {
    const answer = await answerTo(head('OPTIONS /mcp HTTP/1.1', 'Host: localhost', 'Connection: close'));

    expect(answer.status).toBe(403);
    expectNoCors(answer);
  });

  it.each([
    ['a result', () => post(app.url, JSON.stringify(initialize('2025-11-25')), { origin }), 200],
    ['an error of JSON', () => post(app.url, '{', { origin }), 400],
    ['an error of headers', () => post(app.url, '{}', { origin, 'content-type': 'text/plain' }), 415],
    ['an error of size', () => post(app.url, ' '.repeat(1_000_001), { origin }), 413],
    [
      'a session that is none',
      () => fetch(app.url, { method: 'DELETE', headers: { origin, 'mcp-session-id': 'a' } }),
      404,
    ],
    ['a method that is none', () => fetch(app.url, { method: 'PUT', headers: { origin } }), 405],
  ])('can read %s', async (_what, ask, status) => {
    const response = await ask();
    await response.text();

    expect(response.status).toBe(status);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('access-control-expose-headers')).toBe(EXPOSED);
    expect(response.headers.get('vary')).toContain('Origin');
  });

  it('can read a stream', async () => {
    const stateful = await WireSession.open(app.url);
    const stream = await stateful.get({ origin });

    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    expect(stream.headers.get('access-control-allow-origin')).toBe(origin);
    expect(stream.headers.get('access-control-expose-headers')).toBe(EXPOSED);
    await stream.body?.cancel();
    await stateful.delete();
  });
});

describe('a body that is deep', () => {
  it.each([
    ['arrays', '['.repeat(400_000)],
    ['arrays that end', '['.repeat(400_000) + ']'.repeat(400_000)],
    ['objects', '{"a":'.repeat(150_000)],
    [
      'arguments',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":${'['.repeat(65)}${']'.repeat(65)}}}`,
    ],
  ])('is refused before it is parsed: %s', async (_what, body) => {
    const response = await post(app.url, body, statelessHeaders('tools/call', { name: 'strike' }));

    expect(response.status).toBe(400);
    expectRpcError(await response.text(), -32600);
  });
});

describe('a key that is nearly one of ours', () => {
  it.each(['Method', 'METHOD', 'method\\u0000', ' method', 'm\\u00e9thod'])(
    'is not taken for it: "%s"',
    async (key) => {
      const before = runs();
      const [strike, list] = [stateless('tools/call', { name: 'strike' }), stateless('tools/list')];
      const instead = strike.body.replace('"method":', `"${key}":`);
      const beside = [
        list.body.replace('{', `{"${key}":"tools/call",`),
        list.body.replace(/\}$/, `,"${key}":"tools/call"}`),
      ];

      const refused = await answerTo(postBytes(instead, strike.headers));
      const served = [
        await answerTo(postBytes(beside[0] ?? '', list.headers)),
        await answerTo(postBytes(beside[1] ?? '', list.headers)),
      ];

      expect(refused.status).toBe(400);
      expectRpcError(refused.body, -32600, 1);
      for (const { status, body } of served)
        expect([status, body]).toEqual([200, expect.stringContaining('"tools":[')]);
      expect(runs()).toBe(before);
    },
  );
});

describe('what is not there', () => {
  it('is a WebSocket: a request to upgrade is not taken up', async () => {
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const upgrade = ['Connection: Upgrade, close', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', key];

    const answer = await answerTo(head('GET /mcp HTTP/1.1', 'Host: localhost', ...upgrade));

    expect(answer.status).toBe(400);
    expectRpcError(answer.body, -32600);
    expect(answer.headers).not.toHaveProperty('upgrade');
  });

  it.each([
    '/',
    '/admin',
    '/mcp/',
    '/mcp.json',
    '/.env',
    '/mcp/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/__proto__',
  ])('%s is 404, without a word of how this server is built', async (path) => {
    const answer = await answerTo(head(`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close'));

    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body)).toEqual({ message: `Cannot GET ${path}`, error: 'Not Found', statusCode: 404 });
    expectNoTrace(answer.body);
    expect(answer.headers).not.toHaveProperty('x-powered-by');
    expect(answer.headers).not.toHaveProperty('server');
  });
});
