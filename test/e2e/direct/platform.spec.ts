import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startHttp } from '../../../src/app/http.js';
import { freePort } from '../../support/free-port.js';
import { TestIssuer } from '../../support/oauth/test-issuer.js';
import { startOtlpReceiver } from '../../support/otlp/otlp-receiver.js';
import { responseOf, statelessRequest } from '../../support/wire.js';
import { throughFastify } from './through-fastify.js';

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose']));

const ADD_NOTE = { name: 'addNote', arguments: { title: 'A', text: 'B' } };
const AUDIENCE = 'https://mcp.example/mcp';

it.each<[string, () => Promise<Record<string, string>>]>([
  ['as it is', async () => ({})],
  ['with a management port', async () => ({ MANAGEMENT_PORT: String(await freePort()) })],
])('the platform with everything switched on, %s, has no request go through Fastify', async (_how, more) => {
  const folder = mkdtempSync(join(tmpdir(), 'direct-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await using issuer = await TestIssuer.start({ audience: AUDIENCE });
  await using receiver = await startOtlpReceiver();
  const app = await startHttp({
    PORT: '0',
    AUTH_ISSUERS: issuer.issuer,
    AUTH_RESOURCE: AUDIENCE,
    AUTH_REQUIRED_SCOPES: 'notes',
    AUDIT_TO: join(folder, 'audit.jsonl'),
    LIMIT_PRINCIPAL_PER_MINUTE: '100',
    LOG_REQUESTS: 'true',
    METRICS_ENABLED: 'true',
    MCP_ALLOWED_ORIGINS: 'https://app.example.com',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    ...(await more()),
  });
  try {
    const url = `${await app.getUrl()}/mcp`;
    const headers = { authorization: `Bearer ${await issuer.token({ scope: 'notes notes:write' })}` };

    const requests = await throughFastify(async () => {
      const answer = await responseOf(await statelessRequest(url, 'tools/call', ADD_NOTE, { headers }));
      expect(answer).toHaveProperty('result');
      expect((await statelessRequest(url, 'tools/list')).status).toBe(401);
    });

    expect(requests).toBe(0);
  } finally {
    await app.close();
  }
});
