import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startHttp } from '../../../src/app/http.js';
import { TestIssuer } from '../../support/oauth/test-issuer.js';
import { statelessRequest } from '../../support/wire.js';

type App = Awaited<ReturnType<typeof startHttp>>;
const ORIGIN = 'https://app.example.com';

let app: App | undefined;
beforeEach(() => Logger.overrideLogger(false));
afterEach(async () => {
  await app?.close();
  app = undefined;
  Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose']);
});

async function start(env: Record<string, string>): Promise<string> {
  app = await startHttp({ PORT: '0', ...env });
  return app.getUrl();
}

it('serves where PORT, HOST and MCP_PATH say', async () => {
  const url = await start({ HOST: 'localhost', MCP_PATH: '/tools/mcp' });

  expect((await statelessRequest(`${url}/tools/mcp`, 'tools/list')).status).toBe(200);
  expect((await statelessRequest(`${url}/mcp`, 'tools/list')).status).toBe(404);
});

it.each(['/health', '/health/live', '/metrics', '/metrics/'])(
  'does not serve MCP on %s, which is taken',
  async (path) => {
    await expect(start({ MCP_PATH: path })).rejects.toThrow(`MCP_PATH is ${path}, but /health and /metrics are served`);
  },
);

it.each(['/', '/mcp/', '/healthy'])('serves MCP on %s', async (path) => {
  const url = await start({ MCP_PATH: path });

  expect((await statelessRequest(url + path, 'tools/list')).status).toBe(200);
});

it('lets the allowed origins call from a browser, on a stream too', async () => {
  const url = `${await start({ MCP_ALLOWED_ORIGINS: ORIGIN })}/mcp`;

  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin: ORIGIN,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'mcp-protocol-version,mcp-param-region',
    },
  });
  const stream = await statelessRequest(
    url,
    'tools/call',
    { name: 'analyzeDocument', arguments: { text: 'A text.', domain: 'legal' } },
    { headers: { origin: ORIGIN }, meta: { progressToken: 1 } },
  );

  expect(preflight.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect(preflight.headers.get('access-control-allow-headers')).toBe(
    'Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID, Mcp-Method, Mcp-Name, ' +
      'traceparent, tracestate, baggage, mcp-param-region',
  );
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  expect(stream.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect(stream.headers.get('access-control-expose-headers')).toBe(
    'Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After',
  );
  expect(stream.headers.get('x-content-type-options')).toBe('nosniff');
  await stream.body?.cancel();
});

it('names the variables of an address that cannot be had', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  Logger.overrideLogger(false);
  onTestFinished(() => Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose', 'fatal']));

  await expect(startHttp({ PORT: String(port) })).rejects.toThrow(
    `PORT ${port} of HOST 127.0.0.1 cannot be listened on (EADDRINUSE). Choose others, or end what uses the port.`,
  );
});

it('refuses other origins', async () => {
  const url = `${await start({ MCP_ALLOWED_ORIGINS: ORIGIN })}/mcp`;

  const response = await statelessRequest(url, 'tools/list', {}, { headers: { origin: 'https://evil.example.com' } });

  expect(response.status).toBe(403);
  expect(response.headers.get('access-control-allow-origin')).toBe(null);
});

