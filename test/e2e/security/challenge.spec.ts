import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Injectable } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { McpTool } from '../../../src/index.js';
import { TEST_RESOURCE, TestIssuer } from '../../support/oauth/test-issuer.js';
import { post } from '../../support/wire.js';
import {
  JSON_HEADERS,
  type RawResponse,
  exchange,
  expectNoTrace,
  head,
  postBytes,
  stateless,
} from '../robustness/raw.js';
import { GuardedApp, METADATA, as, bearer, sessionFor } from './guarded-app.js';

const EXPIRED = 'The token has expired, or does not say when it will';
const ISSUER = 'The token is from an issuer that is not accepted';
const FORM = 'The token is of a form that is not accepted';
const ORIGIN = 'https://app.example';

@Injectable()
class Tools {
  @McpTool()
  hello(): string {
    return 'hello';
  }
}

let app: GuardedApp;
let issuer: TestIssuer;
let second: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start({ path: '/realms/acme', algs: ['ES256'] });
  second = await TestIssuer.start({ algs: ['ES256'] });
  app = await GuardedApp.start({
    providers: [Tools],
    options: { http: { allowedOrigins: [ORIGIN] } },
    auth: { issuers: [{ issuer: issuer.issuer }, { issuer: second.issuer }], requiredScopes: ['mcp:read'] },
  });
});
afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  for (const each of [issuer, second]) await each?.[Symbol.asyncDispose]();
});

const seconds = (): number => Math.floor(Date.now() / 1_000);
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function challenge(description: string): string {
  return `Bearer ${METADATA}, error="invalid_token", error_description="${description}", scope="mcp:read"`;
}

describe('the challenge', () => {
  const bad = { authorization: 'Bearer a.b.c' };
  const METHODS = ['POST', 'GET', 'DELETE'] as const;
  const ACCEPT = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
  const CORS = {
    'access-control-allow-origin': ORIGIN,
    'access-control-expose-headers': 'Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After',
    vary: 'Origin',
  };

  it.each(
    METHODS.flatMap((method) => [
      { method, headers: {}, says: `Bearer ${METADATA}, scope="mcp:read"` },
      { method, headers: bad, says: challenge(FORM) },
    ]),
  )('comes with every 401: $method $headers', async ({ method, headers, says }) => {
    const body = method === 'POST' ? '{"jsonrpc":"2.0","id":1,"method":"ping"}' : null;
    const response = await fetch(app.url, { method, body, headers: { ...ACCEPT, ...headers, origin: ORIGIN } });

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, says]);
    expect(Object.fromEntries(response.headers)).toMatchObject(CORS);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it.each(METHODS)('comes on %s of a session whose token went bad, and the session goes on', async (method) => {
    const good = bearer(await issuer.token());
    const session = await sessionFor(app.url, good);
    const worn = as(session, bearer(await issuer.token({ exp: seconds() - 3_600 })));

    const response = await {
      POST: () => worn.request('ping'),
      GET: () => worn.get(),
      DELETE: () => worn.delete(),
    }[method]();

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, challenge(EXPIRED)]);
    expect((await session.request('ping')).status).toBe(200);
  });

  it('is nothing that a page of an origin which is not allowed can read', async () => {
    const response = await fetch(app.url, {
      method: 'POST',
      body: '{}',
      headers: { ...ACCEPT, origin: 'https://evil.example' },
    });

    expect(response.status).toBe(403);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('www-authenticate')).toBeNull();
  });

  it('comes before the body is read', async () => {
    const request = head(
      'POST /mcp HTTP/1.1',
      'Host: localhost',
      'Connection: close',
      'Content-Length: 900000',
      ...JSON_HEADERS,
    );
    const [answer] = await exchange(app.port, request);

    expect(answer?.status).toBe(401);
  });

  it.each(['/mcp', '/%6dcp', '/mcp?x', '//mcp', '/mcp/', '/mcp%2f', '/MCP', '/mcp;x', '/./mcp', '/x/../mcp'])(
    'comes wherever there is something, however the address is spelled: %s',
    async (target) => {
      const { body, headers } = stateless('tools/list');
      const bytes = postBytes(body, headers).toString().replace('/mcp', target);
      const [answer] = await exchange(app.port, bytes);

      expect(answer?.status).toBeOneOf([401, 404]);
      expect(answer?.headers).not.toHaveProperty('mcp-session-id');
      expect(answer?.body).not.toContain('hello');
    },
  );

  it('is all that a stranger gets: no address in a header of his is asked for anything', async () => {
    let connections = 0;
    const asked = createServer()
      .on('connection', () => (connections += 1))
      .listen(0, '127.0.0.1');
    onTestFinished(() => void asked.close());
    await once(asked, 'listening');
    const address = `http://127.0.0.1:${(asked.address() as AddressInfo).port}/`;
    const names = [
      'x-forwarded-host',
      'x-original-url',
      'x-jira-url',
      'referer',
      'forwarded',
      'link',
      'x-issuer',
      'via',
    ];
    const headers = Object.fromEntries(names.map((name) => [name, address]));

    const answers = [await post(app.url, '{}', headers), await post(app.url, '{}', { ...headers, ...bad })];

    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(connections).toBe(0);
  });

  it('repeats nothing of the token, nor of what was asked', async () => {
    const token = `${encode({ alg: 'RS256', kid: '<script>' })}.${encode({ iss: 'https://evil.example/"><script>' })}.AAAA`;
    const response = await post(
      app.url,
      JSON.stringify({ jsonrpc: '2.0', id: 'my-id', method: 'my-method' }),
      bearer(token),
    );

    expect(response.headers.get('www-authenticate')).toBe(challenge(ISSUER));
    expect(await response.text()).not.toMatch(/script|my-id|my-method/);
  });
});

