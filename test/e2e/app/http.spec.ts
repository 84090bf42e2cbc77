import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startHttp } from '../../../src/app/http.js';
import { statelessRequest } from '../../support/wire.js';

type App = Awaited<ReturnType<typeof startHttp>>;
const ORIGIN = 'https://app.example.com';

let app: App;
beforeEach(() => Logger.overrideLogger(false));
afterEach(async () => {
  await app.close();
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
  expect(preflight.headers.get('access-control-allow-headers')).toBe('mcp-protocol-version,mcp-param-region');
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  expect(stream.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect(stream.headers.get('access-control-expose-headers')).toBe('Mcp-Session-Id, MCP-Protocol-Version');
  expect(stream.headers.get('x-content-type-options')).toBe('nosniff');
  await stream.body?.cancel();
});

it('refuses other origins', async () => {
  const url = `${await start({ MCP_ALLOWED_ORIGINS: ORIGIN })}/mcp`;

  const response = await statelessRequest(url, 'tools/list', {}, { headers: { origin: 'https://evil.example.com' } });

  expect(response.status).toBe(403);
  expect(response.headers.get('access-control-allow-origin')).toBe(null);
});
