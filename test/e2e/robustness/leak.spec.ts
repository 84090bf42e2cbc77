import { Agent, request } from 'node:http';
import { Injectable } from '@nestjs/common';
import { expect, it } from 'vitest';
import { McpTool } from '../../../src/index.js';
import { ENVELOPE, WireSession, statelessHeaders } from '../../support/wire.js';
import { type Served, serve } from '../clients/served.js';
import { bytesInUse } from './heap.js';
import { expectServing } from './raw.js';

const MIB = 1024 * 1024;

@Injectable()
class Tools {
  @McpTool()
  fail(): never {
    throw new Error('as ever');
  }
}

interface Attack {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
  /** The status it must get; undefined where the connection is cut before there is one. */
  readonly status: number | undefined;
}

const right = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'fail', _meta: ENVELOPE },
});
const headers = statelessHeaders('tools/call', { name: 'fail' });

const ping = (id: number): string => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;

/** One of each kind; `n` makes what is kept by its name be kept anew each time. */
function attacks(n: number, session: WireSession): Attack[] {
  const inSession = { 'content-type': 'application/json', accept: '*/*', 'mcp-session-id': session.id };
  return [
    { body: `{"n":${n},`, status: 400 },
    { body: '', status: 400 },
    { body: `[${n}]`, status: 400 },
    { body: `"${n}"`, status: 400 },
    { body: '['.repeat(65), status: 400 },
    { body: '{"__proto__":{}}', status: 400 },
    { body: Buffer.from([0x22, 0xff, 0x22]), status: 400 },
    { body: 'x'.repeat(20_000), status: 413 },
    { body: right, headers: { ...headers, 'content-type': `text/x-${n}` }, status: 415 },
    { body: right, headers: { ...headers, 'content-encoding': `x-${n}` }, status: 415 },
    { body: right, headers: { ...headers, host: `evil-${n}.example` }, status: 403 },
    { body: right, headers: { ...headers, origin: `https://evil-${n}.example` }, status: 403 },
    { body: right, headers: { ...headers, accept: 'image/png' }, status: 406 },
    { body: right, headers: { ...headers, 'mcp-method': `tools/${n}` }, status: 400 },
    { body: right, headers: { ...headers, 'mcp-name': `tool-${n}` }, status: 400 },
    { body: right, headers: { ...headers, 'mcp-protocol-version': `2099-${n}` }, status: 400 },
    {
      body: right.replace('tools/call', `tools/${n}`),
      headers: { ...headers, 'mcp-method': `tools/${n}` },
      status: 404,
    },
    { body: right, headers, status: 200 },
    { method: 'PUT', body: right, headers, status: 405 },
    { method: 'GET', headers: { accept: 'text/event-stream' }, status: 400 },
    { method: 'GET', headers: { ...inSession, 'last-event-id': `${n}-x` }, status: 400 },
    { method: 'DELETE', headers: { 'mcp-session-id': `unknown-${n}` }, status: 404 },
    { body: ping(n), headers: { ...inSession, 'mcp-session-id': `unknown-${n}` }, status: 404 },
    // In the era of sessions an unknown method is an answer like any other.
    { body: ping(n).replace('ping', `nothing/${n}`), headers: inSession, status: 200 },
    { body: `{"jsonrpc":"2.0","id":"${n}","result":{}}`, headers: inSession, status: 400 },
    {
      body: `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${n}}}`,
      headers: inSession,
      status: 202,
    },
    { body: right, headers: { ...headers, 'content-length': '100000' }, status: 413 },
  ];
}

function attack(
  { port }: Served,
  agent: Agent,
  { method = 'POST', body, headers: sent, status }: Attack,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const given = sent ?? headers;
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const outgoing = request({ port, method, path: '/mcp', agent, headers: { ...length, ...given } }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === status) resolve();
        else reject(new Error(`${method} ${String(body).slice(0, 100)} got ${response.statusCode}, not ${status}.`));
      });
    });
    // A refusal may close the connection before the whole body is sent.
    outgoing.once('error', () => resolve());
    outgoing.end(body);
  });
}

it('keeps nothing of ten thousand malformed requests', { timeout: 120_000 }, async () => {
  await using served = await serve([Tools], { http: { maxBodyBytes: 10_000 } });
  const session = await WireSession.open(served.url);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  let sent = 0;
  const sendUntil = async (total: number): Promise<void> => {
    while (sent < total) {
      const round = attacks(sent, session);
      await Promise.all(round.map((one) => attack(served, agent, one)));
      sent += round.length;
      // What the test itself collects is no leak of the server.
      (served.errors as unknown[]).length = 0;
    }
  };

  await sendUntil(2_000);
  const before = await bytesInUse();
  await sendUntil(10_000);
  const grown = (await bytesInUse()) - before;

  // A leak of 1 KiB a request would be 8 MiB.
  expect(grown).toBeLessThan(4 * MIB);
  agent.destroy();
  await expectServing(served.url);
});