describe('the metadata document', () => {
  const ROOT = '/.well-known/oauth-protected-resource';
  const FORMS = [ROOT, `${ROOT}/mcp`];
  const HEADERS = {
    'access-control-allow-origin': '*',
    'cache-control': 'public, max-age=300',
    'content-type': 'application/json; charset=utf-8',
  };
  const document = () => ({
    resource: TEST_RESOURCE,
    authorization_servers: [issuer.issuer, second.issuer],
    scopes_supported: ['mcp:read'],
    bearer_methods_supported: ['header'],
  });

  const ask = async (path: string, ...lines: string[]): Promise<RawResponse | undefined> => {
    const host = lines.some((line) => line.startsWith('Host')) ? [] : ['Host: localhost'];
    return (await exchange(app.port, head(`GET ${path} HTTP/1.1`, 'Connection: close', ...host, ...lines)))[0];
  };

  it.each(FORMS)('is at %s, for pages of any origin, with or without a token', async (path) => {
    for (const lines of [[], ['Origin: https://evil.example'], ['Origin: null'], ['Authorization: Bearer a.b.c']]) {
      const answer = await ask(path, ...lines);

      expect(answer?.status).toBe(200);
      expect(answer?.headers).toMatchObject(HEADERS);
      expect(answer?.headers).not.toHaveProperty('access-control-allow-credentials');
      expect(JSON.parse(answer?.body ?? '')).toEqual(document());
    }
  });

  it.each(FORMS)('is the same at %s whatever a client or proxy says where it is', async (path) => {
    const answers = [
      await ask(path, `Host: 127.0.0.1:${app.port}`),
      await ask(path, 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: http', 'Forwarded: host=evil.example'),
      await ask(path, 'X-Original-URL: /evil', 'X-Rewrite-URL: /evil', 'X-Forwarded-Prefix: /evil'),
    ];

    for (const answer of answers) expect(JSON.parse(answer?.body ?? '')).toEqual(document());
  });

  it.each(FORMS)('is not at %s of a host that is not this server, and no word of that host', async (path) => {
    const answer = await ask(path, 'Host: evil.example');

    expect(answer?.status).toBe(403);
    expect(answer?.body).not.toContain('evil.example');
    expect(answer?.headers['cache-control']).toBe('no-store');
  });

  it.each(FORMS)('at %s can be asked for by a page beforehand, and not be written', async (path) => {
    const url = new URL(path, app.url);
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
    });
    const written = await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });

    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET');
    expect(written.status).toBe(404);
    expectNoTrace(await written.text());
  });

  it('is not at other paths', async () => {
    for (const path of [`${ROOT}/other`, `${ROOT}/mcp/`, `${ROOT}/../mcp`]) {
      expect((await ask(path))?.status).toBe(404);
    }
  });
});