describe('without authentication', () => {
  it('does not listen where others can reach it, unless it is told so', async () => {
    await expect(start({ HOST: '0.0.0.0' })).rejects.toThrow(/HOST is 0\.0\.0\.0.*AUTH_MODE=none/s);
    await expect(start({ HOST: '::' })).rejects.toThrow(/AUTH_ISSUERS/);

    await start({ HOST: '0.0.0.0', AUTH_MODE: 'none' });
    expect((await statelessRequest(`http://127.0.0.1:${portOf(app)}/mcp`, 'tools/list')).status).toBe(200);
  });

  it.each([
    [{ AUTH_MODE: 'oauth' }, /no issuer is configured/],
    [{ AUTH_MODE: 'none', AUTH_ISSUERS: 'https://id.example' }, /there are issuers/],
    [{ AUTH_ISSUERS: 'https://id.example' }, /AUTH_RESOURCE is missing/],
    [
      {
        AUTH_ISSUERS: 'https://a.example,https://b.example',
        AUTH_RESOURCE: 'https://mcp.example/mcp',
        AUTH_JWKS_URI: 'https://a.example/keys',
      },
      /AUTH_JWKS_URI is of one issuer.*AUTH_ISSUERS_FILE/,
    ],
    [{ AUTH_RESOURCE: 'https://mcp.example/mcp' }, /AUTH_RESOURCE can only mean that tokens are asked for/],
    [{ AUTH_ANONYMOUS: 'false', ACCESS_UNDECLARED: 'nobody' }, /AUTH_ANONYMOUS, ACCESS_UNDECLARED can only mean/],
    [{ AUTH_MODE: 'none', AUTH_REQUIRED_SCOPES: 'mcp' }, /AUTH_REQUIRED_SCOPES can only mean/],
    [
      { AUTH_ISSUERS_FILE: 'issuers.json', AUTH_ALGORITHMS: 'ES256', AUTH_TENANT_CLAIM: 'org' },
      /AUTH_ALGORITHMS, AUTH_TENANT_CLAIM would be ignored beside AUTH_ISSUERS_FILE/,
    ],
    [
      {
        AUTH_ISSUERS: 'https://a.example,https://b.example',
        AUTH_RESOURCE: 'https://mcp.example/mcp',
        AUTH_INTROSPECTION_CLIENT_ID: 'mcp',
        AUTH_INTROSPECTION_CLIENT_SECRET: 'secret',
      },
      /AUTH_INTROSPECTION_CLIENT_ID, AUTH_INTROSPECTION_CLIENT_SECRET is of one issuer/,
    ],
    [
      { AUDIT_ON_FAILURE: 'closed', AUDIT_REPLICA: 'a' },
      /AUDIT_ON_FAILURE, AUDIT_REPLICA can only mean that operations are/,
    ],
    [{ AUDIT_TO: 'stderr' }, /AUDIT_TO: stderr is neither stdout nor redis nor a path/],
    [{ AUDIT_TO: 'redis' }, /there is none\. Set `redis` \(REDIS_URL\)/],
    [
      { AUDIT_TO: 'stdout', AUDIT_SIGNING_KEY_FILE: '/no/such.key' },
      /AUDIT_SIGNING_KEY_FILE: the file \/no\/such\.key .*ENOENT/,
    ],
    [{ LIMIT_PRINCIPAL_PER_MINUTE: ' ' }, /LIMIT_PRINCIPAL_PER_MINUTE: must be a whole number/],
    [{ LIMIT_PRINCIPAL_PER_MINUTE: '1e3' }, /LIMIT_PRINCIPAL_PER_MINUTE: must be a whole number/],
    [{ AUTH_ISSUERS: 'http://id.example', AUTH_RESOURCE: 'https://mcp.example/mcp' }, /https/],
    [
      {
        AUTH_ISSUERS: 'https://id.example',
        AUTH_RESOURCE: 'https://mcp.example/mcp',
        AUTH_INTROSPECTION_CLIENT_ID: 'mcp',
      },
      /needed together/,
    ],
  ])('refuses to start on %j', async (env, message) => {
    await expect(start(env)).rejects.toThrow(message);
  });
});

it.each([
  ['[{ "issuer": "https://a.example", "requireAccesTokenType": true }]', /requireAccesTokenType/],
  ['[{ "issuer": "https://a.example", "rolesClaim": 7 }]', /rolesClaim/],
  ['[]', /is not a list of issuers/],
  ['{', /cannot be read as JSON/],
])('refuses a file of issuers that says %s', async (content, message) => {
  const folder = mkdtempSync(join(tmpdir(), 'issuers-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'issuers.json');
  writeFileSync(file, content);

  await expect(start({ AUTH_ISSUERS_FILE: file, AUTH_RESOURCE: 'https://mcp.example/mcp' })).rejects.toThrow(message);
});

it('takes tokens that a shared secret signs, in development', async () => {
  const secret = 'a secret of at least 32 bytes, for development';
  const url = await start({
    AUTH_ISSUERS: 'https://dev.example',
    AUTH_RESOURCE: 'https://mcp.example/mcp',
    AUTH_SHARED_SECRET: secret,
  });
  const token = await new SignJWT({ scope: 'notes' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('https://dev.example')
    .setAudience('https://mcp.example/mcp')
    .setSubject('ada')
    .setExpirationTime('1 minute')
    .sign(new TextEncoder().encode(secret));

  const list = await statelessRequest(
    `${url}/mcp`,
    'tools/list',
    {},
    { headers: { authorization: `Bearer ${token}` } },
  );

  expect(list.status).toBe(200);
});

it('asks for tokens of the configured issuer, and says where to get them', async () => {
  await using issuer = await TestIssuer.start({ audience: 'https://mcp.example/mcp' });
  const url = await start({
    AUTH_ISSUERS: issuer.issuer,
    AUTH_RESOURCE: 'https://mcp.example/mcp',
    AUTH_REQUIRED_SCOPES: 'notes',
    AUTH_SCOPE_IMPLIES: 'notes:admin>notes',
  });
  const list = (headers: Record<string, string>) => statelessRequest(`${url}/mcp`, 'tools/list', {}, { headers });

  const stranger = await list({});
  const narrow = await list({ authorization: `Bearer ${await issuer.token({ scope: 'other' })}` });
  const broad = await list({ authorization: `Bearer ${await issuer.token({ scope: 'notes:admin' })}` });
  const metadata = await fetch(`${url}/.well-known/oauth-protected-resource/mcp`);

  expect([stranger.status, narrow.status, broad.status]).toEqual([401, 403, 200]);
  expect(stranger.headers.get('www-authenticate')).toBe(
    'Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp", scope="notes"',
  );
  expect(await metadata.json()).toMatchObject({
    resource: 'https://mcp.example/mcp',
    authorization_servers: [issuer.issuer],
    scopes_supported: ['notes'],
  });
});

function portOf(started: App | undefined): number {
  return (started?.getHttpServer().address() as AddressInfo).port;
}
